package plugin

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
	"solarhub/plugin/hub"
	"solarhub/protocol/sim"
)

// TestLessonsOutliveARestart: the longest read that the device answers is found once, not at each start.
func TestLessonsOutliveARestart(t *testing.T) {
	const most = 20
	h := newHouse(t, "")
	h.config = strings.Replace(h.config, "turnaround: 0s", "turnaround: 30ms", 1) // so that reads are long
	h.unit.Limit(sim.Limits{ReadRegisters: most})
	h.start()
	learned := func() devices.Longest { return h.plugin.now.Load().lines[0].Devices[0].Learned().Longest }
	h.poll("the plugin runs", func() bool { return h.plugin.now.Load() != nil })
	h.poll("the longest read is found", func() bool { return learned() != devices.Longest{} })
	h.halt()

	h.start()
	h.poll("the plugin runs", func() bool { return h.plugin.now.Load() != nil })
	if learned() == (devices.Longest{}) {
		t.Error("what was found out is forgotten by the restart")
	}
	h.poll("it is polled", func() bool { return h.plugin.now.Load().lines[0].Devices[0].Poll().Requests > 0 })
}

// TestTwoDevicesOnALine: each shows what its own unit id has counted, and the same line.
func TestTwoDevicesOnALine(t *testing.T) {
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	unit, err := simulate.Unit(family, profile.Traits{"phases": "single"}, serialNumber)
	if err != nil {
		t.Fatal(err)
	}
	line := sim.NewLine(sim.Options{SilentTCP: true}, unit)
	h := newHouse(t, "")
	c, err := config.Parse(filepath.Join(h.data, "solarhub.yaml"),
		fmt.Appendf(nil, "host: {url: %q, token: %s}\ndata: %s\nlines:\n  - tcp: %s\n    devices:\n"+
			"      - {profile: senergy, name: One, timeout: 20s, turnaround: 0s}\n      - {profile: senergy, unit: 2, "+
			"name: Two, timeout: 50ms}\n",
			h.address, goodToken, h.data, serve(t, line)))
	if err != nil {
		t.Fatal(err)
	}
	l := maker{sink: discard{}, log: zerolog.Nop()}.line(c.Lines[0], hub.Memory{})
	l.start(make(chan error, 1))
	state := func(device int) hub.LineState {
		return l.places[device].Gauge.Measure(l.places[device].Device, time.Now())
	}
	h.poll("the dead one was asked", func() bool { return state(1).Unit.Timeouts >= 3 && state(0).Unit.Requests > 0 })
	if err := stopAll([]*stage{l.polls}, []*stage{l.bus}); err != nil {
		t.Fatal(err)
	}
	if n := state(0).Unit.Timeouts; n != 0 {
		t.Errorf("the one that answers has %v timeouts", n)
	}
	if all, dead := state(0).Line.Timeouts, state(1).Unit.Timeouts; all != dead || state(1).Line.Timeouts != all {
		t.Errorf("%v timeouts of all, %v of the dead one", all, dead)
	}
	if text := state(1).Advice; !strings.Contains(text, "Nothing answers at unit id 2") ||
		!strings.Contains(text, "others on the line answer") {
		t.Errorf("advice for the dead one: %q", text)
	}
	if text := state(0).Advice; text != doctor.WellText {
		t.Errorf("advice for the other: %q", text)
	}
}

// discard is a sink of which nobody hears.
type discard struct{}

func (discard) Readings(context.Context, *devices.Device, []devices.Reading) {}
func (discard) Status(context.Context, *devices.Device, devices.Status)      {}
func (discard) Changed(context.Context, *devices.Device, devices.Changed)    {}
