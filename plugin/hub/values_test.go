package hub

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/plugin/host"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// noLine never carries anything.
type noLine struct{}

func (noLine) Do(context.Context, protocol.Request) (protocol.Response, error) {
	return protocol.Response{}, protocol.ErrDown
}

func (noLine) Hold(context.Context, protocol.Request, func(context.Context, protocol.Exchanger) error) error {
	return protocol.ErrDown
}

// still is a state with one Senergy that is known and does nothing by itself.
func still(t *testing.T, m Memory) (*state, *member) {
	t.Helper()
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	h := New(host.NewOutbox(), noAsks, zerolog.Nop())
	cfg := config.DefaultDevice(family)
	cfg.Known = &devices.Identity{Serial: serialNumber, Traits: "single"}
	s := newState(h, []Place{{Device: devices.New(cfg, noLine{}, h, zerolog.Nop()), Key: "tcp h#1"}}, m)
	return s, s.members[0]
}

func TestWhatIsKeptOverARestart(t *testing.T) {
	now := time.Now()
	old, young := now.Add(-time.Hour), now.Add(-4*time.Minute)
	s, u := still(t, Memory{values: map[string]map[string]keptValue{serialNumber: {
		"battery_grid_charge_soc": {codec.Number(80), old},     // a setting
		"pv_energy":               {codec.Number(1234), old},   // a counter
		"gone":                    {codec.TextOf("gone"), old}, // no longer a point
		"model":                   {codec.TextOf("M"), old},    // read once
		"temperature":             {codec.Number(30), old},     // a measurement
		"battery_soc":             {codec.Number(55), young},   // a young one
	}}})
	put := map[string]bool{}
	s.describe(now)
	s.show(u, func(p profile.Point, v *latest) (any, bool) { // the rule of recall, asked again
		put[p.Key] = v.cached
		return nil, false
	})
	if len(put) != 5 || !put["battery_grid_charge_soc"] || put["gone"] {
		t.Errorf("taken from the cache: %v", put)
	}
	for key, want := range map[string]bool{"battery_grid_charge_soc": true, "pv_energy": true, "model": true,
		"temperature": false} {
		if got := isLasting(u.points[key]); got != want {
			t.Errorf("%s lasts: %t", key, got)
		}
	}
	s.collect(now, true)
	for key := range s.pending {
		if strings.HasPrefix(key, valuePrefix) {
			t.Errorf("%s is written again though nothing was read", key)
		}
	}
}

func TestWhatIsWrittenToTheCache(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{})
	s.describe(now)
	read := func(value float64, at time.Time) {
		s.readings(u.device, []devices.Reading{{Key: "battery_grid_charge_soc", Value: codec.Number(value),
			Raw: []uint16{1}, ReadAt: at}})
	}
	written := func(all bool) bool {
		clear(s.pending)
		s.collect(now, all)
		_, ok := s.pending[valueKey(serialNumber, "battery_grid_charge_soc")]
		return ok
	}
	for _, c := range []struct {
		what  string
		value float64
		after time.Duration
		all   bool
		want  bool
	}{
		{"the first value", 1, 0, false, true},
		{"the same", 1, 10 * time.Second, false, false},
		{"the same at the end", 1, 20 * time.Second, true, true},
		{"another", 2, 30 * time.Second, false, true},
		{"the same, much later", 2, 95 * time.Second, false, true},
	} {
		read(c.value, now.Add(c.after))
		if got := written(c.all); got != c.want {
			t.Errorf("%s is written: %t", c.what, got)
		}
	}
	s.readings(u.device, []devices.Reading{{
		Key: "battery_grid_charge_soc", Value: codec.None("not available"), Raw: []uint16{1},
		ReadAt: now.Add(time.Hour)}})
	if written(true) {
		t.Error("no value is written")
	}
}

func TestADeviceThatWasAwayForLong(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{})
	s.describe(now)
	s.readings(u.device, []devices.Reading{
		{Key: "battery_grid_charge_soc", Value: codec.Number(1), Raw: []uint16{1}, ReadAt: now},
		{Key: "temperature", Value: codec.Number(20), Raw: []uint16{20}, ReadAt: now},
	})
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Reason: "it sleeps"}, now)
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Online: true, Identified: true},
		now.Add(time.Minute))
	if u.values["temperature"].cached {
		t.Error("a minute is long")
	}
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Reason: "it sleeps"}, now)
	s.status(u.device, devices.Status{Identity: u.device.Identity(), Online: true, Identified: true},
		now.Add(time.Hour))
	if !u.values["temperature"].cached || !u.values["battery_grid_charge_soc"].cached {
		t.Error("after an hour the old values count as fresh")
	}
}

func TestTwoDevicesWithOneID(t *testing.T) {
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	h := New(host.NewOutbox(), noAsks, zerolog.New(&logged))
	var places []Place
	for n := range 2 {
		cfg := config.DefaultDevice(family)
		cfg.Known = &devices.Identity{Serial: serialNumber, Traits: "single"}
		places = append(places, Place{Device: devices.New(cfg, noLine{}, h, zerolog.Nop()),
			Key: fmt.Sprint("line#", n)})
	}
	s := newState(h, places, Memory{})
	s.describe(time.Now())
	s.describe(time.Now())
	if d := h.Describe(); len(d.Served()) != 1 || s.members[0].id == "" || s.members[1].id != "" {
		t.Errorf("served %v", d.Served())
	}
	if n := strings.Count(logged.String(), "Two devices have the same id"); n != 1 {
		t.Errorf("told %d times", n)
	}
	s.readings(places[1].Device, []devices.Reading{
		{Key: "battery_grid_charge_soc", Value: codec.Number(1), ReadAt: time.Now()}})
}

func TestTheNewestListOfTheHostCounts(t *testing.T) {
	h := New(host.NewOutbox(), noAsks, zerolog.Nop())
	for _, list := range [][]string{{"a"}, {"b"}, {"c"}} {
		h.Config(list)
	}
	if got := <-h.disabled; got[0] != "c" {
		t.Errorf("taken %v", got)
	}
}

func TestALateListOfTheHost(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{})
	s.describe(now)
	s.setDisabled(nil, now) // nothing is registered yet
	if u.polled != nil {
		t.Error("everything is polled before the host has named what is off")
	}
	s.enable(now.Add(listAfter))
	if u.polled == nil || !u.polled["rated_power"] {
		t.Error("an owner who has enabled everything does not get it")
	}
	s.setDisabled([]string{id("rated_power")}, now)
	if u.polled["rated_power"] || !u.polled["battery_grid_charge_soc"] {
		t.Errorf("polled %v", u.polled)
	}
}

// noAsks asks nothing of anybody.
var noAsks = Asks{Redescribe: func() {}, Notify: func(host.Notice) {}, Remove: func([]string) {}}

const serialNumber = "SIM0012345"

func id(key string) string { return serialNumber + "_" + key }

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
