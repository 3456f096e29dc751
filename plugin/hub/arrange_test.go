package hub

import (
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol/codec"
)

// another returns a device in the place of that of a still state, with what an owner says of its points.
func another(t *testing.T, s *state, o profile.Overrides) Place {
	t.Helper()
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.DefaultDevice(family.With(o))
	cfg.Known = &devices.Identity{Serial: serialNumber, Traits: "single"}
	return Place{Device: devices.New(cfg, noLine{}, s.hub, zerolog.Nop()), Key: "tcp h#1", Entry: "another"}
}

// report has a device report numbers.
func report(s *state, u *member, values map[string]float64) {
	for key, v := range values {
		s.readings(u.device, []devices.Reading{
			{Key: key, Value: codec.Number(v), ReadAt: time.Now(), Raw: []uint16{1}}})
	}
}

func TestADeviceFollowsAnotherInItsPlace(t *testing.T) {
	s, u := still(t, Memory{})
	now := time.Now()
	s.describe(now)
	report(s, u, map[string]float64{"battery_grid_charge_soc": 80, "battery_discharge_soc_min": 20})
	u.polled = map[string]bool{"battery_grid_charge_soc": true} // which the next device is to be told
	before := u.device
	scale := 2.0
	p := another(t, s, profile.Overrides{Points: map[string]profile.Override{
		"battery_discharge_soc_min": {Scale: &scale}}})
	s.arrange([]Place{p}, now)
	if len(s.members) != 1 || s.members[0] != u || u.device != p.Device || u.entry != "another" || u.polled != nil {
		t.Fatalf("members %+v", s.members)
	}
	if v := u.values["battery_grid_charge_soc"]; v == nil || v.cached || v.Value.Num != 80 {
		t.Errorf("a value that is read alike: %+v", v)
	}
	if v := u.values["battery_discharge_soc_min"]; v != nil {
		t.Errorf("a value that is read in another way: %+v", v)
	}
	key := valueKey(serialNumber, "battery_discharge_soc_min")
	if text, ok := s.pending[key]; !ok || text != nil {
		t.Errorf("the cache keeps it: %q", text)
	}
	s.readings(before, []devices.Reading{{Key: "battery_grid_charge_soc", Value: codec.Number(7), ReadAt: now}})
	s.status(before, devices.Status{Reason: "late"}, now)
	if u.values["battery_grid_charge_soc"].Value.Num != 80 || u.status.Reason == "late" {
		t.Error("the device before is still heard")
	}
	if target := s.hub.described.Load().targets[id("battery_grid_charge_soc")]; target.device != p.Device {
		t.Error("calls reach the device before")
	}
}

// TestADeviceLeavesAndComesBack: it is remembered, the host is asked to remove it, and not once it is there again.
func TestADeviceLeavesAndComesBack(t *testing.T) {
	s, u := still(t, Memory{})
	var asked [][]string
	s.hub.asks.Remove = func(ids []string) { asked = append(asked, ids) }
	s.describe(time.Now())
	report(s, u, map[string]float64{"battery_grid_charge_soc": 80})
	s.leave()
	s.arrange(nil, time.Now())
	s.leave()
	s.leave()
	if len(asked) != 1 || !slices.Equal(asked[0], []string{serialNumber}) {
		t.Errorf("asked to remove %v", asked)
	}
	if len(s.hub.described.Load().definitions.Devices) != 0 {
		t.Error("it is still described")
	}
	p := another(t, s, profile.Overrides{})
	s.arrange([]Place{p}, time.Now())
	s.leave()
	if len(asked) != 2 || len(asked[1]) != 0 {
		t.Errorf("it is back, and to be removed are %v", asked)
	}
	if v := s.members[0].values["battery_grid_charge_soc"]; v == nil || v.Value.Num != 80 || !v.cached {
		t.Errorf("its value: %+v", v)
	}
	s.arrange(nil, time.Now())
	s.memory.forget(serialNumber)
	s.leave()
	if len(asked) != 2 || len(s.memory.known)+len(s.memory.values) != 0 {
		t.Errorf("the host has removed it, and is asked again: %v", asked)
	}
}
