package devices

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

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// houseProfile has one point of each kind that the package treats differently.
const houseProfile = `
profile: house
name: House inverter
manufacturer: House
sources: {maker: "The maker's paper"}
line: {unit: 1, turnaround: 5ms, max_registers: 40, source: maker}
identify:
  serial: {at: 3, type: text, length: 5}
  version: {at: 2, type: u16}
  source: maker
traits:
  kind: {at: 0, values: {lv: 5, hv: 6}}
parts: {battery: Battery}
defaults: {write: multiple}
points:
  - {key: power, name: Power, at: 100, type: s16, unit: W, class: power, every: now, show: true, source: maker}
  - {key: status, name: Status, at: 101, type: u16, options: {0: Standby, 1: Normal}, every: normal, show: true,
     source: maker}
  - {key: energy_today, name: Energy today, at: 110, type: u16, scale: 0.1, unit: kWh, class: energy,
     every: slow, show: true, source: maker}
  - {key: rated_power, name: Rated power, at: 20, type: u16, unit: W, class: power, every: once, show: true,
     source: maker}
  - {key: hidden, name: Hidden, at: 120, type: u16, every: now, source: maker}
  - {key: current_max, name: Maximum current, part: battery, at: 200, type: u16, unit: A, class: current, every: slow,
     show: true, write: {min: 0, max: 185}, source: maker}
  - {key: voltage_max, name: Maximum voltage, part: battery, at: 201, type: u16, scale: {lv: 0.01, hv: 0.1},
     unit: V, class: voltage, every: slow, show: true,
     write: {min: {lv: 41, hv: 160}, max: {lv: 60, hv: 700}}, source: maker}
  - {key: limit, name: Power limit, at: 202, type: s32, unit: W, class: power, every: slow, show: true,
     write: {min: -5000, max: 80000, step: 100}, source: maker}
  - {key: mode, name: Mode, at: 204, type: u16, options: {0: Selling first, 1: Own use first}, every: slow,
     show: true, write: {}, source: maker}
  - {key: charging, name: Grid charging, at: 205, type: u16, mask: 0x0001, bool: {on: 1, off: 0}, every: slow,
     show: true, write: {}, source: maker}
  - {key: peak_shaving, name: Peak shaving, at: 205, type: u16, mask: 0x0030, bool: {on: 3, off: 2}, every: slow,
     show: true, write: {}, source: maker}
  - {key: window_start, name: Window 1 start, at: 206, time: decimal, every: slow, show: true, write: {},
     source: maker}
  - {key: grid_code, name: Protection code, at: 207, type: u16, options: {0: General, 1: Strict}, every: slow,
     write: {arm: true}, source: maker}
  - {key: restart, name: Restart, at: 208, platform: button, press: 3, write: {}, source: maker}
  - {key: start_test, name: Start the test, at: 209, platform: button, press: 1, write: {readback: true},
     source: maker}
`

// houseWith returns the profile with replacements, old and new in turn.
func houseWith(t *testing.T, replace ...string) *profile.Profile {
	t.Helper()
	p, err := profile.Load("house.yaml", []byte(replaced(houseProfile, replace...)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// house is a simulated inverter behind Modbus TCP, with the device that talks to it.
type house struct {
	t      *testing.T
	unit   *sim.Unit
	rtu    bool           // RTU over TCP instead of Modbus TCP
	others []*sim.Unit    // on the same line
	wrap   func(Bus) Bus  // what the device sees of the bus; may be nil
	log    zerolog.Logger // of the device
	line   *sim.Line
	bus    *protocol.Bus
	sink   *recorder
	device *Device
	cfg    Config
	dead   atomic.Bool // nobody accepts connections
	ctx    context.Context

	mu    sync.Mutex
	conns []net.Conn // the inverter's ends

	running sync.WaitGroup
}

// Times of a write, as write/verify.go and write/writer.go have them.
const (
	verifyFor = 3 * time.Second
	freshFor  = 3 * time.Second
)

// inHouse runs f inside a bubble of time, with the bus running; Run of the device is f's business.
func inHouse(t *testing.T, set func(*house), f func(*house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := houseWith(t)
		h := &house{t: t, log: zerolog.Nop(), wrap: func(l Bus) Bus { return l }, sink: &recorder{},
			cfg: Config{Profile: p, Unit: 1, Name: "House", Line: p.Line}}
		var err error
		if h.unit, err = simulate.Unit(p, profile.Traits{"kind": "lv"}, "SN00000001"); err != nil {
			t.Fatal(err)
		}
		if set != nil {
			set(h)
		}
		h.line = sim.NewLine(sim.Options{Turnaround: 5 * time.Millisecond}, append(h.others, h.unit)...)
		ctx, cancel := context.WithCancel(t.Context())
		h.ctx = ctx
		defer h.running.Wait()
		defer cancel()
		framing := sim.TCP
		if h.rtu {
			framing = sim.RTU
		}
		dial := func(context.Context, string, string) (net.Conn, error) {
			if h.dead.Load() {
				return nil, errors.New("connection refused")
			}
			here, there := net.Pipe()
			h.mu.Lock()
			h.conns = append(h.conns, there)
			h.mu.Unlock()
			h.running.Go(func() { _ = h.line.ServeConn(ctx, there, framing) })
			return here, nil
		}
		var over protocol.Link = link.NewTCP(link.TCPConfig{Address: "house:502", Name: "house", Dial: dial})
		if h.rtu {
			over = link.NewRTUOverTCP(link.RTUOverTCPConfig{Address: "house:502", Name: "house",
				Serial: protocol.DefaultSerial, Dial: dial})
		}
		h.bus = protocol.NewBus(over, protocol.BusOptions{})
		h.device = New(h.cfg, h.wrap(h.bus), h.sink, h.log)
		h.running.Go(func() { _ = h.bus.Run(ctx) })
		f(h)
	})
}

// polled is inHouse with the device polled, from after its first cycle on.
func polled(t *testing.T, set func(*house), f func(*house)) {
	t.Helper()
	inHouse(t, set, func(h *house) {
		ctx, cancel := context.WithCancel(h.ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		running.Go(func() {
			if err := h.device.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		h.pass(500 * time.Millisecond)
		f(h)
	})
}

// hangUp closes all connections from the inverter's side.
func (h *house) hangUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Close()
	}
}

// pass lets time go by.
func (h *house) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// write sets a value within 10 s.
func (h *house) write(key string, value any) (Outcome, error) {
	return h.device.Write(h.ctx, Set{Key: key, Value: value, Deadline: time.Now().Add(10 * time.Second)})
}

// refusal is write where a WriteError is expected.
func (h *house) refusal(key string, value any) *WriteError {
	h.t.Helper()
	_, err := h.write(key, value)
	return writeError(h.t, err)
}

func writeError(t *testing.T, err error) *WriteError {
	t.Helper()
	e, ok := errors.AsType[*WriteError](err)
	if !ok {
		t.Fatalf("error %v is no WriteError", err)
	}
	if e.Fields["reason"] == "" || e.Fields["name"] == "" {
		t.Errorf("%s has no reason or name: %v", e.Code, e.Fields)
	}
	return e
}

// word returns a holding register of the inverter.
func (h *house) word(addr uint16) uint16 {
	h.t.Helper()
	words, ok := h.unit.Get(protocol.HoldingRegister, addr, 1)
	if !ok {
		h.t.Fatalf("register %d does not exist", addr)
	}
	return words[0]
}

// writes returns the writes that came since the exchange.
func (h *house) writes(since uint64) []sim.Exchange {
	return slices.DeleteFunc(h.line.Journal().Since(since), func(e sim.Exchange) bool { return !e.Write() })
}

// reads returns the reads of a register by itself that came since the exchange.
func (h *house) reads(since uint64, addr uint16) []sim.Exchange {
	return slices.DeleteFunc(h.line.Journal().Since(since), func(e sim.Exchange) bool {
		return e.Write() || e.Range.Addr != addr || e.Range.Count != 1
	})
}

// fault has something go wrong.
func (h *house) fault(faults ...sim.Fault) {
	h.line.Play(sim.NewScript(1, faults...))
}

// recorder is a sink that remembers.
type recorder struct {
	mu       sync.Mutex
	readings []Reading
	statuses []Status
	reverted []Changed
}

func (r *recorder) Readings(_ context.Context, _ *Device, readings []Reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readings = append(r.readings, readings...)
}

func (r *recorder) Status(_ context.Context, _ *Device, s Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses = append(r.statuses, s)
}

func (r *recorder) Changed(_ context.Context, _ *Device, one Changed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reverted = append(r.reverted, one)
}

// last returns the newest reading of a point; its key is empty if there is none.
func (r *recorder) last(key string) Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, reading := range slices.Backward(r.readings) {
		if reading.Key == key {
			return reading
		}
	}
	return Reading{}
}

// of returns the values that were reported of a point, in order.
func (r *recorder) of(key string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var values []string
	for _, reading := range r.readings {
		if reading.Key == key {
			values = append(values, reading.Value.String())
		}
	}
	return values
}

func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readings, r.statuses = nil, nil
}

// told returns the statuses in order.
func (r *recorder) told() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.statuses)
}
