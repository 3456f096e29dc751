package search

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Place is where a person has SolarHub look: exactly one of its fields is set, but for the port of a host.
type Place struct {
	Port    string       // the path of a serial port
	Host    string       // a name or an address
	TCPPort uint16       // of the host; 0: all at which devices are known to answer
	Network netip.Prefix // all addresses in it
}

// mostHosts is how many addresses a network may have: a /22. A larger one is no home, and takes minutes.
const mostHosts = 1024

// ParsePlace reads a place: the path of a serial port, a host, host:port, or a network such as 192.168.1.0/24.
func ParsePlace(text string) (p Place, err error) {
	switch prefix, wrong := netip.ParsePrefix(text); {
	case wrong == nil:
		p.Network = prefix.Masked()
		if hosts := 32 - min(32, p.Network.Addr().BitLen()-p.Network.Bits()); hosts < 22 {
			return p, fmt.Errorf("the network %s is too large: at most %d addresses are searched, such as %s", text,
				mostHosts, netip.PrefixFrom(p.Network.Addr(), p.Network.Addr().BitLen()-10))
		}
		return p, nil
	case isPath(text):
		p.Port = text
		return p, nil
	}
	p.Host = text
	if host, port, wrong := net.SplitHostPort(text); wrong == nil && !strings.Contains(text, "/") {
		n, wrong := strconv.ParseUint(port, 10, 16)
		if wrong != nil || n == 0 {
			return p, fmt.Errorf("%q: the port is a number from 1 to 65535", text)
		}
		p.Host, p.TCPPort = host, uint16(n)
	}
	p.Host = strings.Trim(p.Host, "[]")
	if _, wrong := netip.ParseAddr(p.Host); p.Host == "" || wrong != nil && strings.ContainsAny(p.Host, "/: \\%") {
		return p, fmt.Errorf("%q is no place to search: name a serial port such as /dev/ttyUSB0, an address such as "+
			"192.168.1.50 or 192.168.1.50:502, or a network such as 192.168.1.0/24", text)
	}
	return p, nil
}

// isPath tells a serial port from a host: /dev/ttyUSB0, ./ttyUSB0, COM3.
func isPath(text string) bool {
	digits, com := strings.CutPrefix(strings.ToUpper(text), "COM")
	_, err := strconv.ParseUint(digits, 10, 8)
	return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") ||
		strings.HasPrefix(text, "~/") || strings.HasPrefix(text, `\\`) || com && err == nil
}

// String returns the place as a person writes it.
func (p Place) String() string {
	switch {
	case p.Network.IsValid():
		return p.Network.String()
	case p.TCPPort != 0:
		return net.JoinHostPort(p.Host, strconv.Itoa(int(p.TCPPort)))
	}
	return cmp.Or(p.Port, p.Host)
}

// hosts returns the addresses of a network that hosts can have, or the one host.
func (p Place) hosts() (all []string) {
	if !p.Network.IsValid() {
		return []string{p.Host}
	}
	for a := p.Network.Addr(); p.Network.Contains(a); a = a.Next() {
		all = append(all, a.String())
	}
	if p.Network.Addr().Is4() && len(all) > 2 {
		all = all[1 : len(all)-1] // without the network itself and its broadcast
	}
	return all
}

// compareAddresses orders host:port by address, then by port.
func compareAddresses(a, b string) int {
	one, wrongOne := netip.ParseAddrPort(a)
	two, wrongTwo := netip.ParseAddrPort(b)
	if wrongOne != nil || wrongTwo != nil {
		return cmp.Compare(a, b)
	}
	return one.Compare(two)
}
