package plugin

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
	"solarhub/protocol"
)

func TestFiguresOfTheLine(t *testing.T) {
	h := newHouse(t, ", timeout: 50ms")
	h.start()
	h.wait("line_advice", wellText)
	h.wait("line_timeouts", "0")
	read := func(key string) host.Result {
		return h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionRead, ID: id(key)})
	}
	h.poll("a full poll is measured", func() bool {
		r := read("line_poll_took")
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		return r.Response.(host.Reading).Value != nil
	})
	for key, wanted := range map[string]func(v any) bool{
		"line_round_trip_p50":     func(v any) bool { return number(v) >= 0 },
		"line_requests":           func(v any) bool { return number(v) > 0 },
		"line_all_round_trip_p95": func(v any) bool { return number(v) >= 0 },
		"line_requests_per_poll":  func(v any) bool { return number(v) > 0 },
		"line_use":                func(v any) bool { return number(v) >= 0 && number(v) <= 100 },
		"line_write_wait_max":     func(v any) bool { return v == nil }, // nothing was written yet
		"line_openings":           func(v any) bool { return number(v) == 1 },
	} {
		if v := read(key).Response.(host.Reading).Value; !wanted(v) {
			t.Errorf("%s is %v", key, v)
		}
	}
	if r := h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionSet, ID: id("line_use"), Value: 1.0}); r.Err == nil || r.Err.Code != host.CodeReadOnly {
		t.Errorf("set: %+v", r)
	}

	h.line.Off()
	h.wait("charge_end_soc", devhost.Unavailable)
	r := read("line_advice")
	if text := r.Response.(host.Reading).Value.(string); !strings.Contains(text, "has not answered since") {
		t.Errorf("advice for a device that is away: %q", text)
	}
	if s := h.state("line_advice").State; s == devhost.Unavailable {
		t.Error("the line cannot be seen while the device is away")
	}
}

func TestFiguresAreMeasuredNowAndThen(t *testing.T) {
	s, u := still(t, memory{})
	now := time.Now()
	u.gauge = &gauge{line: line{bus: protocol.NewBus(nil, protocol.BusOptions{})}}
	u.gauge.line.devices = append(u.gauge.line.devices, u.device)
	u.gauge.line.config.Devices = append(u.gauge.line.config.Devices, config.DefaultDevice(u.device.Profile()))
	s.describe(now)
	for after := time.Second; after <= time.Hour; after += time.Second {
		s.measure(now.Add(after), false)
	}
	if n := len(u.gauge.past); n < int(window/measureEvery) || n > int(window/measureEvery)+2 {
		t.Errorf("%d samples are kept", n)
	}
	if first := now.Add(time.Hour).Sub(u.gauge.past[0].at); first < window || first > window+2*measureEvery {
		t.Errorf("the oldest is %v old", first)
	}
}

func number(v any) float64 {
	f, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// TestEveryCounterIsTakenSince fails when a counter is added to protocol.Stats and forgotten in since.
func TestEveryCounterIsTakenSince(t *testing.T) {
	at := func(n uint64) protocol.Stats {
		s := protocol.Stats{Busy: time.Duration(n), Units: map[protocol.UnitID]protocol.UnitStats{}}
		var unit protocol.UnitStats
		for _, v := range []reflect.Value{reflect.ValueOf(&s).Elem(), reflect.ValueOf(&s.Frames).Elem(), reflect.ValueOf(&unit).Elem()} {
			for _, f := range v.Fields() {
				if f.Kind() == reflect.Uint64 {
					f.SetUint(n)
				}
			}
		}
		s.Units[1] = unit
		return s
	}
	got := since(at(5), at(3))
	if want := at(2); !reflect.DeepEqual(onlyCounters(got), onlyCounters(want)) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// onlyCounters takes out what is a state, not a counter.
func onlyCounters(s protocol.Stats) protocol.Stats {
	s.Openings, s.Connection = 0, 0
	return s
}
