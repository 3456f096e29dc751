package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// fleetRegisters is how many registers each device of the fleet has, read in one request.
const fleetRegisters = 100

// BenchmarkFleet polls many devices over Modbus TCP on loopback, each on a connection of its own, for b.N intervals:
// 100 registers of 64 devices each second, and of 1,000 every ten seconds. The simulated devices are another process,
// so CPU and memory are those of the polling side: links, buses, devices, readings. A poll is on time if it begins
// within a tenth of the interval of when it should.
func BenchmarkFleet(b *testing.B) {
	if testing.Short() {
		b.Skip("takes seconds")
	}
	for _, f := range []struct {
		devices int
		every   time.Duration
	}{{64, time.Second}, {1000, 10 * time.Second}} {
		b.Run(fmt.Sprintf("%d/every=%v", f.devices, f.every), func(b *testing.B) { pollFleet(b, f.devices, f.every) })
	}
}

func pollFleet(b *testing.B, n int, every time.Duration) {
	address := serveFleet(b)
	p, err := profile.Load("fleet.yaml", []byte(fleetProfile()))
	if err != nil {
		b.Fatal(err)
	}
	before := usage()
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	sinks := make([]*punctual, n)
	for i := range sinks {
		sinks[i] = &punctual{every: every}
		bus := protocol.NewBus(link.NewTCP(link.TCPConfig{Address: address}), protocol.BusOptions{})
		d := devices.New(devices.Config{Profile: p, Unit: 1, Line: p.Line,
			Intervals: map[profile.Interval]time.Duration{profile.Now: every}},
			bus, sinks[i], zerolog.Nop())
		running.Go(func() { _ = bus.Run(ctx) })
		running.Go(func() { _ = d.Run(ctx) })
	}
	for _, s := range sinks { // until each has been polled once
		for s.polls.Load() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	begun, cpu := time.Now(), cpuTime()
	b.ResetTimer()
	time.Sleep(time.Duration(b.N)*every + every/2)
	b.StopTimer()
	took, busy := time.Since(begun), cpuTime()-cpu
	after := usage()
	var polls, late, worst int64
	for _, s := range sinks {
		s.mu.Lock()
		polls, late, worst = polls+s.counted, late+s.late, max(worst, int64(s.worst))
		s.mu.Unlock()
	}
	if polls < int64(n*b.N) {
		late += int64(n*b.N) - polls
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(polls), "polls")
	b.ReportMetric(100-100*float64(late)/float64(max(polls, int64(n*b.N))), "%on-time")
	b.ReportMetric(float64(worst)/1e6, "worst-ms")
	b.ReportMetric(100*busy.Seconds()/took.Seconds(), "%CPU")
	b.ReportMetric(float64(after.memory-before.memory)/1024/float64(n), "KiB/device")
	b.ReportMetric(float64(after.resident)/1024/1024, "MiB-resident")
	b.ReportMetric(float64(after.goroutines-before.goroutines)/float64(n), "goroutines/device")
}

// used is what the process uses.
type used struct {
	memory     uint64 // heap and stacks in use, behind a collection
	resident   int64  // as the system counts it; 0 where it does not say
	goroutines int
}

func usage() (u used) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u = used{memory: m.HeapInuse + m.StackInuse, goroutines: runtime.NumGoroutine()}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, pages int64
		_, _ = fmt.Sscan(string(statm), &size, &pages)
		u.resident = pages * int64(os.Getpagesize())
	}
	return u
}

// cpuTime is what the process has used so far, of all cores.
func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// punctual is a sink that looks at the clock.
type punctual struct {
	every time.Duration
	polls atomic.Int64

	mu            sync.Mutex
	last          time.Time
	counted, late int64
	worst         time.Duration // of what came late
}

func (s *punctual) Readings(_ context.Context, _ *devices.Device, readings []devices.Reading) {
	i := slices.IndexFunc(readings, func(r devices.Reading) bool { return r.Key == "r0" })
	if i < 0 {
		return
	}
	s.polls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := readings[i].ReadAt
	if !s.last.IsZero() {
		s.counted++
		late := begun.Sub(s.last) - s.every
		s.worst = max(s.worst, late)
		if late > s.every/10 {
			s.late++
		}
	}
	s.last = begun
}

func (s *punctual) Status(context.Context, *devices.Device, devices.Status)   {}
func (s *punctual) Changed(context.Context, *devices.Device, devices.Changed) {}

func fleetProfile() string {
	var y strings.Builder
	y.WriteString(`
profile: fleet
name: Fleet
manufacturer: House
sources: {maker: "The maker's paper"}
line: {unit: 1, source: maker}
identify:
  serial: {at: 1000, type: text, length: 5}
  source: maker
points:
`)
	for i := range fleetRegisters {
		fmt.Fprintf(&y, "  - {key: r%d, name: Register %d, at: %d, type: u16, every: now, show: true, source: maker}\n",
			i, i, i)
	}
	return y.String()
}

// serveFleet starts this test binary once more, as the devices, and returns where they are.
func serveFleet(b *testing.B) (address string) {
	c := exec.Command(os.Args[0], "-test.run=^TestFleetServer$")
	c.Env = append(os.Environ(), "FLEET_SERVER=1")
	stop, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stop.Close()
		_ = c.Wait()
	})
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// TestFleetServer is the other process of BenchmarkFleet: it serves until its standard input ends.
func TestFleetServer(t *testing.T) {
	if os.Getenv("FLEET_SERVER") == "" {
		t.Skip("this is the other process of BenchmarkFleet")
	}
	unit := sim.NewUnit(1)
	for i := range uint16(fleetRegisters) {
		unit.Set(protocol.HoldingRegister, i, i)
	}
	unit.Set(protocol.HoldingRegister, 1000, 0x464C, 0x4545, 0x5431, 0x3233, 0x3435)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(ln.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := sim.NewLine(sim.Options{Keep: 1}, unit).ServeTCP(ctx, ln); err != nil {
		t.Error(err)
	}
}
