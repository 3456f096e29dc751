package link

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// A poll that comes while the line is being opened is served, and an impatient caller is not held up by it.
func TestBusCallerLeavesWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewTCP(TCPConfig{Address: "far:502", Dial: slowDial})
		b := protocol.NewBus(l, protocol.BusOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		begun := time.Now()
		brief, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		if _, err := b.Do(brief, protocol.Request{Unit: 1, Op: protocol.WriteSingle, Range: protocol.Range{Count: 1},
			Words: []uint16{1}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(begun); took != 100*time.Millisecond {
			t.Errorf("held up for %v", took)
		}
		cancel()
		if err := <-done; err != nil || time.Since(begun) > time.Second {
			t.Errorf("Run ended %v after the beginning: %v", time.Since(begun), err)
		}
	})
}

// A peer that hangs up during the silence before a request costs a new connection, and the request goes out on that.
func TestBusHangUpDuringTheSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var far net.Conn
		dials := 0
		var running sync.WaitGroup
		dial := func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			mu.Lock()
			far = there
			dials++
			mu.Unlock()
			running.Go(func() {
				p := &peer{conn: there, size: tcpSize, script: func(_ int, adu []byte) []part {
					return after(10*time.Millisecond, tcpReplyTo(adu))
				}}
				p.serve()
			})
			return here, nil
		}
		quirks := protocol.Quirks{ConnectDelay: 300 * time.Millisecond}
		l := NewTCP(TCPConfig{Address: "x:502", Dial: dial, Gap: 850 * time.Millisecond, Quirks: quirks})
		b := protocol.NewBus(l, protocol.BusOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		running.Go(func() { _ = b.Run(ctx) })
		hangUp := func(after time.Duration) {
			running.Go(func() {
				time.Sleep(after)
				mu.Lock()
				far.Close()
				mu.Unlock()
			})
		}
		write := writeOf(5, 1)
		write.Priority, write.Deadline = protocol.PriorityWrite, time.Now().Add(30*time.Second)
		hangUp(100 * time.Millisecond) // behind the opening
		if _, err := b.Do(ctx, write); err != nil {
			t.Errorf("a write with 30 s to go: %v", err)
		}
		hangUp(100 * time.Millisecond) // behind the reply
		if _, err := b.Do(ctx, write); err != nil {
			t.Errorf("a write with 30 s to go: %v", err)
		}
		if dials != 3 {
			t.Errorf("dialled %d times", dials)
		}
		cancel()
		running.Wait()
	})
}

// floodOf returns a DialFunc whose peers send the same for ever, whatever they are asked, and counts how often it was
// called.
func floodOf(garbage []byte) (by DialFunc, dials *atomic.Int64, wait func()) {
	dials = new(atomic.Int64)
	var running sync.WaitGroup
	by = func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		near, far := net.Pipe()
		running.Go(func() { _, _ = far.Read(make([]byte, 512)); far.Close() })
		running.Go(func() {
			for {
				if _, err := far.Write(garbage); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
		return near, nil
	}
	return by, dials, running.Wait
}

// A server that sends garbage for ever is backed off, however often it is asked: a dial a minute in the end.
func TestGarbageIsBackedOff(t *testing.T) {
	noise := slices.Repeat([]byte{0xA5, 1, 3, 250}, 250)
	frames := slices.Repeat(tcpFrame(9, 1, 3, 2, 0, 0), 80)
	for _, tt := range []struct {
		name    string
		garbage []byte
		f       framing
	}{
		{"TCP, noise", noise, tcpFraming}, {"TCP, replies", frames, tcpFraming},
		{"TCP by shape, replies", frames, alwaysZero}, {"RTU, noise", noise, rtuFraming},
		{"RTU, frames", slices.Repeat(rtu(9, 3, 2, 0, 0), 80), rtuFraming}, {"Solarman, noise", noise, solarmanFraming},
		{"Solarman, heartbeats", slices.Repeat(unhex(heartbeat), 80), solarmanFraming},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				by, dials, wait := floodOf(tt.garbage)
				bus := protocol.NewBus(tt.f.link(by, protocol.Quirks{}, 0), protocol.BusOptions{})
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				running.Go(func() { _ = bus.Run(ctx) })
				for begun := time.Now(); time.Since(begun) < 20*time.Minute; {
					if _, err := bus.Do(ctx, protocol.Request{Unit: 1, Range: protocol.Range{Count: 10},
						Priority: protocol.PriorityPoll}); err == nil {
						t.Error("garbage was taken for a reply")
					}
					time.Sleep(2 * time.Second)
				}
				cancel()
				running.Wait()
				wait()
				if n := dials.Load(); n > 35 {
					t.Errorf("dialled %d times in 20 minutes", n)
				}
			})
		})
	}
}
