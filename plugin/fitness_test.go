package plugin

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"solarhub/plugin/devhost"
	"solarhub/plugin/doctor"
	"solarhub/plugin/host"
)

func TestFiguresOfTheLine(t *testing.T) {
	h := newHouse(t, ", timeout: 50ms")
	h.start()
	h.wait("line_advice", doctor.WellText)
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
		"line_round_trip_p95": func(v any) bool { return number(v) >= 0 },
		"line_use":            func(v any) bool { return number(v) >= 0 && number(v) <= 100 },
		"line_write_wait_p95": func(v any) bool { return v == nil }, // nothing was written yet
		"line_crc_errors":     func(v any) bool { return number(v) == 0 },
	} {
		if v := read(key).Response.(host.Reading).Value; !wanted(v) {
			t.Errorf("%s is %v", key, v)
		}
	}
	if r := h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionSet, ID: id("line_use"), Value: 1.0}); r.Err == nil ||
		r.Err.Code != host.CodeReadOnly {
		t.Errorf("set: %+v", r)
	}

	h.line.Off()
	h.wait("battery_grid_charge_soc", devhost.Unavailable)
	r := read("line_advice")
	if text := r.Response.(host.Reading).Value.(string); !strings.Contains(text, "has not answered since") {
		t.Errorf("advice for a device that is away: %q", text)
	}
	if s := h.state("line_advice").State; s == devhost.Unavailable {
		t.Error("the line cannot be seen while the device is away")
	}
}

func number(v any) float64 {
	f, err := strconv.ParseFloat(fmt.Sprint(v), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}
