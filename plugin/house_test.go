package plugin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/hub"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must come. Nothing is judged by how long it took.
const patience = 30 * time.Second

// house is a host, a simulated inverter behind Modbus TCP, and the plugin between them. All of them may go and come
// back.
type house struct {
	t       *testing.T
	ctx     context.Context
	address string // of the host
	now     atomic.Pointer[devhost.Host]
	before  *devhost.Host // that was closed last

	unit *sim.Unit
	line *sim.Line
	gate *gate

	config string
	data   string
	plugin *Plugin
	stop   func() error

	observer func(Exchange)
	log      zerolog.Logger
}

// gate holds back the replies of a line while it is shut.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // nil while open

	waiting atomic.Int32 // replies
}

func (g *gate) Wait(ctx context.Context, until time.Time) error {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut != nil {
		g.waiting.Add(1)
		defer g.waiting.Add(-1)
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return sim.OnTimer(ctx, until)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

const serialNumber = "SIM0012345"

// newHouse builds a house with a Senergy inverter. more stands under its entry in the configuration.
func newHouse(t *testing.T, more string) *house {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	h := &house{t: t, ctx: ctx, gate: &gate{}, data: t.TempDir(), log: zerolog.Nop()}
	h.openHost()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := h.now.Load(); host != nil {
			host.Handler().ServeHTTP(w, r)
			return
		}
		http.Error(w, "starting", http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(h.closeHost)
	h.address = server.URL

	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	if h.unit, err = simulate.Unit(family, profile.Traits{"phases": "single"}, serialNumber); err != nil {
		t.Fatal(err)
	}
	h.line = sim.NewLine(sim.Options{Wait: h.gate.Wait}, h.unit)
	place := serve(t, h.line)
	h.config = fmt.Sprintf("host: {url: %q, token: %s}\nname: house\ndata: %s\nlines:\n  - tcp: %s\n    devices:\n"+
		"      - {profile: senergy, turnaround: 0s, grace: 0s, poll: {now: 100ms, normal: 100ms, slow: 100ms}%s}\n",
		h.address,
		goodToken, h.data, place, more)
	t.Cleanup(func() {
		h.gate.open()
		if h.stop != nil {
			h.halt()
		}
	})
	return h
}

// serve serves a line on Modbus TCP until the test ends and returns its address.
func serve(t *testing.T, l *sim.Line) string {
	t.Helper()
	return serveBy(t, l.ServeTCP)
}

// serveBy serves on a port of its own until the test ends.
func serveBy(t *testing.T, how func(context.Context, net.Listener) error) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- how(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("simulated line: %v", err)
		}
	})
	return listener.Addr().String()
}

func (h *house) openHost() {
	h.now.Store(devhost.New(devhost.Options{Token: goodToken, Before: h.before, Grace: time.Millisecond}))
}

// closeHost kills the host; what it keeps on its disk stays.
func (h *house) closeHost() {
	if host := h.now.Swap(nil); host != nil {
		host.Close()
		h.before = host
	}
}

func (h *house) host() *devhost.Host { return h.now.Load() }

// start runs a new plugin.
func (h *house) start() {
	h.t.Helper()
	c, err := config.Parse(filepath.Join(h.data, "solarhub.yaml"), []byte(h.config))
	if err != nil {
		h.t.Fatal(err)
	}
	h.run(c)
}

// run runs a new plugin with a configuration that was read.
func (h *house) run(c config.Config) {
	h.t.Helper()
	var err error
	log := h.log
	if os.Getenv("SOLARHUB_TEST_LOG") != "" {
		log = zerolog.New(zerolog.NewTestWriter(h.t)).Level(zerolog.DebugLevel)
	}
	deps := Deps{Log: log, Version: "1.2.3", MaxWait: 20 * time.Millisecond, Observer: h.observer}
	if h.plugin, err = New(c, deps); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	run := h.plugin.Run
	go func() { done <- run(ctx) }()
	h.stop = func() error {
		cancel()
		return <-done
	}
}

// halt stops the plugin in order.
func (h *house) halt() {
	h.t.Helper()
	stop := h.stop
	h.stop = nil
	if err := stop(); err != nil {
		h.t.Errorf("the plugin ended with %v", err)
	}
}

func id(key string) string { return serialNumber + "_" + key }

func (h *house) wait(key, want string) {
	h.t.Helper()
	if err := h.host().WaitState(h.ctx, id(key), want); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) until(what string, holds func() bool) {
	h.t.Helper()
	if err := h.host().Wait(h.ctx, holds); err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
}

func (h *house) state(key string) devhost.State {
	s, _ := h.host().State(id(key))
	return s
}

func (h *house) register(addr uint16) uint16 {
	h.t.Helper()
	words, ok := h.unit.Get(protocol.HoldingRegister, addr, 1)
	if !ok {
		h.t.Fatalf("there is no register %d", addr)
	}
	return words[0]
}

func (h *house) writes() (all []sim.Exchange) {
	for _, e := range h.line.Journal().Since(0) {
		if e.Write() {
			all = append(all, e)
		}
	}
	return all
}

// snapshot asks the hub of the running plugin.
func (h *house) snapshot() hub.Snapshot {
	h.t.Helper()
	s, err := h.plugin.hub.Snapshot(h.ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) ledger() []ledger.Entry {
	h.t.Helper()
	return h.snapshot().Ledger
}

const goodToken = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl"
