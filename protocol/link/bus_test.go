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
		if _, err := b.Do(brief, protocol.Request{Unit: 1, Op: protocol.WriteSingle, Range: protocol.Range{Count: 1}, Words: []uint16{1}}); !errors.Is(err, context.DeadlineExceeded) {
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
