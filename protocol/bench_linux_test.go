package protocol

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goburrow/modbus"
)

// BenchmarkRTURead measures the cycle of a read on a paced pty, from one request to the next, beside the limit that the wire sets.
// One device below runs with each client in turn. Run it with -benchtime 20x: a cycle takes up to a quarter of a second.
func BenchmarkRTURead(b *testing.B) {
	if testing.Short() {
		b.Skip("takes seconds")
	}
	for _, count := range []uint16{1, 10, 100} {
		for _, pause := range []time.Duration{0, 20 * time.Millisecond} {
			name := fmt.Sprintf("%d/T=%v", count, pause)
			b.Run(name+"/ours", func(b *testing.B) {
				p := newPaced(b, DefaultSerial, pause)
				l := NewRTU(RTUConfig{Path: p.path})
				defer l.Close()
				if _, err := l.Open(b.Context()); err != nil {
					b.Fatal(err)
				}
				cycles(b, p, count, func() error {
					_, err := l.Exchange(b.Context(), readOf(0, count))
					return err
				})
			})
			b.Run(name+"/goburrow", func(b *testing.B) {
				p := newPaced(b, DefaultSerial, pause)
				h := modbus.NewRTUClientHandler(p.path)
				h.BaudRate, h.DataBits, h.Parity, h.StopBits = 9600, 8, "N", 1
				h.SlaveId, h.Timeout = 1, time.Second
				defer h.Close()
				client := modbus.NewClient(h)
				cycles(b, p, count, func() error {
					_, err := client.ReadHoldingRegisters(0, count)
					return err
				})
			})
		}
	}
}

// cycles reports the median time from the beginning of one read to the beginning of the next, and how often the line was not
// silent for t3.5 between them.
func cycles(b *testing.B, p *paced, count uint16, read func() error) {
	var took []time.Duration
	if err := read(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		begun := time.Now()
		if err := read(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	limit := Timing{Serial: &p.serial, Turnaround: p.pause}.Exchange(Read, Range{Count: count})
	slices.Sort(took)
	median := took[len(took)/2]
	p.mu.Lock()
	defer p.mu.Unlock()
	short := 0
	for _, gap := range p.gaps {
		if gap < p.serial.Silence() {
			short++
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median.Microseconds())/1000, "ms/cycle")
	b.ReportMetric(float64(median)/float64(limit), "x-limit")
	b.ReportMetric(float64((median-limit).Microseconds())/1000, "ms-over")
	b.ReportMetric(float64(short)/float64(len(p.gaps))*100, "%gaps-too-short")
}

// BenchmarkWriteWait measures how long a write waits for its first byte on a line that is polled flat out in blocks of 40, at random
// moments. A poll takes 124 ms, 20 ms of them in the device.
func BenchmarkWriteWait(b *testing.B) {
	if testing.Short() {
		b.Skip("takes seconds")
	}
	p := newPaced(b, DefaultSerial, 20*time.Millisecond)
	bus := NewBus(NewRTU(RTUConfig{Path: p.path}), BusOptions{})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = bus.Run(ctx) })
	running.Go(func() {
		for ctx.Err() == nil {
			_, _ = bus.Do(ctx, Request{Unit: 1, Range: Range{Count: 40}, Priority: PriorityPoll})
		}
	})
	r := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		time.Sleep(time.Duration(100+r.IntN(300)) * time.Millisecond)
		if _, err := bus.Do(ctx, writeOf(108, 50)); err != nil {
			b.Fatal(err)
		}
	}
	wait := bus.Stats().WriteWait
	cancel()
	running.Wait()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(wait.P50.Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(wait.P95.Microseconds())/1000, "ms-p95")
	b.ReportMetric(float64(wait.Max.Microseconds())/1000, "ms-max")
}

// BenchmarkTCPRead measures a read of 100 registers over loopback.
func BenchmarkTCPRead(b *testing.B) {
	address := serveTCP(b)
	b.Run("ours", func(b *testing.B) {
		l := NewTCP(TCPConfig{Address: address})
		defer l.Close()
		if _, err := l.Open(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.Exchange(b.Context(), readOf(0, 100)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bus", func(b *testing.B) {
		bus := NewBus(NewTCP(TCPConfig{Address: address}), BusOptions{})
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error)
		go func() { done <- bus.Run(ctx) }()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bus.Do(ctx, readOf(0, 100)); err != nil {
				b.Fatal(err)
			}
		}
		cancel()
		<-done
	})
	b.Run("goburrow", func(b *testing.B) {
		h := modbus.NewTCPClientHandler(address)
		h.SlaveId, h.Timeout = 1, time.Second
		defer h.Close()
		client := modbus.NewClient(h)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.ReadHoldingRegisters(0, 100); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// serveTCP answers every request of 100 registers with the same words, at the cost of one read and one write.
func serveTCP(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 300)
				reply := tcpFrame(0, 1, pdu([]byte{3, 0, 0, 0, 100})...)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					copy(reply, buf[:2])
					if _, err := c.Write(reply); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}
