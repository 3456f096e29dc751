package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// inverter is a simulated inverter on a line of its own.
type inverter struct {
	serial  string // its device id
	profile *profile.Profile
	variant string
	unit    *sim.Unit
	line    *sim.Line
	pty     *sim.PTY // nil on TCP
	address string
}

// house is the end-to-end test's house: two inverters, and the real binary between them and Home Assistant.
type house struct {
	t        *testing.T
	binary   string
	config   string
	powdrive inverter // a low-voltage one, RTU on a pty that keeps the time of 9600 8N1
	senergy  inverter // Modbus TCP

	process *exec.Cmd
	log     *logBuffer
}

// buildHouse builds the binary, and the inverters with their lines. Each house has serial numbers of its own: Home
// Assistant remembers which devices of an earlier one were deleted, and rightly keeps them deleted.
func buildHouse(ctx context.Context, t *testing.T, h *home) *house {
	t.Helper()
	b, dir := newHouse(ctx, t)
	serial := protocol.DefaultSerial
	pty, err := sim.OpenPTY(filepath.Join(dir, "rs485"))
	if err != nil {
		t.Fatal(err)
	}
	stamp := fmt.Sprintf("%08d", time.Now().UnixMilli()/100%1e8)
	b.powdrive = newInverter(t, "powdrive", "lv", "23"+stamp, sim.Options{Serial: &serial,
		Turnaround: 20 * time.Millisecond, Keep: 200_000})
	b.powdrive.pty, b.powdrive.address = pty, pty.Path()
	serve(t, func(ctx context.Context) error { return b.powdrive.line.ServePTY(ctx, pty, sim.RTU) })
	b.senergy = newInverter(t, "senergy", "single", "1234-1"+stamp, sim.Options{Turnaround: 5 * time.Millisecond,
		Keep: 200_000})
	b.senergy.address = b.senergy.serveTCP(t)
	b.configure(h, dir)
	return b
}

// newHouse builds the binary for a house that has no inverters and no configuration yet, in a folder of its own.
func newHouse(ctx context.Context, t *testing.T) (b *house, dir string) {
	t.Helper()
	dir = t.TempDir()
	b = &house{t: t, binary: filepath.Join(dir, "solarhub"), config: filepath.Join(dir, "solarhub.yaml")}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return b, dir
}

// serveTCP runs the inverter's line as a Modbus TCP server until the test ends, and returns its address.
func (i inverter) serveTCP(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, func(ctx context.Context) error { return i.line.ServeTCP(ctx, listener) })
	return listener.Addr().String()
}

func newInverter(t *testing.T, id, variant, serial string, options sim.Options) inverter {
	t.Helper()
	p, err := profile.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	traits, err := p.NamedTraits(variant)
	if err != nil {
		t.Fatal(err)
	}
	unit, err := simulate.Unit(p, traits, serial)
	if err != nil {
		t.Fatal(err)
	}
	return inverter{serial: serial, profile: p, variant: variant, unit: unit, line: sim.NewLine(options, unit)}
}

// serve runs a simulated line until the test ends.
func serve(t *testing.T, run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("simulated line: %v", err)
		}
	})
}

// configure writes the configuration: the Powdrive is polled flat out, in blocks of 40, without a gap beyond t3.5.
func (b *house) configure(h *home, dir string) {
	b.t.Helper()
	text := fmt.Sprintf(`host:
  url: %s
  token_env: HASS_TOKEN
name: end-to-end
data: %s
lines:
  - serial: %s
    baud: 9600
    devices:
      - profile: powdrive
        name: Powdrive
        gap: 0ms
        settle: 0ms
        max_registers: 40
        poll: {now: 100ms, normal: 100ms, slow: 100ms}
  - tcp: %s
    devices:
      - profile: senergy
        name: Senergy
        gap: 0ms
        settle: 0ms
        poll: {now: 1s, normal: 5s, slow: 1m}
`, h.url, filepath.Join(dir, "data"), b.powdrive.address, b.senergy.address)
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// reconfigure changes a part of the configuration.
func (b *house) reconfigure(old, now string) {
	b.t.Helper()
	data, err := os.ReadFile(b.config)
	if err != nil || !strings.Contains(string(data), old) {
		b.t.Fatalf("%q is not in the configuration: %v", old, err)
	}
	if err := os.WriteFile(b.config, []byte(strings.Replace(string(data), old, now, 1)), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// run starts the real binary.
func (b *house) run(ctx context.Context, h *home) {
	b.t.Helper()
	b.log = &logBuffer{}
	b.process = exec.CommandContext(context.WithoutCancel(ctx), b.binary, "run", "--config", b.config, "--log-format",
		"json", "--log-level", "debug")
	b.process.Env = append(os.Environ(), "HASS_TOKEN="+h.token)
	b.process.Stdout, b.process.Stderr = b.log, b.log
	if err := b.process.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { b.end(syscall.SIGTERM) })
}

// end stops the binary with a signal and waits for it.
func (b *house) end(signal syscall.Signal) {
	if b.process == nil {
		return
	}
	_ = b.process.Process.Signal(signal)
	if err := b.process.Wait(); err != nil && signal == syscall.SIGTERM {
		b.t.Errorf("solarhub run ended with %v\n%s", err, b.log)
	}
	b.process = nil
	if b.t.Failed() {
		b.t.Logf("log of solarhub run, its end:\n%s", b.log)
	}
}

// resident returns the resident memory of the binary in MB.
func (b *house) resident() float64 {
	b.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.process.Process.Pid))
	if err != nil {
		b.t.Logf("resident memory is not known here: %v", err)
		return 0
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	kilobytes, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kilobytes / 1024
}

// logBuffer keeps the end of a log. The token must never be in it.
type logBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *logBuffer) contains(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.text, []byte(text))
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text[max(0, len(l.text)-6000):])
}

// entities returns what the host must show of an inverter.
func (i inverter) entities() []devices.Entity {
	return devices.EntitiesOf(i.serial, i.points())
}

func (i inverter) points() []profile.Point {
	points, err := i.profile.ResolveNamed(i.variant)
	if err != nil {
		panic(err) // newInverter has resolved it before
	}
	return points
}

// register returns the first word of a point as the inverter holds it.
func (i inverter) register(key string) uint16 {
	for _, p := range i.points() {
		if p.Key == key {
			words, _ := i.unit.Get(p.Ranges[0].Table, p.Ranges[0].Addr, 1)
			return words[0]
		}
	}
	panic("no point " + key)
}

// writesOf returns the writes of a point behind journal entry n.
func (i inverter) writesOf(key string, n uint64) []sim.Exchange {
	at := i.at(key)
	return slices.DeleteFunc(i.line.Journal().Since(n), func(x sim.Exchange) bool {
		return !x.Write() || x.Range.Addr != at.Addr
	})
}

// at returns where a point is.
func (i inverter) at(key string) protocol.Range {
	for _, p := range i.points() {
		if p.Key == key {
			return p.Ranges[0]
		}
	}
	panic("no point " + key)
}
