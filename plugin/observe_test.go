package plugin

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"solarhub/protocol"
)

func TestObserveTellsOfLinesAndExchanges(t *testing.T) {
	h := newHouse(t, "")
	var mu sync.Mutex
	var seen []Exchange
	h.observer = func(e Exchange) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, e)
	}
	h.start()
	h.wait("battery_grid_charge_soc", "50")
	if err := h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 12.0); err != nil {
		t.Fatal(err)
	}
	h.unit.ReadOnly(rangeOf(t, h, "battery_grid_charge"), 3)
	if err := h.host().SetValue(h.ctx, id("battery_grid_charge"), true); err == nil {
		t.Fatal("a refused write succeeded")
	}
	o, err := h.plugin.Observe(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	l := o.Lines[0]
	if !strings.HasPrefix(l.Line, "tcp 127.0.0.1:") || l.Requests == 0 || l.BusyMS <= 0 || l.Failed == 0 ||
		len(l.Devices) != 1 {
		t.Errorf("the line is %+v", l)
	}
	if d := l.Devices[0]; !d.Online || len(d.Plan) < 3 || !strings.HasPrefix(d.Plan[0].Range, "holding ") {
		t.Errorf("the device is %+v", d)
	}
	if n := len(o.Ledger); n != 2 || o.Ledger[0].Outcome != "written" || o.Ledger[1].Outcome != "exception" {
		t.Errorf("the ledger is %+v", o.Ledger)
	}
	h.halt()
	if _, err := h.plugin.Observe(h.ctx); err == nil {
		t.Error("a plugin that has ended is observed")
	}

	mu.Lock()
	defer mu.Unlock()
	i := slices.IndexFunc(seen, func(e Exchange) bool { return e.Asked == "write" })
	if i < 0 || i+1 >= len(seen) {
		t.Fatalf("no write among %d exchanges", len(seen))
	}
	if w := seen[i]; w.Device != "Chint hybrid inverter" || w.Range != "holding 8471+1" ||
		!slices.Equal(w.Written, []uint16{12}) || w.Error != "" || w.At.IsZero() {
		t.Errorf("the write is %+v", w)
	}
	if r := seen[i+1]; r.Asked != "read-back" || !slices.Equal(r.Words, []uint16{12}) {
		t.Errorf("behind the write comes %+v", r)
	}
	if !slices.ContainsFunc(seen,
		func(e Exchange) bool { return e.Asked == "poll" && len(e.Words) > 1 && e.TookMS > 0 }) {
		t.Error("no poll was told")
	}
	if !slices.ContainsFunc(seen, func(e Exchange) bool { return strings.Contains(e.Error, "exception 3") }) {
		t.Error("the refusal was not told")
	}
}

func rangeOf(t *testing.T, h *house, key string) protocol.Range {
	t.Helper()
	points, err := h.plugin.config.Lines[0].Devices[0].Profile.ResolveNamed("single")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		if p.Key == key {
			return p.Ranges[0]
		}
	}
	t.Fatalf("there is no point %s", key)
	return protocol.Range{}
}
