package link

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// Callers side by side, on an idle line and a busy one: the link is never used by two.
func TestBusOneAtATime(t *testing.T) {
	var requests atomic.Int64
	address := listen(t, func(_ int, c *net.TCPConn) {
		buf := make([]byte, 300)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if n != 12 {
				t.Errorf("% x is not one request", buf[:n])
			}
			requests.Add(1)
			_, _ = c.Write(tcpReplyTo(buf[:n]))
		}
	})
	b := protocol.NewBus(NewTCP(TCPConfig{Address: address}), protocol.BusOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	var running, calling sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	for range 4 {
		calling.Go(func() {
			for i := range uint16(200) {
				if _, err := b.Do(ctx, readOf(0, 1+i%9)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calling.Wait()
	cancel()
	running.Wait()
	if s := b.Stats(); s.Replies != 800 || requests.Load() != 800 || s.Frames != (protocol.Frames{}) {
		t.Errorf("%d requests, %+v", requests.Load(), s)
	}
}

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
