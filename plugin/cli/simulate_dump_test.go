package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"solarhub/protocol"
)

// registers reads each address of both tables of registers alone, as far as it exists.
func registers(t *testing.T, address string, unit byte, spans ...protocol.Range) string {
	t.Helper()
	var dump strings.Builder
	fmt.Fprintf(&dump, "# as read\n\ntable,address,value\n")
	for _, span := range spans {
		function := map[protocol.Table]byte{protocol.HoldingRegister: 3, protocol.InputRegister: 4}[span.Table]
		for addr := uint32(span.Addr); addr < span.End(); addr++ {
			reply := ask(t, address, unit, function, byte(addr>>8), byte(addr), 0, 1)
			if reply[0] == function {
				fmt.Fprintf(&dump, "%s,%d,%d\n", span.Table, addr, int(reply[2])<<8|int(reply[3]))
			}
		}
	}
	return dump.String()
}

// A dump of all that a device holds plays back as that device: every register, what is not there, who it is.
func TestSimulatePlaysADump(t *testing.T) {
	everything := []protocol.Range{{Addr: 0, Count: 700}, {Table: protocol.InputRegister, Addr: 0, Count: 20}}
	for _, variant := range []string{"lv", "hv"} {
		first, _, stop := start(t, "simulate", "powdrive", "--tcp", "127.0.0.1:0", "--turnaround", "0", "--trait",
			variant, "--serial-number", "2307120001", "--set", "battery_soc=72")
		dump := registers(t, addresses(t, first)[0], 1, everything...)
		stop()
		if n := strings.Count(dump, "\n"); n < 300 {
			t.Fatalf("a dump of %d lines", n)
		}
		name := file(t, "dump.csv", dump)
		again, _, stop := start(t, "simulate", "powdrive", "--tcp", "127.0.0.1:0", "--turnaround", "0", "--dump", name)
		if got := registers(t, addresses(t, again)[0], 1, everything...); got != dump {
			t.Errorf("%s plays back as something else", variant)
		}
		if !strings.Contains(again.String(), "2307120001") || !strings.Contains(again.String(), variant) {
			t.Errorf("the device does not know who it is:\n%s", again)
		}
		stop()
	}
}

// Several devices each have dumps of their own; what a dump lacks to be recognised is made up or named; a later one
// goes over an earlier.
func TestSimulateSeveralDumps(t *testing.T) {
	roof := file(t, "roof.csv", "holding,0,5\nholding,588,51\nholding,590,100\n")
	later := file(t, "later.csv", "holding,588,52\n")
	barn := file(t, "barn.csv", "holding,588,99\n")
	out, _, _ := start(t, "simulate", "--scenario", file(t, "barns.yaml", fmt.Sprintf(`
lines:
  - tcp: 127.0.0.1:0
    devices:
      - {profile: powdrive, dumps: [%q, %q], turnaround: 0s}
      - {profile: powdrive, unit: 2, dumps: [%q], traits: hv, serial_number: "2307120002", turnaround: 0s}
`, roof, later, barn)))
	at := addresses(t, out)
	for _, c := range []struct {
		unit  byte
		addr  byte // behind 512
		reply []byte
	}{{1, 588 - 512, []byte{3, 2, 0, 52}}, {1, 590 - 512, []byte{3, 2, 0, 100}}, {1, 589 - 512, []byte{0x83, 2}}, {2,
		588 - 512, []byte{3, 2, 0, 99}}, {2, 590 - 512, []byte{0x83, 2}}} {
		if reply := ask(t, at[c.unit-1], c.unit, 3, 2, c.addr, 0, 1); !slices.Equal(reply, c.reply) {
			t.Errorf("unit %d, register %d: % x, want % x", c.unit, 512+int(c.addr), reply, c.reply)
		}
	}
	if reply := ask(t, at[1], 2, 3, 0, 3, 0, 5); string(reply[2:]) != "2307120002" {
		t.Errorf("the serial number is %q", reply[2:])
	}
	if reply := ask(t, at[0], 1, 3, 0, 3, 0, 5); string(reply[2:5]) != "SIM" {
		t.Errorf("the serial number that the dump lacks is %q", reply[2:])
	}
}
