package hub

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol/codec"
)

// cacheAfter returns what a cache holds after a batch.
func cacheAfter(t *testing.T, s *state) Memory {
	t.Helper()
	s.collect(time.Now(), true)
	kept := map[string][]byte{}
	for key, value := range s.pending {
		if value != nil {
			kept[key] = value
		}
	}
	m, err := Recall(fakeKeeper{records: kept})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func served(s *state) []string { return s.hub.Describe().Served() }

func TestADeletedDeviceStaysDeleted(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{})
	s.describe(now)
	s.listKnown = true
	if len(served(s)) != 1 {
		t.Fatalf("served: %v", served(s))
	}
	s.delete([]deletion{{serialNumber, true}, {"NEVER", true}}, now)
	s.enable(now)
	if len(served(s)) != 0 || len(u.polled) != 0 || u.polled == nil || len(s.hub.described.Load().targets) != 0 {
		t.Errorf("served: %v, polled: %v", served(s), u.polled)
	}
	m := cacheAfter(t, s)

	s, _ = still(t, m) // the next start
	s.describe(now)
	if len(served(s)) != 0 {
		t.Errorf("served after a restart: %v", served(s))
	}
	s, u = still(t, m) // and one with another entry in the configuration
	u.entry = "another name"
	s.describe(now)
	s.delete([]deletion{{serialNumber, false}}, now) // the host still knows of the deletion before
	if len(served(s)) != 1 {
		t.Errorf("not served though it was asked for again: %v", served(s))
	}
	s, u = still(t, cacheAfter(t, s))
	u.entry = "another name"
	s.describe(now)
	s.delete([]deletion{{serialNumber, false}}, now)
	if len(served(s)) != 1 {
		t.Errorf("not served after another start: %v", served(s))
	}
	s.delete([]deletion{{serialNumber, true}}, now)
	if len(served(s)) != 0 {
		t.Errorf("served though it was deleted once more: %v", served(s))
	}
}

// The cache was lost, but the host knows.
func TestADeletionThatOnlyTheHostRemembers(t *testing.T) {
	s, _ := still(t, Memory{})
	s.describe(time.Now())
	s.delete([]deletion{{serialNumber, false}}, time.Now())
	if len(served(s)) != 0 {
		t.Errorf("served: %v", served(s))
	}
}

func TestADeletedPartStaysDeleted(t *testing.T) {
	now := time.Now()
	s, _ := still(t, Memory{})
	s.describe(now)
	s.delete([]deletion{{serialNumber + "/battery", true}, {serialNumber + "/line", true}}, now)
	d := s.hub.Describe()
	for _, e := range d.Entities {
		if strings.HasPrefix(e.Device, serialNumber+"/battery") || strings.HasPrefix(e.Device, serialNumber+"/line") {
			t.Errorf("%s is described", e.ID)
		}
	}
	for _, dev := range d.Devices {
		if dev.ID == serialNumber+"/battery" {
			t.Error("the part is described")
		}
	}
	if len(served(s)) != 1 || s.hub.described.Load().targets[id("temperature")].device == nil {
		t.Errorf("the device is gone with its part: %v", served(s))
	}
}

// An inverter was replaced: the new one is refused until the owner deletes the old one.
func TestADeletedDeviceThatIsAwayFreesItsPlace(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{known: map[string]knownDevice{"tcp h#1": {Profile: "senergy",
		Identity: devices.Identity{Serial: serialNumber}}}})
	s.describe(now)
	s.readings(u.device, []devices.Reading{{Key: "battery_grid_charge_soc", Value: codec.Number(80), Raw: []uint16{80},
		ReadAt: now}})
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Reason: "another device answers at unit 1"}, now)
	s.delete([]deletion{{serialNumber, true}}, now)
	if u.device.ID() != "" {
		t.Fatalf("the place is still %s's", u.device.ID())
	}
	s.collect(now, true)
	if record, forgotten := s.pending[knownPrefix+"tcp h#1"]; !forgotten || record != nil {
		t.Errorf("the cache keeps the place: %q %t", record, forgotten)
	}
}

func TestADeviceOutOfTheConfigurationLeaves(t *testing.T) {
	now := time.Now()
	m := Memory{
		known: map[string]knownDevice{
			"tcp h#1": {Identity: devices.Identity{Serial: serialNumber}},
			"tcp h#2": {Identity: devices.Identity{Serial: "GONE"}},
			"tcp g#1": {Identity: devices.Identity{Serial: serialNumber}}, // where it was before
		},
		values: map[string]map[string]keptValue{"GONE": {"soc": {}}},
	}
	s, _ := still(t, m)
	var removed [][]string
	s.hub.asks.Remove = func(ids []string) { removed = append(removed, ids) }
	s.describe(now)
	s.leave()
	s.leave()
	if len(removed) != 1 || len(removed[0]) != 1 || removed[0][0] != "GONE" {
		t.Fatalf("removed: %v", removed)
	}
	if _, dropped := s.pending[knownPrefix+"tcp g#1"]; !dropped {
		t.Error("the old place of a device that has moved is kept")
	}
	if _, dropped := s.pending[valueKey("GONE", "soc")]; dropped {
		t.Error("it is forgotten before the host has removed it")
	}
	go s.hub.Left(t.Context(), removed[0])
	(<-s.hub.inbox)(s)
	for _, key := range []string{knownPrefix + "tcp h#2", valueKey("GONE", "soc")} {
		if value, dropped := s.pending[key]; !dropped || value != nil {
			t.Errorf("%s is kept", key)
		}
	}
}

// A device that has never answered may be the one that seems to have left.
func TestNothingLeavesWhileADeviceIsUnknown(t *testing.T) {
	s, u := still(t, Memory{known: map[string]knownDevice{"tcp old#1": {Identity: devices.Identity{Serial: "GONE"}}}})
	u.device = devices.New(config.DefaultDevice(u.device.Profile()), noLine{}, s.hub, zerolog.Nop())
	s.hub.asks.Remove = func(ids []string) { t.Errorf("removed: %v", ids) }
	s.leave()
}

func TestForget(t *testing.T) {
	records := map[string][]byte{
		knownPrefix + "tcp h#1":     encode(knownDevice{Identity: devices.Identity{Serial: "A"}}),
		knownPrefix + "tcp h#2":     encode(knownDevice{Identity: devices.Identity{Serial: "B"}}),
		valueKey("A", "soc"):        encode(keptValue{}),
		deletedPrefix + "A/battery": encode(""),
		deletedPrefix + "B":         encode(""),
		"ledger/001":                []byte("{}"),
	}
	var batch map[string][]byte
	k := fakeKeeper{records: records, put: func(b map[string][]byte) error { batch = b; return nil }}
	if id, err := Forget(k, "tcp h#1"); id != "A" || err != nil || len(batch) != 4 {
		t.Errorf("forgotten %q %v: %v", id, err, batch)
	}
	for key, value := range batch {
		if (value != nil) != strings.HasPrefix(key, deletedPrefix) || strings.Contains(key, "B") {
			t.Errorf("%s: %q", key, value)
		}
	}
	if id, err := Forget(k, "tcp h#3"); id != "" || err != nil {
		t.Errorf("nothing known: %q %v", id, err)
	}
}
