package search

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/scan"
	"solarhub/devices/simulate"
	"solarhub/plugin/config"
	"solarhub/plugin/lock"
	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// town is a network of simulated hosts. At the other addresses nobody answers, not even that nobody is there.
type town struct {
	ctx   context.Context
	hosts map[string]*sim.Line // by host:port
	way   map[string]sim.Framing
	wg    sync.WaitGroup
	open  atomic.Int32
	most  atomic.Int32
}

// counted is a connection that is counted as long as it is open.
type counted struct {
	net.Conn
	of   *town
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}

func (n *town) dial(ctx context.Context, _, address string) (net.Conn, error) {
	now := n.open.Add(1)
	for most := n.most.Load(); now > most && !n.most.CompareAndSwap(most, now); most = n.most.Load() {
	}
	l := n.hosts[address]
	if l == nil {
		defer n.open.Add(-1)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	here, there := net.Pipe()
	n.wg.Go(func() { _ = l.ServeConn(n.ctx, there, n.way[address]) })
	return &counted{Conn: here, of: n}, nil
}

// inTown runs f in a bubble of time.
func inTown(t *testing.T, f func(n *town)) {
	t.Helper()
	if _, err := profile.Embedded(); err != nil { // outside of the bubble: loading them is shared
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n := &town{ctx: ctx, hosts: map[string]*sim.Line{}, way: map[string]sim.Framing{}}
		defer n.wg.Wait()
		defer cancel()
		f(n)
	})
}

// settle puts devices of some families, with their unit ids, at an address.
func (n *town) settle(t *testing.T, address string, way sim.Framing, o sim.Options, families ...string) {
	t.Helper()
	l := sim.NewLine(o)
	for i, family := range families {
		p, err := profile.Get(family)
		if err != nil {
			t.Fatal(err)
		}
		u, err := simulate.Unit(p, p.Cases()[0], fmt.Sprintf("TE%07d", len(n.hosts)*10+i+1))
		if err != nil {
			t.Fatal(err)
		}
		u.Turnaround(20 * time.Millisecond)
		l.Add(u)
	}
	n.hosts[address], n.way[address] = l, way
}

// A network of 254 addresses, ten of them with a device, is searched within 20 s, with at most 64 connections at a
// time, and nothing is written.
func TestNetwork(t *testing.T) {
	inTown(t, func(n *town) {
		want := map[string]string{}
		for i, family := range []string{"deye", "huawei", "sungrow", "growatt", "kostal", "sma", "fronius", "goodwe",
			"victron_system", "solis"} {
			address := fmt.Sprintf("192.168.1.%d:502", 10+20*i)
			want[address] = family
			n.settle(t, address, sim.TCP, sim.Options{SilentTCP: i%2 == 0}, family)
		}
		place, err := ParsePlace("192.168.1.0/24")
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		r, err := Run(n.ctx, Options{Places: []Place{place}, Dial: n.dial})
		took := time.Since(begun)
		for _, f := range r.Findings {
			if len(f.Unit.Fits) == 0 || want[f.Line.Address] != f.Unit.Fits[0].Profile.ID {
				t.Errorf("%v, unit %d: %+v", f.Line, f.Unit.ID, f.Unit)
			}
			delete(want, f.Line.Address)
		}
		if err != nil || len(want) > 0 {
			t.Errorf("not found: %v, %v", want, err)
		}
		if most := n.most.Load(); took > 20*time.Second || most > 64 {
			t.Errorf("%v, %d connections at a time", took, most)
		}
		for address, l := range n.hosts {
			if c := l.Journal().Counts(); c.Writes > 0 {
				t.Errorf("%s: %d writes", address, c.Writes)
			}
		}
		t.Logf("%v, at most %d connections", took, n.most.Load())
	})
}

// A named host is asked at all ports, in all languages that are spoken there.
func TestHost(t *testing.T) {
	for name, c := range map[string]struct {
		port    string
		way     sim.Framing
		options sim.Options
		line    string
	}{
		"a gateway of another port":  {"1502", sim.TCP, sim.Options{}, "tcp 192.168.1.5:1502"},
		"bare RTU":                   {"8899", sim.RTU, sim.Options{}, "rtu_over_tcp 192.168.1.5:8899"},
		"RTU at the standard's port": {"502", sim.RTU, sim.Options{}, "rtu_over_tcp 192.168.1.5:502"},
		"deaf at first":              {"502", sim.TCP, sim.Options{Deaf: 3 * time.Second / 2}, "tcp 192.168.1.5:502"},
	} {
		inTown(t, func(n *town) {
			n.settle(t, "192.168.1.5:"+c.port, c.way, c.options, "deye")
			begun := time.Now()
			r, err := Run(n.ctx, Options{Places: []Place{{Host: "192.168.1.5"}}, Dial: n.dial})
			if err != nil || len(r.Findings) != 1 || r.Findings[0].Line.String() != c.line ||
				len(r.Findings[0].Unit.Fits) != 1 || r.Findings[0].Unit.Fits[0].Profile.ID != "deye" {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			block, err := config.Block(r.Additions())
			if delay := strings.Contains(block, "connect_delay: 2s"); err != nil || delay != (c.options.Deaf > 0) {
				t.Errorf("%s: %s, %v", name, block, err)
			}
			t.Logf("%s: %v", name, time.Since(begun))
		})
	}
}

// What a gateway does against the standard is found, and written down.
func TestQuirks(t *testing.T) {
	for fault, want := range map[string]string{"wrong-transaction=100%": "transaction_ids: shape",
		"no-unit=100%": "unit_ids: lax"} {
		inTown(t, func(n *town) {
			n.settle(t, "192.168.1.5:502", sim.TCP, sim.Options{}, "deye")
			faults, err := sim.ParseFaults(fault)
			if err != nil {
				t.Fatal(err)
			}
			n.hosts["192.168.1.5:502"].Play(sim.NewScript(1, faults...))
			r, err := Run(n.ctx, Options{Places: []Place{{Host: "192.168.1.5", TCPPort: 502}}, Dial: n.dial})
			if err != nil || len(r.Findings) != 1 {
				t.Fatalf("%s: %+v, %v", fault, r, err)
			}
			if block, err := config.Block(r.Additions()); err != nil || !strings.Contains(block, want) {
				t.Errorf("%s: %s, %v", fault, block, err)
			}
		})
	}
}

// A line that another SolarHub has is asked through it, and left alone where that cannot be done.
func TestTaken(t *testing.T) {
	const address = "192.168.1.5:1502"
	held, err := lock.Line(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Release() }()
	inTown(t, func(n *town) {
		n.settle(t, address, sim.TCP, sim.Options{}, "deye")
		o := Options{Places: []Place{{Host: "192.168.1.5", TCPPort: 1502}}, Dial: n.dial}
		r, err := Run(n.ctx, o)
		if err != nil || len(r.Findings) > 0 || len(r.Notes) != 1 ||
			!strings.Contains(r.Notes[0].Text, "stop it first") {
			t.Errorf("%+v, %v", r, err)
		}
		over := link.NewTCP(link.TCPConfig{Address: address, Dial: n.dial})
		defer over.Close()
		o.Running = func(endpoint string) (config.Line, scan.Do, bool) {
			return config.Line{Transport: config.TCP, Address: endpoint},
				func(ctx context.Context, req protocol.Request) (protocol.Response, error) {
					if _, err := over.Open(ctx); err != nil {
						return protocol.Response{}, err
					}
					return over.Exchange(ctx, req)
				}, true
		}
		r, err = Run(n.ctx, o)
		if err != nil || len(r.Findings) != 1 || r.Findings[0].Unit.Fits[0].Profile.ID != "deye" {
			t.Errorf("%+v, %v", r, err)
		}
		if most := n.most.Load(); most > 1 {
			t.Errorf("%d connections", most)
		}
	})
}

// One device that was found at two addresses is written once; of two devices of a family the second gets a name.
func TestAdditions(t *testing.T) {
	deye, err := profile.Get("deye")
	if err != nil {
		t.Fatal(err)
	}
	found := func(address string, id protocol.UnitID, serial string) Finding {
		return Finding{config.Line{Transport: config.TCP, Address: address}, scan.Unit{ID: id,
			Fits: []scan.Fit{{Profile: deye, Identity: devices.Identity{Serial: serial}}}}}
	}
	r := Report{Findings: []Finding{found("192.168.1.5:502", 1, "SN1"), found("192.168.1.5:8899", 1, "SN1"),
		found("192.168.1.6:502", 1, "SN2"), found("192.168.1.6:502", 2, ""),
		{config.Line{}, scan.Unit{ID: 3, Why: "a stranger"}}}}
	block, err := config.Block(r.Additions())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(block, "profile: deye") != 3 || strings.Contains(block, "8899") ||
		!strings.Contains(block, "name: Deye hybrid inverter 2") || !strings.Contains(block, "id: deye-2") {
		t.Error(block)
	}
}

func TestPlaces(t *testing.T) {
	for text, want := range map[string]string{
		"/dev/ttyUSB0": "port", "COM3": "port", "./tty": "port",
		"192.168.1.50": "host", "inverter.local": "host", "192.168.1.50:8899": "host", "[fe80::1]:502": "host",
		"192.168.1.77/24": "network", "10.0.0.0/22": "network", "192.168.1.50/32": "network",
		"10.0.0.0/21": "at most 1024 addresses are searched, such as 10.0.0.0/22", "fe80::/64": "is too large",
		"x:0": "from 1 to 65535", "a b": "no place", "": "no place", "http://x": "no place", "x:y": "from 1 to 65535",
	} {
		p, err := ParsePlace(text)
		got := map[bool]string{p.Port != "": "port", p.Host != "": "host", p.Network.IsValid(): "network"}[true]
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	p, _ := ParsePlace("127.0.10.0/28")
	if hosts := p.hosts(); len(hosts) != 14 || hosts[0] != "127.0.10.1" || hosts[13] != "127.0.10.14" {
		t.Errorf("hosts %v", hosts)
	}
}

func TestUnitsAndSettings(t *testing.T) {
	if units, err := ParseUnits("5, 1-3,2"); err != nil || fmt.Sprint(units) != "[5 1 2 3]" {
		t.Errorf("%v, %v", units, err)
	}
	for _, wrong := range []string{"x", "256", "3-1", "1,,2", "-1"} {
		if units, err := ParseUnits(wrong); err == nil {
			t.Errorf("%q: %v", wrong, units)
		}
	}
	all, err := Settings([]int{19200}, "even")
	if want := (protocol.Serial{Baud: 19200, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1}); err != nil ||
		len(all) != 1 || all[0] != want {
		t.Errorf("%v, %v", all, err)
	}
	if all, err := Settings(nil, ""); err != nil || all[0] != protocol.DefaultSerial {
		t.Errorf("%v, %v", all, err)
	}
	for _, err := range []error{second(Settings([]int{9601}, "")), second(Settings(nil, "mark"))} {
		if err == nil {
			t.Error("a setting that no port has")
		}
	}
}

func second[T any](_ T, err error) error { return err }
