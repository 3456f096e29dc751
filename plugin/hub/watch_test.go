package hub

import (
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/protocol/codec"
)

// One who watches and is too slow hears how many changes it has missed, and holds up nobody.
func TestAWatcherThatIsTooSlow(t *testing.T) {
	w := &watcher{changes: make(chan Change, 2)}
	s := &state{watchers: map[*watcher]bool{w: true}}
	for i := range 5 {
		s.change(Change{Key: "soc", New: Reading{Value: codec.Number(float64(i))}})
	}
	for want := range 2 {
		if c := <-w.changes; c.New.Value.Num != float64(want) || c.Lost != 0 {
			t.Errorf("change %d: %+v", want, c)
		}
	}
	s.change(Change{Key: "soc", New: Reading{Value: codec.Number(9)}})
	if c := <-w.changes; c.New.Value.Num != 9 || c.Lost != 3 {
		t.Errorf("behind those that were lost: %+v", c)
	}
}

func TestOnlyChangesAreTold(t *testing.T) {
	s, u := still(t, Memory{})
	s.describe(time.Now())
	w := &watcher{changes: make(chan Change, 9)}
	s.watchers[w] = true
	for i, value := range []float64{1, 1, 2} {
		s.readings(u.device, []devices.Reading{{Key: "battery_soc", Value: codec.Number(value), Raw: []uint16{1},
			ReadAt: time.Unix(int64(1000+i), 0)}})
	}
	if len(w.changes) != 2 {
		t.Fatalf("%d changes", len(w.changes))
	}
	if c := <-w.changes; !c.First || c.Key != "battery_soc" || c.New.Value.Num != 1 {
		t.Errorf("the first: %+v", c)
	}
	if c := <-w.changes; c.First || c.Old.Value.Num != 1 || c.New.Value.Num != 2 {
		t.Errorf("the second: %+v", c)
	}
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Reason: "no answer"}, time.Now())
	if c := <-w.changes; c.Key != "" || c.Away != "no answer" {
		t.Errorf("it has gone: %+v", c)
	}
}

// Nothing of a forgotten device stays, and the next one in its place has the same entities if it is the same.
func TestAForgottenDeviceLeavesNothing(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{values: map[string]map[string]keptValue{serialNumber: {
		"pv_energy": {codec.Number(1234), now}}}, replaced: map[string]string{"OLD1": serialNumber}})
	s.describe(now)
	s.deleted[serialNumber] = u.entry
	if id := s.forget(u.device, now); id != serialNumber || u.device.ID() != "" {
		t.Errorf("forgotten is %q, and it is %q", id, u.device.ID())
	}
	for _, key := range []string{valueKey(serialNumber, "pv_energy"), knownPrefix + "tcp h#1",
		replacedPrefix + "OLD1"} {
		if record, told := s.pending[key]; !told || record != nil {
			t.Errorf("the cache keeps %s: %s", key, record)
		}
	}
	if len(u.values) != 0 || len(s.memory.values) != 0 || s.isDeleted(u, serialNumber) {
		t.Errorf("the hub keeps %v, %v, %v", u.values, s.memory.values, s.deleted)
	}
	s.collect(now, true)
	if record := s.pending[knownPrefix+"tcp h#1"]; record != nil {
		t.Errorf("it is written again: %s", record)
	}
	if id := s.forget(u.device, now); id != "" {
		t.Errorf("twice: %q", id)
	}
}
