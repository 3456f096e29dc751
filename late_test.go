package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"solarhub/protocol/sim"
)

// TestEndToEndLate proves that nothing is written after its caller was told that it failed: when the process was
// stopped with a call in its socket, and when the way to or from the host stalls while a slow device works through many
// calls. LATE=all stalls it for 1 to 15 s.
func TestEndToEndLate(t *testing.T) {
	h := nameHome(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	way := newWay(t, strings.TrimPrefix(h.url, "http://"))
	through := &home{t: t, url: "http://" + way.address, token: h.token, config: h.config}
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
	t.Run("stopped for 40 s", func(t *testing.T) { l.stopped(ctx, t) })
	stalls := []time.Duration{9300 * time.Millisecond}
	if os.Getenv("LATE") != "" {
		stalls = []time.Duration{1e9, 2e9, 4e9, 6e9, 8e9, 9e9, 9.5e9, 10e9, 11e9, 12e9, 13e9, 15e9}
	}
	for _, stall := range stalls {
		for direction, name := range []string{"to the plugin", "to the host"} {
			t.Run(fmt.Sprintf("%v %s", stall, name), func(t *testing.T) { l.stalled(ctx, t, direction, stall) })
		}
	}
}

// lateWrites looks for writes that come after their callers were told.
type lateWrites struct {
	t     *testing.T
	home  *home
	house *house
	way   *way
	keys  map[string]string // entity ids in the host by key, of numbers that the owner may set
}

// find waits for the plugin, and picks eighteen numbers of the slow inverter.
func (l *lateWrites) find(ctx context.Context) {
	l.keys = map[string]string{}
	l.home.until(ctx, time.Minute, "eighteen numbers with a state", func() bool {
		ids, _ := l.home.registered(ctx)
		states := l.home.states(ctx)
		for _, p := range l.house.powdrive.points() {
			id := ids[l.house.powdrive.serial+"_"+p.Key]
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
				t.Errorf("%s was written %v after its caller was told: %v", e.what, x.At.Sub(e.at), e.err)
			}
		}
	}
	t.Logf("%d of %d calls failed", failed, len(ended))
}

func (l *lateWrites) stopped(ctx context.Context, t *testing.T) {
	l.way.delay(30 * time.Millisecond)
	defer l.way.delay(0)
	process := l.house.process.Process
	n, stoppedAt := l.house.powdrive.line.Journal().Last(), time.Now()
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ended := l.set(ctx)
	_ = pause(ctx, time.Until(stoppedAt.Add(40*time.Second)))
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	l.settle(ctx, t)
	for _, e := range ended {
		if e.err == nil {
			t.Errorf("%s is said to be written by a process that was stopped", e.what)
		}
	}
	l.check(t, n, ended)
}

func (l *lateWrites) stalled(ctx context.Context, t *testing.T, direction int, stall time.Duration) {
	slow := sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Late, Delay: 2 * time.Second}
	l.house.powdrive.line.Play(sim.NewScript(1, slow))
	defer l.house.powdrive.line.Play(nil)
	n := l.house.powdrive.line.Journal().Last()
	l.way.hold(direction, stall)
	ended := l.set(ctx)
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

// way is the way between the plugin and the host: a proxy whose directions can be slow and can stall.
type way struct {
	address string

	mu    sync.Mutex
	slow  time.Duration
	until [2]time.Time // nothing passes before that; to the plugin, to the host
}

// newWay opens a proxy to an address, which ends with the test.
func newWay(t *testing.T, target string) *way {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{address: listener.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			running.Go(func() { w.pass(near, far, 0) })
			running.Go(func() { w.pass(far, near, 1) })
		}
	})
	t.Cleanup(func() { listener.Close() })
	return w
}

// pass copies one direction until either end closes, and then closes both.
func (w *way) pass(to, from net.Conn, direction int) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		wait := max(w.slow, time.Until(w.until[direction]))
		w.mu.Unlock()
		time.Sleep(wait)
		if _, err := io.Copy(to, strings.NewReader(string(buffer[:n]))); err != nil {
			return
		}
	}
}

func (w *way) delay(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow = d
}

func (w *way) hold(direction int, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until[direction] = time.Now().Add(d)
}
