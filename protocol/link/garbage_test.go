package link

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

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
		link    func(by DialFunc) protocol.Link
	}{
		{"TCP, noise", noise, func(by DialFunc) protocol.Link { return NewTCP(TCPConfig{Address: "a:502", Dial: by}) }},
		{"TCP, replies", frames, func(by DialFunc) protocol.Link {
			return NewTCP(TCPConfig{Address: "a:502",
				Dial: by})
		}},
		{"TCP by shape, replies", frames, func(by DialFunc) protocol.Link {
			return NewTCP(TCPConfig{Address: "a:502", Dial: by,
				Quirks: protocol.Quirks{Transactions: protocol.ShapeTransactions}})
		}},
		{"RTU over TCP, noise", noise, func(by DialFunc) protocol.Link {
			return NewRTUOverTCP(RTUOverTCPConfig{Address: "a:4196", Dial: by})
		}},
		{"RTU over TCP, frames", slices.Repeat(rtu(9, 3, 2, 0, 0), 80), func(by DialFunc) protocol.Link {
			return NewRTUOverTCP(RTUOverTCPConfig{Address: "a:4196", Dial: by})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				by, dials, wait := floodOf(tt.garbage)
				bus := protocol.NewBus(tt.link(by), protocol.BusOptions{})
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
