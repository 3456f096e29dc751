package demo

import (
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/protocol/sim"
)

func TestScenarioSaysEverything(t *testing.T) {
	s, err := ParseScenario("house.yaml", []byte(`
seed: 7
lines:
  - pty: /tmp/bus
    tcp: 127.0.0.1:5020
    rtu_over_tcp: 127.0.0.1:5021
    baud: 19200
    min_gap: 50ms
    deaf: 1s
    waking: 2s
    echo: true
    busy: loses
    devices:
      - profile: powdrive
        traits: hv
        serial_number: ABCDEFGHIJ
        unit: 9
        turnaround: 20ms
        max_registers: 40
        silent: true
        fault: late=1%:1.2s
        dumps: [roof.csv, barn.csv]
        set: {battery_soc: 72}
      - profile: senergy
`))
	if err != nil {
		t.Fatal(err)
	}
	l := s.Lines[0]
	first, second := l.Devices[0], l.Devices[1]
	if s.Seed != 7 || l.Places[OnPTY] != "/tmp/bus" || l.Places[OnTCP] != "127.0.0.1:5020" ||
		l.Places[OnRTUOverTCP] != "127.0.0.1:5021" ||
		l.Baud != 19200 ||
		l.MinGap != 50*time.Millisecond || l.Deaf != time.Second || l.Waking != 2*time.Second || !l.Echo ||
		l.Busy != sim.Loses {
		t.Errorf("the line is %+v", l)
	}
	if first.Profile != "powdrive" || first.Traits != "hv" || first.SerialNumber != "ABCDEFGHIJ" ||
		first.UnitID != 9 ||
		first.Turnaround != 20*time.Millisecond || first.MaxRegisters != 40 || !first.Silent ||
		first.Faults != "late=1%:1.2s" ||
		!slices.Equal(first.Dumps, []string{"roof.csv", "barn.csv"}) ||
		!slices.Equal(first.Set, []string{"battery_soc=72"}) {
		t.Errorf("the first device is %+v", first)
	}
	if second.Turnaround >= 0 {
		t.Error("a turnaround that nobody stated is not the family's")
	}
}

func TestScenarioFindings(t *testing.T) {
	_, err := ParseScenario("house.yaml",
		[]byte("lines:\n  - tpc: x\n    busy: never\n    devices:\n      - {unit: 300}\n"))
	for _, want := range []string{"house.yaml:2:5", "tpc", "never", "profile", "300"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestTwoDevicesNeedTwoUnitIDs(t *testing.T) {
	_, err := NewLines(Scenario{Lines: []LineConfig{{Places: Places{OnTCP: "127.0.0.1:0"},
		Devices: []DeviceConfig{{Profile: "powdrive"}, {Profile: "senergy"}}}}})
	if err == nil || !strings.Contains(err.Error(), "senergy: unit id 1 is taken at 127.0.0.1:0") {
		t.Errorf("the error is %v", err)
	}
}
