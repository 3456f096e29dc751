package hub

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/plugin/host"
	"solarhub/protocol/codec"
)

// A device that has replaced another is shown with the ids of the old one, and its own serial number. Its counters
// begin anew, and all else is as it was left.
func TestAReplacedDeviceKeepsItsEntities(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{values: map[string]map[string]keptValue{serialNumber: {
		"pv_energy": {codec.Number(1234), now}, "battery_grid_charge_soc": {codec.Number(80), now}}}})
	s.describe(now)
	before := s.hub.Describe()
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Stranger: "NEW1", Reason: "another"}, now)
	if p := u.online()[serialNumber].Problems; p[host.ProblemReplaced]["found"] != "NEW1" {
		t.Errorf("the host is not told: %v", p)
	}
	cfg := config.DefaultDevice(u.device.Profile())
	cfg.Known = &devices.Identity{Serial: "NEW1", As: serialNumber, Traits: "single"}
	u.device = devices.New(cfg, noLine{}, s.hub, zerolog.Nop())
	s.describe(now)
	after := s.hub.Describe()
	if len(after.Devices) != len(before.Devices) || len(after.Entities) != len(before.Entities) ||
		after.Devices[0].ID != serialNumber || after.Devices[0].SerialNumber != "NEW1" {
		t.Fatalf("%+v became %+v", before.Devices[0], after.Devices[0])
	}
	for i, e := range after.Entities {
		if e.ID != before.Entities[i].ID {
			t.Errorf("%s became %s", before.Entities[i].ID, e.ID)
		}
	}
	if u.values["pv_energy"] != nil || u.values["battery_grid_charge_soc"] == nil {
		t.Errorf("kept are %v", u.values)
	}
	s.collect(now, true)
	m := Memory{known: map[string]knownDevice{}, replaced: map[string]string{}}
	for _, key := range []string{knownPrefix + "tcp h#1", replacedPrefix + "NEW1"} {
		if err := m.take(key, s.pending[key]); err != nil {
			t.Error(err)
		}
	}
	who, _, _ := m.Known("tcp h#1", "chint")
	if who.ID() != serialNumber || who.Serial != "NEW1" || m.Replaced()["NEW1"] != serialNumber {
		t.Errorf("the cache keeps %+v, %v", who, m.replaced)
	}
	cfg.Known = &devices.Identity{Serial: serialNumber, Traits: "single"} // it comes back, mended
	u.device = devices.New(cfg, noLine{}, s.hub, zerolog.Nop())
	s.describe(now)
	s.collect(now, true)
	if record, told := s.pending[replacedPrefix+"NEW1"]; !told || record != nil {
		t.Errorf("the one that stood in for it would still take its id: %s", record)
	}
}

func TestReplaceInTheCache(t *testing.T) {
	records := map[string][]byte{
		knownPrefix + "tcp h#1":  encode(knownDevice{Profile: "p", Identity: devices.Identity{Serial: "A12345"}}),
		knownPrefix + "tcp h#2":  encode(knownDevice{Profile: "p", Identity: devices.Identity{Serial: "B12345"}}),
		knownPrefix + "tcp h#3":  encode(knownDevice{Profile: "p"}), // never identified
		valueKey("A12345", "pv"): encode(keptValue{}), valueKey("A12345", "soc"): encode(keptValue{}),
	}
	points := func(place, _ string) []profile.Point {
		return []profile.Point{{Key: "soc"}, {Key: "pv", Entity: profile.EntityHints{StateClass: "total_increasing"}}}
	}
	replace := func(id, serial string) (Memory, map[string][]byte, error) {
		var batch map[string][]byte
		k := fakeKeeper{records: records, put: func(b map[string][]byte) error { batch = b; return nil }}
		err := Replace(k, id, serial, points)
		m := Memory{known: map[string]knownDevice{}, replaced: map[string]string{}}
		for key, value := range batch {
			if value != nil {
				if err := m.take(key, value); err != nil {
					t.Error(err)
				}
			}
		}
		return m, batch, err
	}
	m, batch, err := replace("A12345", "C12345")
	if value, dropped := batch[valueKey("A12345", "pv")]; err != nil || !dropped || value != nil || len(batch) != 3 ||
		m.known["tcp h#1"].Identity != (devices.Identity{Serial: "C12345", As: "A12345"}) ||
		m.replaced["C12345"] != "A12345" {
		t.Errorf("%v: %s", err, batch)
	}
	m, batch, err = replace("A12345", "B12345") // which was set up at an address of its own
	if old, dropped := batch[knownPrefix+"tcp h#1"]; err != nil || !dropped || old != nil ||
		m.known["tcp h#2"].Identity != (devices.Identity{Serial: "B12345", As: "A12345"}) {
		t.Errorf("%v: %s", err, batch)
	}
	unknown := `no device has the id "A1234"; there are: A12345, B12345; did you mean A12345?`
	if _, batch, err = replace("A1234", "C12345"); batch != nil || err == nil || err.Error() != unknown {
		t.Errorf("unknown: %v %s", err, batch)
	}
	if _, batch, err = replace("A12345", "A12345"); batch != nil || err == nil {
		t.Errorf("by itself: %v %s", err, batch)
	}
}
