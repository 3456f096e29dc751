package sim

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"solarhub/protocol"
)

// BenchmarkPacedPTY measures how much later than the wire would have it the last byte of a reply is with a client that
// waits for it in a read. Run it with -benchtime 50x on an idle machine.
func BenchmarkPacedPTY(b *testing.B) {
	for _, serial := range []protocol.Serial{serial9600, {Baud: 19200, DataBits: 8, StopBits: 1},
		{Baud: 115200, DataBits: 8, StopBits: 1}} {
		for _, count := range []uint16{1, 100} {
			b.Run(serial.String()+"/"+holding(0, count).String(), func(b *testing.B) {
				const turnaround = 20 * time.Millisecond
				line := NewLine(Options{Serial: &serial, Turnaround: turnaround}, newUnit(1))
				p := openPTY(b, "")
				untilEnd(b, func(ctx context.Context) error { return line.ServePTY(ctx, p) })
				port := openPort(b, p.Path())
				if err := port.SetReadDeadline(time.Time{}); err != nil {
					b.Fatal(err)
				}
				request, reply := rtu(1, pdu(3, 0, count)...), make([]byte, 5+2*count)
				wire := serial.Chars(8) + serial.Silence() + turnaround + serial.Chars(len(reply))
				var over []time.Duration
				for b.Loop() {
					begun := time.Now()
					if _, err := port.Write(request); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(port, reply); err != nil {
						b.Fatal(err)
					}
					over = append(over, time.Since(begun)-wire)
					time.Sleep(2 * serial.Silence())
				}
				slices.Sort(over)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(over[len(over)/2].Microseconds()), "µs-over-p50")
				b.ReportMetric(float64(over[len(over)-1].Microseconds()), "µs-over-max")
			})
		}
	}
}

// BenchmarkTCP measures a read of 100 registers over loopback.
func BenchmarkTCP(b *testing.B) {
	c := dial(b, listen(b, NewLine(Options{}, newUnit(1)).ServeTCP)).(*net.TCPConn)
	if err := c.SetDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	request, reply := tcp(1, 1, pdu(3, 0, 100)...), make([]byte, 209)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, reply); err != nil {
			b.Fatal(err)
		}
	}
}
