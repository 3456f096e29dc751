package host_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "a-token-that-nobody-may-see"

// network is a listener whose connections are pipes, so that a test's own clock drives them.
type network struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newNetwork() *network {
	return &network{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case n.conns <- far:
		return near, nil
	case <-n.done:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// switchboard leads a client to whichever network is plugged in now.
type switchboard struct {
	mu sync.Mutex
	to *network
}

func (s *switchboard) plug(n *network) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = n
}

func (s *switchboard) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			s.mu.Lock()
			to := s.to
			s.mu.Unlock()
			return to.dial(ctx, network, address)
		}}}
}

// plugin is a host.Plugin whose parts a test can change.
type plugin struct {
	mu          sync.Mutex
	definitions host.Definitions
	call        func(ctx context.Context, c host.Call) host.Result
	configs     [][]string
	slow        time.Duration // Config takes so long
	configured  func()        // called at the end of Config, which comes after hello
}

func (p *plugin) Describe() host.Definitions {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.definitions
}

func (p *plugin) Call(ctx context.Context, c host.Call) host.Result {
	p.mu.Lock()
	call := p.call
	p.mu.Unlock()
	return call(ctx, c)
}

func (p *plugin) Config(disabled []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.configs = append(p.configs, disabled)
	time.Sleep(p.slow)
	if p.configured != nil {
		p.configured()
	}
}

func (p *plugin) lastConfig() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.configs) == 0 {
		return nil
	}
	return p.configs[len(p.configs)-1]
}

func (p *plugin) describe(d host.Definitions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.definitions = d
}

func (p *plugin) onCall(f func(ctx context.Context, c host.Call) host.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.call = f
}

// logs is a log that several goroutines write to.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) count(s string) int { return strings.Count(l.String(), s) }

// lab is a client with a plugin and, unless a test brings its own, a development host.
type lab struct {
	t      *testing.T
	plugin *plugin
	outbox *host.Outbox
	board  *switchboard
	log    *logs
	client *host.Client
	host   *devhost.Host

	stopHost, stopClient func()
}

// newLab makes a lab whose client is not started. It must run in a bubble of synctest.
func newLab(t *testing.T, change ...func(*host.Options)) *lab {
	t.Helper()
	l := &lab{t: t, plugin: &plugin{definitions: house()}, outbox: host.NewOutbox(), board: &switchboard{},
		log: &logs{}}
	l.plugin.call = func(context.Context, host.Call) host.Result { return host.Result{} }
	l.client = l.newClient(change...)
	return l
}

// newClient makes another client of the same plugin.
func (l *lab) newClient(change ...func(*host.Options)) *host.Client {
	l.t.Helper()
	at, err := host.ParseAddress("http://house:8123")
	if err != nil {
		l.t.Fatal(err)
	}
	began := time.Now()
	o := host.Options{Address: at, Token: host.NewSecret(token), HTTPClient: l.board.client(), PluginVersion: "1.2.3",
		Installation: "house", Plugin: l.plugin, Outbox: l.outbox, Log: zerolog.New(l.log),
		Clock: func() time.Duration { return time.Since(began) }}
	for _, c := range change {
		c(&o)
	}
	client, err := host.New(o)
	if err != nil {
		l.t.Fatal(err)
	}
	return client
}

// serve starts a development host.
func (l *lab) serve(o devhost.Options) {
	l.t.Helper()
	o.Token, o.Before, o.Hosts = token, l.host, []string{"house"}
	h, n := devhost.New(o), newNetwork()
	l.board.plug(n)
	l.host = h
	l.stopHost = background(l.t, func(ctx context.Context) error { return h.Run(ctx, n) })
}

// connected runs a test with a client that has told a development host all that is known.
func connected(t *testing.T, test func(t *testing.T, l *lab), change ...func(*host.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, change...)
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		test(t, l)
	})
}

// listen starts a scripted server instead.
func (l *lab) listen(handler http.HandlerFunc) {
	n := newNetwork()
	l.board.plug(n)
	server := &http.Server{Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(n) }()
	l.stopHost = sync.OnceFunc(func() {
		_ = server.Close()
		<-done
	})
	l.t.Cleanup(l.stopHost)
}

// start runs the client.
func (l *lab) start() { l.stopClient = background(l.t, l.client.Run) }

// stop ends client and host, in this order.
func (l *lab) stop() {
	if l.stopClient != nil {
		l.stopClient()
	}
	if l.stopHost != nil {
		l.stopHost()
	}
}

func (l *lab) ready() {
	l.t.Helper()
	if err := l.host.WaitReady(within(l.t, 2*time.Minute), "house"); err != nil {
		l.t.Fatalf("%v\n%s", err, l.log)
	}
	synctest.Wait()
}

// is fails the test unless an entity has a state.
func (l *lab) is(id, want string) {
	l.t.Helper()
	if s, _ := l.host.State(id); s.State != want {
		l.t.Fatalf("%s is %q, want %q", id, s.State, want)
	}
}

// background runs f until the returned function is called, which waits for it and must be called within the bubble.
func background(t *testing.T, f func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with %v, want nil", err)
		}
	})
}

// within returns a context that ends after d of the bubble's time, or with the test.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func ptr[T any](v T) *T { return &v }

// house is an inverter with a battery.
func house() host.Definitions {
	return host.Definitions{
		Devices: []host.Device{
			{ID: "SN1/battery", Via: "SN1", Name: "Inverter Battery"},
			{ID: "SN1", Name: "Inverter", Manufacturer: "Deye"},
		},
		Entities: []host.Entity{
			{ID: "SN1_pv_power", Device: "SN1", Platform: "sensor", Key: "pv_power", Name: "PV power", Unit: "W",
				DeviceClass: "power",
				StateClass:  "measurement", Enabled: true},
			{ID: "SN1_grid_limit", Device: "SN1", Platform: "number", Key: "grid_limit", Name: "Grid limit", Unit: "W",
				Category: "config",
				Min:      ptr(0.0), Max: ptr(5000.0), Step: ptr(10.0), Enabled: true},
			{ID: "SN1_mode", Device: "SN1", Platform: "select", Key: "mode", Name: "Mode",
				Options: []string{"eco", "full"}, Enabled: true},
			{ID: "SN1_window", Device: "SN1", Platform: "time", Key: "window", Name: "Window", Enabled: true},
			{ID: "SN1_soc", Device: "SN1/battery", Platform: "sensor", Key: "soc", Name: "Charge", Unit: "%",
				Enabled: true},
			{ID: "SN1_hidden", Device: "SN1", Platform: "sensor", Key: "hidden", Name: "Hidden", Unit: "V"},
		},
	}
}

// known is what the plugin knows of the house.
func known() host.States {
	return host.States{
		Values: map[string]any{"SN1_pv_power": 1234.5, "SN1_grid_limit": 100, "SN1_mode": "eco", "SN1_window": "06:30",
			"SN1_soc": nil},
		Devices: map[string]host.DeviceState{"SN1": {Online: true}},
	}
}
