package main_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"solarhub/plugin/host/waytest"
	"solarhub/protocol/sim"
)

// TestEndToEndLate proves that nothing is written after its caller was told that it failed: when the process was
// stopped with calls in its socket or under way, when the way to or from the host stalls while a slow device works
// through many calls, and when the connection is closed at the host's end only. LATE=all plays stalls of 1 to 15 s and
// stops of 0.1 to 60 s.
func TestEndToEndLate(t *testing.T) {
	h := nameHome(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	way := waytest.Open(t, strings.TrimPrefix(h.url, "http://"))
	through := &home{t: t, url: "http://" + way.Address, token: h.token, config: h.config}
	b := buildHouse(ctx, t, through)
	b.reconfigure("name: end-to-end", "name: late")
	b.reconfigure("settle: 0ms\n        max_registers: 40",
		"settle: 0ms\n        timeout: 3s\n        join_writes: false\n        max_registers: 40")
	install(ctx, t, h, b)
	h.connect(ctx)
	defer h.disconnect()
	b.run(ctx, through)
	l := &lateWrites{t: t, home: h, house: b, way: way}
	l.find(ctx)
	t.Run("stopped for 40 s before the calls", func(t *testing.T) { l.stopped(ctx, t) })
	stalls, stops, cuts := []time.Duration{9300 * time.Millisecond}, []time.Duration{26e9}, []time.Duration{5e9}
	if os.Getenv("LATE") != "" {
		stalls = []time.Duration{1e9, 2e9, 4e9, 6e9, 8e9, 9e9, 9.5e9, 10e9, 11e9, 12e9, 13e9, 15e9}
		stops = []time.Duration{.1e9, 1e9, 5e9, 9e9, 11e9, 20e9, 24e9, 26e9, 28e9, 29e9, 30e9, 31e9, 35e9, 60e9}
		cuts = []time.Duration{.1e9, 1e9, 5e9, 10e9, 20e9}
	}
	for _, d := range stalls {
		for direction, name := range []string{"to the plugin", "to the host"} {
			t.Run(fmt.Sprintf("stalled for %v %s", d, name), func(t *testing.T) {
				way.Hold(waytest.Direction(direction), d)
				l.play(ctx, t, func() {})
			})
		}
	}
	for _, d := range stops {
		t.Run(fmt.Sprintf("stopped for %v during the calls", d), func(t *testing.T) {
			l.play(ctx, t, func() {
				_ = pause(ctx, 1500*time.Millisecond)
				l.signal(t, syscall.SIGSTOP)
				_ = pause(ctx, d)
				l.signal(t, syscall.SIGCONT)
			})
		})
	}
	for _, d := range cuts {
		t.Run(fmt.Sprintf("cut at the host's end only, %v after the calls", d), func(t *testing.T) {
			l.play(ctx, t, func() {
				_ = pause(ctx, d)
				way.Cut()
			})
		})
	}
	t.Logf("%d calls, %d failed, %d written after their callers were told", l.calls, l.failed, l.late)
}

// lateWrites looks for writes that come after their callers were told.
type lateWrites struct {
	t     *testing.T
	home  *home
	house *house
	way   *waytest.Way
	keys  map[string]string // entity ids in the host by key, of numbers that the owner may set

	calls, failed, late int
}

// find waits for the plugin, and picks eighteen numbers of the slow inverter. It enables those that are off at first.
func (l *lateWrites) find(ctx context.Context) {
	l.keys = map[string]string{}
	enabled := map[string]bool{}
	l.home.until(ctx, 3*time.Minute, "eighteen numbers with a state", func() bool {
		ids, disabled := l.home.registered(ctx)
		states := l.home.states(ctx)
		for _, p := range l.house.powdrive.points() {
			unique := l.house.powdrive.serial + "_" + p.Key
			id := ids[unique]
			if disabled[unique] && !enabled[id] && len(enabled) < 20 && strings.HasPrefix(id, "number.") &&
				!p.Write.Arm {
				enabled[id] = true
				change := map[string]any{"type": "config/entity_registry/update", "entity_id": id, "disabled_by": nil}
				if err := l.home.ask(ctx, change, nil); err != nil {
					l.t.Error(err)
				}
			}
			_, err := strconv.ParseFloat(states[id].State, 64)
			if len(l.keys) < 18 && strings.HasPrefix(id, "number.") && err == nil && !p.Write.Arm &&
				len(p.Ranges) == 1 {
				l.keys[p.Key] = id
			}
		}
		return len(l.keys) == 18
	})
}

// told is how a call ended for its caller.
type told struct {
	what string // was set: a key or a value
	err  error
	at   time.Time
}

// set sets all numbers at once to values that they do not have, and returns how that ended.
func (l *lateWrites) set(ctx context.Context) []told {
	var all sync.WaitGroup
	states, ends := l.home.states(ctx), make(chan told, len(l.keys))
	for _, p := range l.house.powdrive.points() {
		id := l.keys[p.Key]
		if id == "" {
			continue
		}
		value := p.Write.Min
		if states[id].State == strconv.FormatFloat(value, 'f', -1, 64) {
			value += p.Write.Step
		}
		all.Go(func() {
			err := l.home.act(ctx, "number.set_value", id, map[string]any{"value": value})
			ends <- told{p.Key, err, time.Now()}
		})
	}
	all.Wait()
	close(ends)
	var ended []told
	for e := range ends {
		ended = append(ended, e)
	}
	return ended
}

// check looks for writes behind the last journal entry n that came after their callers were told that they failed.
func (l *lateWrites) check(t *testing.T, n uint64, ended []told) {
	t.Helper()
	failed, i := 0, l.house.powdrive
	defer func() { l.calls, l.failed = l.calls+len(ended), l.failed+failed }()
	for _, e := range ended {
		if e.err == nil {
			continue
		}
		failed++
		at := i.at(e.what)
		for _, x := range i.line.Journal().Since(n) {
			if x.Write() && x.Range.Table == at.Table && x.Range.Addr <= at.Addr &&
				at.Addr < x.Range.Addr+x.Range.Count &&
				x.At.After(e.at) {
				l.late++
				t.Errorf("%s was written %v after its caller was told: %v", e.what, x.At.Sub(e.at), e.err)
			}
		}
	}
	t.Logf("%d of %d calls failed", failed, len(ended))
}

func (l *lateWrites) stopped(ctx context.Context, t *testing.T) {
	l.way.Delay(30 * time.Millisecond)
	defer l.way.Delay(0)
	n, stoppedAt := l.house.powdrive.line.Journal().Last(), time.Now()
	l.signal(t, syscall.SIGSTOP)
	ended := l.set(ctx)
	_ = pause(ctx, time.Until(stoppedAt.Add(40*time.Second)))
	l.signal(t, syscall.SIGCONT)
	l.settle(ctx, t)
	for _, e := range ended {
		if e.err == nil {
			t.Errorf("%s is said to be written by a process that was stopped", e.what)
		}
	}
	l.check(t, n, ended)
}

func (l *lateWrites) signal(t *testing.T, signal syscall.Signal) {
	if err := l.house.process.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}

// play sets all numbers of a device that takes 2 s for each, disturbs that, and looks for writes that came too late.
func (l *lateWrites) play(ctx context.Context, t *testing.T, disturb func()) {
	slow := sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Late, Delay: 2 * time.Second}
	l.house.powdrive.line.Play(sim.NewScript(1, slow))
	defer l.house.powdrive.line.Play(nil)
	n := l.house.powdrive.line.Journal().Last()
	var disturbing sync.WaitGroup
	disturbing.Go(disturb)
	ended := l.set(ctx)
	disturbing.Wait()
	l.settle(ctx, t)
	l.check(t, n, ended)
}

// settle waits until the plugin is connected and its device answers, and a while longer for what might still come.
func (l *lateWrites) settle(ctx context.Context, t *testing.T) {
	t.Helper()
	var any string
	for _, id := range l.keys {
		any = id
	}
	l.home.until(ctx, 2*time.Minute, "the plugin is back", func() bool {
		return l.home.states(ctx)[any].State != "unavailable"
	})
	journal := l.house.powdrive.line.Journal()
	n := journal.Last()
	l.home.until(ctx, time.Minute, "the line is polled", func() bool { return journal.Last() > n+30 })
	_ = pause(ctx, 3*time.Second)
}
