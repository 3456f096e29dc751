package search

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"

	"solarhub/devices/scan"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

const (
	mostConnections = 64                     // at a time, of all places together
	knockFor        = 700 * time.Millisecond // a host of a home's network answers within some 10 ms, by Wi-Fi 100
	knockAgainFor   = 350 * time.Millisecond // a host that has not answered at the first ports
)

// network searches the addresses of a place.
func (o Options) network(ctx context.Context, p Place, connections chan struct{}) Report {
	n := networkSearch{Options: o, place: p, connections: connections, silent: map[string]int{}}
	ports := known
	if p.TCPPort != 0 {
		ports = []spoken{{p.TCPPort, languagesAt(p.TCPPort)}}
	}
	hosts := p.hosts()
	n.total = len(hosts) * len(ports)
	var wg sync.WaitGroup
	for _, at := range ports {
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
	wg.Wait()
	if len(n.report.Findings) == 0 && !p.Network.IsValid() && (p.TCPPort == 0 || p.TCPPort == portOfSticks) {
		address := net.JoinHostPort(p.Host, strconv.Itoa(portOfSticks)) // of UDP, where nobody can knock
		n.report.add(n.inLanguages(ctx, address, []language{goodWe}))
	}
	n.report.sort()
	if len(n.report.Findings)+n.report.Searched == 0 && !p.Network.IsValid() && ctx.Err() == nil {
		n.report.note(p.String(), "%v", n.refused)
	}
	return n.report
}

// networkSearch is the search of the addresses of one place.
type networkSearch struct {
	Options
	place       Place
	connections chan struct{}
	total       int // addresses that are asked

	mu      sync.Mutex
	done    int
	silent  map[string]int // see silences
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
	if _, _, running := n.running(address); running {
		// some devices hang up on the one who is connected when another connects (wlcrs/huawei_solar #13)
	} else if err := n.knock(ctx, host, address); err != nil {
		n.tell(address, Report{}, err)
		return
	}
	r := n.inLanguages(ctx, address, at.languages)
	if at.port == portTLS {
		r.note(address, "somebody listens where Modbus TCP is spoken inside TLS: a line with tls: and a certificate "+
			"in the configuration reaches it")
	}
	r.Searched = 1
	n.tell(address, r, nil)
}

// inLanguages searches an address in one language after the other, until somebody answers.
func (n *networkSearch) inLanguages(ctx context.Context, address string, languages []language) (r Report) {
	for _, in := range languages {
		if len(r.Findings) > 0 || len(r.Notes) > 0 || ctx.Err() != nil {
			break
		}
		one, _ := n.listen(ctx, address, in) // one that hangs up may speak another language
		r.add(one)
	}
	return r
}

// listen searches an address in one language.
func (n *networkSearch) listen(ctx context.Context, address string, in language) (Report, error) {
	l := config.Line{Transport: in.way, Address: address, Dial: n.Dial,
		Quirks: protocol.Quirks{ConnectDelay: in.delay}}
	line := scan.Line{Serials: []protocol.Serial{{}}, Thorough: !n.place.Network.IsValid() && in.units == nil,
		Patience: in.patience, Hello: in.hello, Units: in.units, Tell: func(now scan.Progress) {
			n.Tell(Progress{Place: n.place.String(), What: address + ": " + now.What, Done: n.share()})
		}}
	return n.onLine(ctx, l, line)
}

// knock connects and hangs up.
func (n *networkSearch) knock(ctx context.Context, host, address string) error {
	patience := knockFor
	if n.silences(host) >= 2 {
		patience = knockAgainFor
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dial := n.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if ctx.Err() != nil {
		n.mu.Lock()
		n.silent[host]++
		n.mu.Unlock()
	}
	if err != nil {
		return readable(err)
	}
	return conn.Close()
}

// silences returns at how many ports a host has answered nothing, not even that nobody listens there.
func (n *networkSearch) silences(host string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.silent[host]
}

// readable says in plain words why nobody could be connected to.
func readable(err error) error {
	switch dns := (*net.DNSError)(nil); {
	case errors.As(err, &dns):
		return fmt.Errorf("no host has the name %q", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the host is there, and nobody listens where devices are known to answer; name another " +
			"port as host:port")
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no host answers there")
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
