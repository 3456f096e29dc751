package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The modules of Hi-Flying, which nearly all Wi-Fi sticks are built around, answer one of two words on this port with
// "IP,MAC,NAME". The name of a Solarman stick is its serial number, that of others a word (GoodWe: Solar-WiFi...).
// Newer firmware often has the port closed. The same port takes commands that change the stick's settings; nothing but
// these words is ever sent there. Source: jmccrohan/pysolarmanv5 (uni_scan), davidrapan/ha-solarman.
const (
	discoveryPort = "48899"
	discoverFor   = time.Second // answers come within some 0.1 s
)

var discoveryWords = []string{"WIFIKIT-214028-READ", "HF-A11ASSISTHREAD"}

// Found is a stick or dongle that has answered.
type Found struct {
	Address string // of its network, as "192.168.1.50"
	MAC     string // as it says it, as "E8FDF8112233"
	Name    string // as it says it
	Serial  uint32 // of a Solarman stick, which is its name; 0 where the name is no such number
}

// Discover asks for sticks and dongles and collects what answers within a second, in the order of the addresses. An
// address is a host, a broadcast address, or one of them with a port. Without any, all networks that this machine is in
// are asked; broadcasts do not go beyond them. The error says why nobody could be asked, or that ctx has ended.
func Discover(ctx context.Context, addresses ...string) ([]Found, error) {
	if len(addresses) == 0 {
		var err error
		if addresses, err = broadcasts(); err != nil {
			return nil, err
		}
	}
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := ask(ctx, conn, addresses); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(discoverFor)); err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	return collect(conn), ctx.Err()
}

// ask sends both words to each address. It fails if none could be sent.
func ask(ctx context.Context, conn net.PacketConn, addresses []string) error {
	var failed []error
	sent := false
	for _, address := range addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(address, discoveryPort)
		}
		to, err := resolve(ctx, address)
		for _, word := range discoveryWords {
			if err == nil {
				_, err = conn.WriteTo([]byte(word), to)
			}
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("discover at %s: %w", address, err))
		}
		sent = sent || err == nil
	}
	if sent {
		return nil
	}
	return errors.Join(failed...)
}

func resolve(ctx context.Context, address string) (net.Addr, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%q is not a port", port)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return nil, err
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ips[0].Unmap(), uint16(number))), nil
}

// collect reads answers until the deadline passes or the connection is closed.
func collect(conn net.PacketConn) (all []Found) {
	buf := make([]byte, 512)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) || isTimeout(err) {
			break
		}
		if err != nil {
			continue // of one address that refuses: Windows says so here
		}
		found, ok := parseFound(string(buf[:n]))
		if udp, is := from.(*net.UDPAddr); is {
			found.Address = udp.AddrPort().Addr().Unmap().String() // where it can be reached, whatever it believes
		}
		if ok && !slices.Contains(all, found) {
			all = append(all, found)
		}
	}
	slices.SortFunc(all, func(a, b Found) int {
		return cmp.Or(parsed(a.Address).Compare(parsed(b.Address)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func parsed(address string) netip.Addr {
	a, _ := netip.ParseAddr(address) // invalid goes first
	return a
}

// parseFound reads the answer "IP,MAC,NAME". Other texts come to the port too, as the words that were asked.
func parseFound(text string) (Found, bool) {
	fields := strings.Split(strings.TrimRight(text, "\x00\r\n "), ",")
	if len(fields) < 2 {
		return Found{}, false
	}
	if _, err := netip.ParseAddr(fields[0]); err != nil {
		return Found{}, false
	}
	f := Found{Address: fields[0], MAC: fields[1]}
	if len(f.MAC) != 12 || strings.Trim(f.MAC, "0123456789abcdefABCDEF") != "" {
		return Found{}, false
	}
	if len(fields) > 2 {
		f.Name = fields[2]
	}
	if n, err := strconv.ParseUint(f.Name, 10, 32); err == nil {
		f.Serial = uint32(n)
	}
	return f, true
}

// broadcasts returns the broadcast addresses of the networks that this machine is in.
func broadcasts() (all []string, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagBroadcast == 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addresses {
			if network, ok := a.(*net.IPNet); ok {
				if b := broadcastOf(network); b != "" {
					all = append(all, b)
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("discover: this machine is in no network that has broadcasts; name the stick's address")
	}
	return all, nil
}

// broadcastOf returns the broadcast address of a network, empty if it has none.
func broadcastOf(n *net.IPNet) string {
	ip := n.IP.To4()
	if ones, bits := n.Mask.Size(); ip == nil || bits != 32 || ones > 30 {
		return ""
	}
	b := make(net.IP, 4)
	for i := range b {
		b[i] = ip[i] | ^n.Mask[i]
	}
	return b.String()
}
