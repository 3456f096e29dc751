package cli_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/cli"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// What the profile calls dangerous is asked about: somebody at a terminal, else nobody, and it is refused.
func TestWriteAsksBeforeADangerousSetting(t *testing.T) {
	t.Parallel()
	flags, _ := roof(t, "tcp", ", arm: [battery_type]")
	line := with(flags, "write", "battery_type", "lithium")
	_, before, _ := do(t, with(flags, "read", "battery_type", "--json")...)
	code, out, errs := do(t, line...)
	if code != cli.ExitUsage || out != "" || !strings.Contains(errs, "setting of the installer") ||
		!strings.Contains(errs, "--yes") {
		t.Errorf("without a terminal: %d %s%s", code, out, errs)
	}
	p, ended := atTerminal(t, line...)
	p.Reads("Write lithium (yes or no) [no]:")
	p.Types("")
	if code := ended(); code != cli.ExitFailed {
		t.Errorf("who said no got %d", code)
	}
	if _, now, _ := do(t, with(flags, "read", "battery_type", "--json")...); rawOf(now) != rawOf(before) {
		t.Errorf("it was written: %s", now)
	}
	p, ended = atTerminal(t, line...)
	p.Reads("Write lithium (yes or no) [no]:")
	p.Types("yes")
	if code := ended(); code != cli.ExitOK {
		t.Errorf("who said yes got %d", code)
	}
	if code, out, errs := do(t, with(line, "--yes", "--force")...); code != cli.ExitOK {
		t.Errorf("with --yes: %d %s%s", code, out, errs)
	}
}

// rawOf cuts the words out of what a read has printed for programs.
func rawOf(text string) string {
	_, rest, _ := strings.Cut(text, `"raw":`)
	raw, _, _ := strings.Cut(rest, "]")
	return raw
}

// A device that acknowledges and does not store, and one whose answers to writes get lost.
func TestWriteThatIsNotConfirmed(t *testing.T) {
	t.Parallel()
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	unit, err := simulate.Unit(family, profile.Traits{"phases": "single"}, "SIM0012345")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.NewLine(sim.Options{}, unit).ServeTCP(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	const chargeEnd = 8471
	unit.Set(protocol.HoldingRegister, chargeEnd, 80)
	unit.Behave(protocol.Range{Addr: chargeEnd, Count: 1}, simtest.Ignore())
	flags := []string{"--config", liveConfig(t, "tcp: "+listener.Addr().String(), "timeout: 20s")}
	code, out, errs := do(t, with(flags, "write", "battery_grid_charge_soc", "12")...)
	if code != cli.ExitUnknown || out != "" || !strings.Contains(errs, "80") {
		t.Errorf("ended with %d: %s%s", code, out, errs)
	}
	if _, out, _ := do(t, with(flags, "ledger", "--json")...); !strings.Contains(out, `"outcome":"not_verified"`) {
		t.Errorf("the ledger says %s", out)
	}
}
