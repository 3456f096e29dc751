package hub

import (
	"strings"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol/codec"
)

// A process was killed in the middle of set-values. In the next one nothing is written again; what is read is their
// end.
func TestWhatAKilledProcessLeftOpenIsEndedByReading(t *testing.T) {
	now := time.Now()
	open := func(number uint64, key string, value any) ledger.Entry {
		return ledger.Entry{Number: number, At: now.Add(-time.Minute), ID: id(key), Action: host.ActionSet,
			Value: value, Outcome: ledger.Begun}
	}
	s, u := still(t, Memory{ledger: []ledger.Entry{
		{Number: 3, ID: id("battery_grid_charge_soc"), Value: 10.0, Outcome: ledger.Unchanged},
		open(4, "battery_grid_charge_soc", 10.0), open(5, "battery_grid_charge", true),
		open(6, "charge_window_1_start", "01:02"),
	}})
	s.describe(now)
	s.readings(u.device, []devices.Reading{
		{Key: "battery_grid_charge_soc", Value: codec.Number(10), Raw: []uint16{10}, ReadAt: now},
		{Key: "battery_grid_charge", Value: codec.None("refused"), ReadAt: now}, // it was not read
		{Key: "charge_window_1_start", Value: codec.TimeOf(63), Raw: []uint16{0x0103}, ReadAt: now},
	})
	for i, want := range []string{ledger.Unchanged, ledger.Written, ledger.Begun, host.CodeNotVerified} {
		if e := s.ledger.Last(ledger.Size)[i]; e.Outcome != want {
			t.Errorf("entry %+v, want %s", e, want)
		}
	}
	if e := s.ledger.Last(ledger.Size)[3]; !strings.Contains(e.Reason, "holds 01:03") || e.Found != "01:03" {
		t.Errorf("entry %+v", e)
	}
	s.readings(u.device, []devices.Reading{
		{Key: "battery_grid_charge", Value: codec.Number(0), Raw: []uint16{0}, ReadAt: now}})
	if e := s.ledger.Last(ledger.Size)[2]; e.Outcome != host.CodeNotVerified {
		t.Errorf("entry %+v", e)
	}
	begun := s.ledger.Begin(host.Call{ID: id("battery_grid_charge_soc"), Value: 20.0}, now)
	s.readings(u.device, []devices.Reading{{Key: "battery_grid_charge_soc", Value: codec.Number(10), Raw: []uint16{10},
		ReadAt: now}})
	if e := s.ledger.Last(ledger.Size)[4]; e.Number != begun || e.Outcome != ledger.Begun {
		t.Errorf("a set-value of this process was ended by a poll: %+v", e)
	}
}

// Nothing can be read of a button, so nobody knows whether it was pressed.
func TestAPressThatAKilledProcessLeftOpenStaysUnknown(t *testing.T) {
	s, u := still(t, Memory{ledger: []ledger.Entry{{Number: 1, ID: id("restart"), Action: host.ActionPress,
		Outcome: ledger.Begun}}})
	u.ids = map[string][]string{"restart": {id("restart")}}
	u.points = map[string]profile.Point{"restart": {Key: "restart", Entity: profile.EntityHints{Platform: "button"}}}
	s.finishPresses(u)
	if e := s.ledger.Last(ledger.Size)[0]; e.Outcome != host.CodeOutcomeUnknown || e.Reason == "" {
		t.Errorf("entry %+v", e)
	}
}

func TestWhetherRegistersHoldAValue(t *testing.T) {
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	points, _ := family.ResolveNamed("single")
	at := byKey(points)
	for _, c := range []struct {
		key   string
		raw   []uint16
		value any
		want  bool
	}{
		{"battery_grid_charge_soc", []uint16{80}, 80.0, true},
		{"battery_grid_charge_soc", []uint16{80}, 80.0000000001, true},
		{"battery_grid_charge_soc", []uint16{80}, 81.0, false},
		{"battery_grid_charge_soc", nil, 80.0, false},
		{"battery_grid_charge_soc", []uint16{80}, "much", false},
		{"charge_window_1_start", []uint16{0x0102}, "01:02", true},
		{"battery_grid_charge", []uint16{1}, true, true},
		{"battery_grid_charge", []uint16{1}, false, false},
	} {
		if got := holds(at[c.key], c.raw, c.value); got != c.want {
			t.Errorf("%s %v %v: %t", c.key, c.raw, c.value, got)
		}
	}
}
