package search

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"solarhub/devices/scan"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// spoken is what devices are known to speak at a TCP port.
type spoken struct {
	port uint16
	ways []config.Transport // the likeliest first
}

// known are the ports, the likeliest first. 502 is the standard's. Logger sticks and gateways listen at 8899
// (jmccrohan/pysolarmanv5), those of Solis at 30003 (StephanJoubert/home_assistant_solarman #87, #136), SolarEdge and
// others at 1502 (binsentsu/home-assistant-solaredge-modbus).
var known = []spoken{
	{502, []config.Transport{config.TCP, config.RTUOverTCP}},
	{8899, []config.Transport{config.TCP, config.RTUOverTCP}},
	{1502, []config.Transport{config.TCP}},
	{30003, []config.Transport{config.TCP}},
}

// first is how many of the known ports tell whether there is a host at all.
const first = 2

const (
	mostConnections = 64                     // at a time, of all places together
	knockFor        = 700 * time.Millisecond // a host of a home's network answers within some 10 ms, by Wi-Fi 100
)

// network searches the addresses of a place.
func (o Options) network(ctx context.Context, p Place, connections chan struct{}) Report {
	n := networkSearch{Options: o, place: p, connections: connections}
	ports := known
	if p.TCPPort != 0 {
		ports = []spoken{{p.TCPPort, waysAt(p.TCPPort)}}
	}
	hosts := p.hosts()
	n.total = len(hosts) * len(ports)
	var wg sync.WaitGroup
	for _, some := range [][]spoken{ports[:min(first, len(ports))], ports[min(first, len(ports)):]} {
		for _, at := range some {
			for _, host := range hosts {
				if !n.take(ctx) {
					break
				}
				wg.Go(func() {
					defer n.give()
					n.visit(ctx, host, at)
				})
			}
		}
	}
	wg.Wait()
	n.report.sort()
	if n.report.Searched == 0 && !p.Network.IsValid() && ctx.Err() == nil {
		n.report.note(p.String(), "%v", n.refused)
	}
	return n.report
}

// waysAt returns what is tried at a port.
func waysAt(port uint16) []config.Transport {
	if i := slices.IndexFunc(known, func(s spoken) bool { return s.port == port }); i >= 0 {
		return known[i].ways
	}
	return []config.Transport{config.TCP, config.RTUOverTCP}
}

// networkSearch is the search of the addresses of one place.
type networkSearch struct {
	Options
	place       Place
	connections chan struct{}
	total       int // addresses that are asked

	mu      sync.Mutex
	done    int
	report  Report
	refused error // why the last address could not be connected to
}

// take waits until another connection may be made; it reports false if ctx has ended.
func (n *networkSearch) take(ctx context.Context) bool {
	select {
	case n.connections <- struct{}{}:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (n *networkSearch) give() { <-n.connections }

// visit looks whether somebody listens at an address, and what devices he has.
func (n *networkSearch) visit(ctx context.Context, host string, at spoken) {
	address := net.JoinHostPort(host, strconv.Itoa(int(at.port)))
	err := n.knock(ctx, address)
	if err != nil {
		n.tell(address, Report{}, fmt.Errorf("%s: %w", address, err))
		return
	}
	var r Report
	for _, way := range at.ways {
		l := config.Line{Transport: way, Address: address, Dial: n.Dial}
		one, err := n.onLine(ctx, l, []protocol.Serial{{}}, !n.place.Network.IsValid(), func(now scan.Progress) {
			n.Tell(Progress{Place: n.place.String(), What: address + ": " + now.What, Done: n.share()})
		})
		r.add(one)
		if len(one.Findings) > 0 || len(one.Notes) > 0 || ctx.Err() != nil {
			break
		}
		_ = err // it may speak another language
	}
	r.Searched = 1
	n.tell(address, r, nil)
}

// knock connects and hangs up.
func (n *networkSearch) knock(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, knockFor)
	defer cancel()
	dial := n.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return readable(err)
	}
	return conn.Close()
}

// readable says in plain words why nobody could be connected to.
func readable(err error) error {
	switch dns := (*net.DNSError)(nil); {
	case errors.As(err, &dns):
		return fmt.Errorf("no host has the name %q", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the host is there, and nobody listens at this port")
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("nobody answers")
	}
	return err
}

func (n *networkSearch) share() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return float64(n.done) / float64(max(1, n.total))
}

func (n *networkSearch) tell(address string, r Report, refused error) {
	n.mu.Lock()
	n.done++
	n.report.add(r)
	if refused != nil {
		n.refused = refused
	}
	n.mu.Unlock()
	n.Tell(Progress{Place: n.place.String(), What: address, Done: n.share()})
}
