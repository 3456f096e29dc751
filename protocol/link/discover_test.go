package link

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"

	"solarhub/protocol/sim"
)

func TestParseFound(t *testing.T) {
	for text, want := range map[string]Found{
		"192.168.1.50,E8FDF8112233,2700000001":         {"192.168.1.50", "E8FDF8112233", "2700000001", 2700000001},
		"192.168.1.50,e8fdf8112233,2700000001\r\n":     {"192.168.1.50", "e8fdf8112233", "2700000001", 2700000001},
		"192.168.1.51,E8FDF8112233,Solar-WiFi1234":     {"192.168.1.51", "E8FDF8112233", "Solar-WiFi1234", 0},
		"192.168.1.52,E8FDF8112233,99999999999":        {"192.168.1.52", "E8FDF8112233", "99999999999", 0},
		"192.168.1.53,E8FDF8112233":                    {"192.168.1.53", "E8FDF8112233", "", 0},
		"192.168.1.54,E8FDF8112233,HF-LPT270,\x00\x00": {"192.168.1.54", "E8FDF8112233", "HF-LPT270", 0},
	} {
		if got, ok := parseFound(text); !ok || got != want {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "WIFIKIT-214028-READ", "+ok", "a,b,c", "192.168.1.50", "192.168.1.50,none,1",
		"192.168.1.50,E8FDF81122330,1", "300.1.1.1,E8FDF8112233,1"} {
		if got, ok := parseFound(text); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func FuzzParseFound(f *testing.F) {
	f.Add("192.168.1.50,E8FDF8112233,2700000001")
	f.Fuzz(func(t *testing.T, text string) {
		if found, ok := parseFound(text); ok && len(found.MAC) != 12 {
			t.Errorf("%q: %+v", text, found)
		}
	})
}

func TestBroadcastOf(t *testing.T) {
	for network, want := range map[string]string{
		"192.168.1.5/24": "192.168.1.255", "10.1.2.3/8": "10.255.255.255", "172.17.0.1/30": "172.17.0.3",
		"10.0.0.1/31": "", "10.0.0.1/32": "", "fe80::1/64": "",
	} {
		ip, n, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		n.IP = ip
		if got := broadcastOf(n); got != want {
			t.Errorf("%s: %q, not %q", network, got, want)
		}
	}
}

// answeringDiscovery serves sticks on a port of this machine until the test ends.
func answeringDiscovery(t *testing.T, answers ...string) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := sim.ServeDiscovery(ctx, conn, answers...); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return conn.LocalAddr().String()
}

// Each stick is found once though it answers both words, one that does not answer costs the others nothing, and where a
// stick is found is where it answers from.
func TestDiscover(t *testing.T) {
	one := answeringDiscovery(t, "192.168.1.50,E8FDF8112233,2700000001", "no answer",
		"10.0.0.7,E8FDF8112234,Solar-WiFi")
	nobody, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	got, err := Discover(t.Context(), one, nobody.LocalAddr().String(), "127.0.0.1:99999")
	want := []Found{{"127.0.0.1", "E8FDF8112233", "2700000001", 2700000001},
		{"127.0.0.1", "E8FDF8112234", "Solar-WiFi", 0}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDiscoverFindings(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:99999": `discover at 127.0.0.1:99999: "99999" is not a port`,
		"127.0.0.1:http":  `discover at 127.0.0.1:http: "http" is not a port`,
	} {
		if found, err := Discover(t.Context(), address); found != nil || err == nil || err.Error() != want {
			t.Errorf("%s: %v, %v", address, found, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Discover(ctx, "127.0.0.1:9"); err == nil {
		t.Error("an ended context is no error")
	}
}
