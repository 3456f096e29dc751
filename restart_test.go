package main_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"solarhub/protocol/sim"
)

func (e *endToEnd) pluginRestarts(ctx context.Context, t *testing.T) {
	setting := e.id(t, e.house.senergy, "battery_grid_charge_soc")
	before := e.home.states(ctx)[setting].State
	e.house.end(syscall.SIGTERM)
	e.house.senergy.line.Off()
	e.house.powdrive.line.Off()
	began := time.Now()
	e.house.run(ctx, e.home)
	e.home.until(ctx, 30*time.Second, "the cached value with its moment", func() bool {
		s := e.home.states(ctx)[setting]
		return s.State == before && s.Attributes["read_at"] != nil
	})
	e.row(
		"restart of the plugin, inverters silent: settings shown with read_at",
		ms(time.Since(began))+" from start",
		"within 1 s of connecting",
	)
	e.house.senergy.line.On()
	e.house.powdrive.line.On()
	e.home.until(ctx, time.Minute, "fresh values", func() bool {
		s := e.home.states(ctx)[setting]
		return s.State == before && s.Attributes["read_at"] == nil
	})
}

// killedInMidWrite: what was on its way when the process died is not sent again by the next one.
func (e *endToEnd) killedInMidWrite(ctx context.Context, t *testing.T) {
	i := e.house.powdrive
	const key = "battery_charge_current_max"
	id, before, journal := e.id(t, i, key), i.register(key), i.line.Journal()
	i.line.Play(sim.NewScript(1, sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Drop}))
	n := journal.Last()
	ended := make(chan error, 1)
	go func() { ended <- e.home.act(ctx, "number.set_value", id, map[string]any{"value": before + 1}) }()
	if _, err := journal.Wait(ctx, n, sim.Exchange.Write); err != nil {
		t.Fatal(err)
	}
	e.house.end(syscall.SIGKILL)
	i.line.Play(nil)
	n = journal.Last()
	e.house.run(ctx, e.home)
	demand(t, <-ended, "lost") // a connection that closes does not prove that the process writes nothing any more
	e.home.until(ctx, time.Minute, "fresh values after the kill", func() bool {
		s := e.home.states(ctx)[id]
		return s.State == fmt.Sprint(before) && s.Attributes["read_at"] == nil && journal.Last() > n+30
	})
	for _, x := range journal.Since(n) {
		if x.Write() {
			t.Errorf("the next process wrote %v", x)
		}
	}
}

func (e *endToEnd) homeRestarts(ctx context.Context, t *testing.T) {
	id := e.id(t, e.house.powdrive, "battery_charge_current_max")
	e.house.end(syscall.SIGTERM)
	e.home.restart(ctx)
	s, there := e.home.states(ctx)[id]
	if !there || s.State != "unavailable" || s.Attributes["restored"] != nil {
		t.Errorf("before the plugin is back the entity is %+v", s)
	}
	e.house.run(ctx, e.home)
	e.home.until(ctx, time.Minute, "back after a restart of Home Assistant", func() bool {
		return e.home.states(ctx)[id].State != "unavailable"
	})
}

// TestEndToEndHostGoes ends Home Assistant under set-values, again and again: half of the times it restarts, half of
// the times it is killed. No call may hang, nothing may be written after its caller was told that it failed, and all
// entities must soon be back once Home Assistant is ready. HOST_GOES is how often.
func TestEndToEndHostGoes(t *testing.T) {
	h := nameHome(t)
	times, err := strconv.Atoi(cmp.Or(os.Getenv("HOST_GOES"), "2"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(times)*time.Minute+5*time.Minute)
	defer cancel()
	b := buildHouse(ctx, t, h)
	install(ctx, t, h, b)
	h.connect(ctx)
	defer h.disconnect()
	b.run(ctx, h)
	e := &endToEnd{home: h, house: b}
	key := "battery_charge_current_max"
	h.until(ctx, time.Minute, "the first value", func() bool {
		e.ids, _ = h.registered(ctx)
		s := h.states(ctx)[e.ids[b.powdrive.serial+"_"+key]].State
		return s != "" && s != "unavailable" && s != "unknown"
	})
	var back [2][]time.Duration // after restarts, after kills
	for n := range times {
		took := e.hostGoes(ctx, t, key, 1+n%100, n%2 == 1)
		back[n%2] = append(back[n%2], took)
		t.Logf("%d killed %v: all back %v after it runs", n+1, n%2 == 1, took.Round(time.Millisecond))
	}
	e.row("calls, confirmed, failed, told nothing because the host went", fmt.Sprint(e.goes.calls, e.goes.confirmed,
		e.goes.failed, e.goes.gone), "")
	e.row("written after the caller was told, hanging, told wrongly", fmt.Sprint(e.goes.late, e.goes.hanging,
		e.goes.wrong), "0 0 0")
	for i, what := range []string{"restarts", "kills"} {
		if len(back[i]) == 0 {
			continue
		}
		slices.Sort(back[i])
		worst := back[i][len(back[i])-1]
		e.row(fmt.Sprintf("%d %s: all entities available after it runs, p50, max", len(back[i]), what),
			ms(back[i][len(back[i])/2])+", "+ms(worst), "2 s")
		// A slow machine needs longer than 2 s, and a try that comes too late is late by 30 s.
		if worst > 10*time.Second {
			t.Errorf("once it took %v until all entities were back; it should be at most 2 s", worst)
		}
	}
	t.Log("\n" + e.report())
}

// goes counts what callers were told while Home Assistant went.
type goes struct{ calls, confirmed, failed, gone, late, hanging, wrong int }

// hostGoes ends Home Assistant while a value is set ten times, and returns how long after its return all entities were
// available.
func (e *endToEnd) hostGoes(ctx context.Context, t *testing.T, key string, value int, killed bool) time.Duration {
	i, id := e.house.powdrive, e.id(t, e.house.powdrive, key)
	n, held := i.line.Journal().Last(), i.register(key)
	var available []string // what the device gives
	for entity, s := range e.home.states(ctx) {
		if s.State != "unavailable" && slices.Contains(slices.Collect(maps.Values(e.ids)), entity) {
			available = append(available, entity)
		}
	}
	ends := make(chan told, 10)
	for k := range cap(ends) {
		go func() {
			v := (value+k)%100 + 1
			err := e.home.act(ctx, "number.set_value", id, map[string]any{"value": v})
			ends <- told{strconv.Itoa(v), err, time.Now()}
		}()
	}
	_ = pause(ctx, time.Duration(value%40)*10*time.Millisecond)
	if killed {
		e.home.kill(ctx)
	} else {
		e.home.restart(ctx)
	}
	running := time.Now()
	e.home.until(ctx, time.Minute, "all entities available", func() bool {
		states := e.home.states(ctx)
		return !slices.ContainsFunc(available, func(entity string) bool {
			return states[entity].State == "unavailable"
		})
	})
	back := time.Since(running)
	for range cap(ends) {
		e.goes.calls++
		select {
		case end := <-ends:
			e.judge(t, end, held, i.writesOf(key, n))
		case <-time.After(time.Second):
			e.goes.hanging++
			t.Errorf("a call hangs")
		}
	}
	return back
}

// judge compares what a caller was told with what the register held when he called and the writes since.
func (e *endToEnd) judge(t *testing.T, end told, held uint16, writes []sim.Exchange) {
	value, _ := strconv.Atoi(end.what)
	own := slices.DeleteFunc(slices.Clone(writes), func(x sim.Exchange) bool { return int(x.Words[0]) != value })
	refused, _ := errors.AsType[*homeError](end.err)
	switch {
	case end.err == nil:
		e.goes.confirmed++
	case refused == nil:
		e.goes.gone++
	default:
		e.goes.failed++
	}
	switch {
	// Of ten values some are superseded by newer ones, in silence, and one may be what the register holds already.
	case end.err == nil && len(writes) == 0 && value != int(held):
		e.goes.wrong++
		t.Errorf("%s is said to be written, and nothing was", end.what)
	case refused != nil && len(own) > 0 && refused.Key != "lost" && refused.Key != "outcome_unknown":
		e.goes.wrong++
		t.Errorf("%s was written, and its caller was told: %v", end.what, end.err)
	}
	for _, x := range own {
		if end.err != nil && x.At.After(end.at) {
			e.goes.late++
			t.Errorf("%s was written %v after its caller was told: %v", end.what, x.At.Sub(end.at), end.err)
		}
	}
}

// kill ends Home Assistant as a power cut does, starts it and waits until it runs. It must be one of .ci/homeassistant.
func (h *home) kill(ctx context.Context) {
	h.t.Helper()
	for _, verb := range []string{"kill", "start"} {
		// What it prints is not shown, because the token is in it.
		if err := exec.CommandContext(ctx, ".ci/homeassistant", verb, h.config).Run(); err != nil {
			h.t.Fatalf("%s Home Assistant: %v", verb, err)
		}
	}
	<-h.ended
	h.connect(ctx)
}
