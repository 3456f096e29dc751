package operate

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

func TestRegistersThatPeopleType(t *testing.T) {
	holding := func(addr, count uint16) protocol.Range { return protocol.Range{Addr: addr, Count: count} }
	input := func(addr, count uint16) protocol.Range {
		return protocol.Range{Table: protocol.InputRegister, Addr: addr, Count: count}
	}
	for word, want := range map[string]protocol.Range{"588": holding(588, 1), "588..599": holding(588, 12),
		"588+12": holding(588, 12), "holding 588": holding(588, 1), "input 0x10+2": input(16, 2),
		"input 3..4": input(3, 2), "65535": holding(65535, 1)} {
		if !isAddress(word) {
			t.Errorf("%q is not taken for registers", word)
		}
		if got, err := parseRegisters(word); err != nil || got != want {
			t.Errorf("%q: %v %v", word, got, err)
		}
	}
	for _, word := range []string{"65536", "588+0", "588..587", "588..590+2", "65535+2", "0+1001", "588x", "input x",
		"010"} {
		if got, err := parseRegisters(word); err == nil || err.Error() == "" {
			t.Errorf("%q is taken for %v", word, got)
		}
	}
	for _, word := range []string{"", "battery_soc", "holding", "pv_{n}_voltage"} {
		if isAddress(word) {
			t.Errorf("%q is taken for registers", word)
		}
	}
}

func TestValuesThatPeopleType(t *testing.T) {
	option := profile.Point{Write: &profile.Write{}, Spec: codec.Spec{Form: codec.OptionForm,
		Options: []codec.Option{{Name: "load_first", Label: "Load first"}, {Name: "off", Raw: 1}}}}
	onOff := profile.Point{Write: &profile.Write{}, Spec: codec.Spec{Form: codec.BoolForm}}
	for _, c := range []struct {
		point profile.Point
		text  string
		want  any
	}{
		{option, "load_first", "load_first"}, {option, "LOAD FIRST", "load_first"}, {option, "off", "off"},
		{option, "fast", "fast"}, {onOff, "on", true}, {onOff, "Yes", true}, {onOff, "0", false},
		{onOff, "maybe", "maybe"},
		{profile.Point{Write: &profile.Write{}}, "5", "5"},
	} {
		if got := valueOf(c.point, c.text); got != c.want {
			t.Errorf("%q is %v, want %v", c.text, got, c.want)
		}
	}
}

// family returns a device of a family that was identified once, and its points.
func family(t *testing.T, name string) (target, []profile.Point) {
	t.Helper()
	p, err := profile.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := devices.Config{Profile: p, Unit: 1, Line: p.Line,
		Known: &devices.Identity{Serial: "2700000001", Traits: p.TraitsText(p.Cases()[0])}}
	d := devices.New(cfg, nil, nil, zerolog.Nop())
	return target{d, cfg}, d.Points()
}

// Every button of every family is asked about, and takes nothing but its word.
func TestButtonsAreDangerous(t *testing.T) {
	profiles, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	buttons := 0
	for _, p := range profiles {
		dev, points := family(t, p.ID)
		for _, point := range points {
			if !point.Button() || point.Write.Arm {
				continue
			}
			buttons++
			if one := describe(dev, point, false); one.Danger == "" || one.Expects != Press || one.Readable {
				t.Errorf("%s %s: %+v", p.ID, point.Key, one)
			}
			call, err := callFor(dev, point, control.AskSet{Value: Press})
			if err != nil || call.Action != host.ActionPress || call.ID != "2700000001_"+point.Key {
				t.Errorf("%s %s: %+v %v", p.ID, point.Key, call, err)
			}
			if _, err := callFor(dev, point, control.AskSet{Value: "1"}); err == nil {
				t.Errorf("%s %s takes a value", p.ID, point.Key)
			}
		}
	}
	if buttons == 0 {
		t.Error("no family has a button")
	}
}

func TestArmedSettingsAreDangerous(t *testing.T) {
	dev, points := family(t, "powdrive")
	for _, p := range points {
		if p.Key != "battery_type" {
			continue
		}
		if one := describe(dev, p, false); one.Writable || one.Danger != "" {
			t.Errorf("not armed: %+v", one)
		}
		dev.config.Arm = []string{"battery_type"}
		if one := describe(dev, p, false); !one.Writable || !strings.Contains(one.Danger, "installer") {
			t.Errorf("armed: %+v", one)
		}
	}
}

func TestTheLedgerOfADevice(t *testing.T) {
	all := []ledger.Entry{
		{ID: "270_a_b", At: time.Unix(1, 0), Outcome: ledger.Written}, {ID: "270_x_y_z", By: "command (ann)"},
		{ID: "gone_soc", Reverted: &ledger.Reversal{Found: "5"}},
	}
	names := map[string]string{"270": "Roof", "270_x": "Garage", "": "Never seen"}
	got, err := Entries(all, names, "")
	if err != nil || len(got) != 3 || got[0].Device != "Roof" || got[0].Key != "a_b" || got[0].By != Host ||
		got[1].Device != "Garage" || got[1].Key != "y_z" || got[1].By != "command (ann)" || got[2].Device != "gone" ||
		got[2].Reverted != "5" {
		t.Errorf("%+v %v", got, err)
	}
	for device, want := range map[string]int{"Roof": 1, "270_x": 1, "gone": 1, "Never seen": 0} {
		if got, err := Entries(all, names, device); err != nil || len(got) != want {
			t.Errorf("%s: %d entries, %v", device, len(got), err)
		}
	}
	if _, err := Entries(all, names, "Rof"); err == nil || !strings.Contains(err.Error(), "did you mean Roof?") {
		t.Errorf("a device that does not exist: %v", err)
	}
}
