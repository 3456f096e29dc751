package link

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// tcpRow is a line of the table of reads over TCP.
type tcpRow struct {
	name      string
	perSecond float64 // requests, the best of all rounds
	allocs    float64 // for a request, the fewest of all rounds
	bytes     float64
}

// BenchmarkTCPRead measures a read of 100 registers over loopback, one after another: by the link, through a bus, and
// by stock goburrow, by turns. Each peer ends with a table. A device is never in our process; where it is, one thread
// serves both ends by turns, and a request that changes goroutine wakes up a second one.
func BenchmarkTCPRead(b *testing.B) {
	b.Run("peer in a process of its own", func(b *testing.B) { benchmarkTCP(b, peerProcess(b)) })
	b.Run("peer in this process", func(b *testing.B) { benchmarkTCP(b, serveTCP(b)) })
}

func benchmarkTCP(b *testing.B, address string) {
	clients := []struct {
		name string
		read func(b *testing.B, address string) (read func() error, end func())
	}{{"link", tcpByLink}, {"bus", tcpByBus}, {"goburrow", tcpByGoburrow}}
	rows := make([]tcpRow, len(clients))
	for range 6 {
		for i, c := range clients {
			b.Run(c.name, func(b *testing.B) {
				read, end := c.read(b, address)
				defer end()
				rows[i] = rows[i].better(measureTCP(b, c.name, read))
			})
		}
	}
	if slices.ContainsFunc(rows, func(r tcpRow) bool { return r.name == "" }) {
		return // asked for some of them only
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\n%s\trequests/s\tof goburrow\tallocs/request\tB/request\t\n", b.Name())
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%.0f\t\n", r.name, r.perSecond, r.perSecond/rows[len(rows)-1].perSecond,
			r.allocs, r.bytes)
	}
	w.Flush()
}

func (r tcpRow) better(o tcpRow) tcpRow {
	if r.name == "" {
		return o
	}
	return tcpRow{r.name, max(r.perSecond, o.perSecond), min(r.allocs, o.allocs), min(r.bytes, o.bytes)}
}

func measureTCP(b *testing.B, name string, read func() error) tcpRow {
	var before, behind runtime.MemStats
	if err := read(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	runtime.ReadMemStats(&before)
	begun, n := time.Now(), 0
	for b.Loop() {
		if err := read(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	took := time.Since(begun)
	runtime.ReadMemStats(&behind)
	b.ReportMetric(float64(n)/took.Seconds(), "requests/s")
	per := func(before, behind uint64) float64 { return float64(behind-before) / float64(n) }
	return tcpRow{name, float64(n) / took.Seconds(), per(before.Mallocs, behind.Mallocs),
		per(before.TotalAlloc, behind.TotalAlloc)}
}

func tcpByLink(b *testing.B, address string) (read func() error, end func()) {
	l := NewTCP(TCPConfig{Address: address})
	if _, err := l.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	return func() error {
		_, err := l.Exchange(b.Context(), readOf(0, 100))
		return err
	}, func() { l.Close() }
}

func tcpByBus(b *testing.B, address string) (read func() error, end func()) {
	bus := protocol.NewBus(NewTCP(TCPConfig{Address: address}), protocol.BusOptions{})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = bus.Run(ctx) })
	return func() error {
			_, err := bus.Do(ctx, readOf(0, 100))
			return err
		}, func() {
			cancel()
			running.Wait()
		}
}

func tcpByGoburrow(_ *testing.B, address string) (read func() error, end func()) {
	h := modbus.NewTCPClientHandler(address)
	h.SlaveId, h.Timeout = 1, time.Second
	client := modbus.NewClient(h)
	return func() error {
		_, err := client.ReadHoldingRegisters(0, 100)
		return err
	}, func() { h.Close() }
}

// peerEnv has the test binary be the peer of a benchmark.
const peerEnv = "BENCHMARK_PEER"

// TestBenchmarkPeer serves until its input ends.
func TestBenchmarkPeer(t *testing.T) {
	if os.Getenv(peerEnv) == "" {
		t.Skip("is the other process of a benchmark")
	}
	fmt.Println("address", serveTCP(t))
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// peerProcess starts a process that serves, and returns its address.
func peerProcess(b *testing.B) string {
	peer := exec.Command(os.Args[0], "-test.run=^TestBenchmarkPeer$")
	peer.Env = append(os.Environ(), peerEnv+"=1")
	in, err1 := peer.StdinPipe()
	out, err2 := peer.StdoutPipe()
	if err := cmp.Or(err1, err2, peer.Start()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = peer.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "address "); ok {
			return address
		}
	}
	b.Fatal("the peer says no address")
	return ""
}

// serveTCP answers every request of 100 registers with the same words, at the cost of one read and one write.
func serveTCP(b testing.TB) string {
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
