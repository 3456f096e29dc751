package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/plugin/config"
	"solarhub/plugin/host"
)

// TestAReloadOfALineThatIsStuck: in a dial that never ends, and behind a device that does not answer.
func TestAReloadOfALineThatIsStuck(t *testing.T) {
	h := twoLines(t, ", timeout: 500ms")
	cfg := h.edit("name: One", "name: One")
	dialling := make(chan struct{}, 10)
	cfg.Lines[0].Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialling <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	h.run(cfg)
	<-dialling
	if got := h.reload("name: One", "name: Uno"); !strings.Contains(got, "name of Uno") {
		t.Errorf("it says %q", got)
	}
	h.waitFor(id("battery_grid_charge_soc"), "50")
	h.gate.close()
	if got := h.reload("name: Uno", "name: One"); !strings.Contains(got, "name of One") {
		t.Errorf("it says %q", got)
	}
	h.gate.open()
	h.set(chargeEnd, 33)
	h.wait("battery_grid_charge_soc", "33")
}

func TestReloadsAtOnceAndAtTheWrongTime(t *testing.T) {
	h := twoLines(t, "")
	good := h.edit("name: One", "name: One")
	p, err := New(good, Deps{Log: h.log, Version: "1.2.3", MaxWait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	early, cancel := context.WithTimeout(h.ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := p.takeOver(early, good); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the start: %v", err)
	}
	ctx, stop := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	var asking sync.WaitGroup
	for i := range 8 { // some of them before it runs
		cfg := h.edit("name: One", "name: One")
		cfg.Lines[0].Devices[0].Name = fmt.Sprint("number ", i)
		asking.Go(func() {
			if what, err := p.takeOver(ctx, cfg); err != nil || what.None() {
				t.Errorf("%v %v", what, err)
			}
		})
	}
	go func() { ended <- p.Run(ctx) }()
	asking.Wait()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := p.takeOver(h.ctx, good); !errors.Is(err, errNotRunning) {
		t.Errorf("after the end: %v", err)
	}
}

// TestAStopDuringAReload: what it waits for does not keep the plugin from stopping.
func TestAStopDuringAReload(t *testing.T) {
	h := twoLines(t, ", timeout: 500ms")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.gate.close()
	called := make(chan host.Result, 1)
	go func() { called <- h.plugin.hub.Call(h.ctx, chargeTo(50.0, "c1")) }()
	h.poll("the call waits for the line", func() bool { return len(h.ledger()) == 1 })
	reloading := make(chan error, 1)
	cfg := h.edit("name: One", "name: Uno")
	go func() {
		_, err := h.plugin.takeOver(h.ctx, cfg)
		reloading <- err
	}()
	h.poll("the reload holds further calls", func() bool {
		ctx, cancel := context.WithTimeout(h.ctx, time.Millisecond)
		defer cancel()
		r := h.plugin.hub.Call(ctx, chargeTo(40.0, "late"))
		return r.Err != nil && strings.Contains(r.Err.Reason(), "changed configuration")
	})
	var stopping sync.WaitGroup
	stopping.Go(h.halt)
	if err := <-reloading; !errors.Is(err, errNotRunning) {
		t.Errorf("the reload ends with %v", err)
	}
	h.gate.open()
	stopping.Wait()
	<-called
}

// TestManyReloads: they leave no goroutine, no descriptor and no memory behind.
func TestManyReloads(t *testing.T) {
	h := twoLines(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	defer cancel()
	h.ctx = ctx
	h.start()
	h.waitFor(secondNumber+"_battery_grid_charge_soc", "50")
	before := h.edit("name: One", "name: One")
	after := h.edit("slow: 100ms}, name: One}\n", "slow: 190ms}, name: One}\n"+third)
	held := func() (goroutines, files int, bytes uint64) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return runtime.NumGoroutine(), 0, m.HeapAlloc
		}
		return runtime.NumGoroutine(), len(open), m.HeapAlloc
	}
	change := func() {
		for _, cfg := range []config.Config{after, before} {
			if what, err := h.plugin.takeOver(h.ctx, cfg); err != nil || what.None() {
				t.Fatal(what, err)
			}
		}
	}
	for range 10 {
		change()
	}
	g, f, b := held()
	for range 100 {
		change()
	}
	h.set(chargeEnd, 44)
	h.wait("battery_grid_charge_soc", "44")
	h.poll("what belongs to former lines is gone", func() bool {
		g2, f2, _ := held()
		return g2 <= g+5 && f2 <= f+5
	})
	_, _, b2 := held()
	t.Logf("goroutines, files and bytes before: %d, %d, %d; bytes after: %d", g, f, b, b2)
	if b2 > b+4<<20 {
		t.Errorf("200 reloads keep %d bytes", b2-b)
	}
}
