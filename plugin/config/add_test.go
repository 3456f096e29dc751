package config

import (
	"strings"
	"testing"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

func found(t *testing.T, l Line, family string, unit protocol.UnitID) Addition {
	t.Helper()
	p, err := profile.Get(family)
	if err != nil {
		t.Fatal(err)
	}
	return Addition{Line: l, Device: NewDevice{Profile: p, Unit: unit}}
}

var (
	onPort = Line{Transport: Serial, Address: "/dev/ttyUSB0", Serial: protocol.DefaultSerial}
	onHost = Line{Transport: TCP, Address: "192.168.1.50:502"}
)

const someFile = `# my house
host:
  url: http://homeassistant.local:8123
  token: paste.the.token
lines:
  - serial: /dev/ttyUSB0   # the long cable
    devices:
      - profile: deye
        name: Roof   # south
        arm: [battery_type]
        # and no more
      # the barn will follow

# what is below is the garage
  - tcp: 192.168.1.50
    devices: [{profile: chint}]
data: /tmp/x   # the end
`

// What is added stands behind what was there, and nothing else changes.
func TestAdd(t *testing.T) {
	far := onHost
	far.Address = "192.168.1.51:502"
	text, skipped, err := Add("x.yaml", []byte(someFile), []Addition{found(t, onPort, "deye", 2),
		found(t, onPort, "deye", 1), found(t, far, "eastron", 7)})
	if err != nil {
		t.Fatal(err)
	}
	if len(skipped) != 1 || skipped[0].Device.Unit != 1 {
		t.Errorf("skipped %v", skipped)
	}
	want := strings.Replace(someFile, "        # and no more\n", "        # and no more\n"+
		"      - profile: deye\n        unit: 2\n", 1)
	want = strings.Replace(want, "devices: [{profile: chint}]\n", "devices: [{profile: chint}]\n"+
		"  - tcp: 192.168.1.51:502\n    devices:\n      - profile: eastron\n        unit: 7\n", 1)
	if string(text) != want {
		t.Errorf("got\n%s", text)
	}
}

// An empty file becomes a whole one.
func TestAddToNothing(t *testing.T) {
	text, _, err := Add("x.yaml", nil, []Addition{found(t, onPort, "deye", 1), found(t, onPort, "deye", 2)})
	if err != nil {
		t.Fatal(err)
	}
	want := newFile + "lines:\n  - serial: /dev/ttyUSB0\n    baud: 9600\n    devices:\n      - profile: deye\n" +
		"        unit: 1\n      - profile: deye\n        unit: 2\n        name: Deye hybrid inverter 2\n"
	if string(text) != want {
		t.Errorf("got\n%s", text)
	}
}

// What cannot be written into leaves the file to its owner.
func TestAddByHand(t *testing.T) {
	for name, text := range map[string]string{
		"a list in brackets":  newFile + "lines: [{tcp: 192.168.1.50, devices: [{profile: deye}]}]\n",
		"devices in brackets": newFile + "lines:\n  - tcp: 192.168.1.50\n    devices: [{profile: deye}]\n",
	} {
		if text, _, err := Add("x.yaml", []byte(text), []Addition{found(t, onHost, "deye", 2)}); err == nil {
			t.Errorf("%s became\n%s", name, text)
		}
	}
	if _, _, err := Add("x.yaml", []byte("lines:\n"), []Addition{found(t, onHost, "deye", 2)}); err == nil {
		t.Error("a file without a host")
	}
	for _, empty := range []string{"", "lines:\n", "lines: []   # none yet\n"} {
		if text, _, err := Add("x.yaml", []byte(newFile+empty), []Addition{found(t, onHost, "deye", 2)}); err != nil {
			t.Errorf("%q: %v\n%s", empty, err, text)
		}
	}
}
