package main_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"solarhub/plugin/devhost"
	"solarhub/protocol/sim"
)

// TestReload has the real binary take over a changed configuration, and refuse a wrong one, by the command and by the
// signal. The host is the contract double.
func TestReload(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	b, dir := newHouse(ctx, t)
	b.senergy = newInverter(t, "senergy", "single", "SIM0011111", sim.Options{})
	other := newInverter(t, "senergy", "single", "SIM0022222", sim.Options{})
	ha := devhost.New(devhost.Options{Token: reloadToken})
	defer ha.Close()
	server := httptest.NewServer(ha.Handler())
	defer server.Close()
	text := fmt.Sprintf("host: {url: %q, token_env: HASS_TOKEN}\nname: reload\ndata: %s\nlines:\n  - tcp: %s\n"+
		"    devices:\n      - {profile: senergy, name: Roof, poll: {now: 1s}}\n  - tcp: %s\n    devices:\n"+
		"      - {profile: senergy, name: Cellar, poll: {now: 1s}}\n",
		server.URL, filepath.Join(dir, "data"), b.senergy.serveTCP(t), other.serveTCP(t))
	if err := os.WriteFile(b.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run(ctx, &home{t: t, url: server.URL, token: reloadToken})
	const key = "_battery_grid_charge_soc"
	for _, i := range []inverter{b.senergy, other} {
		if err := ha.WaitState(ctx, i.serial+key, "50"); err != nil {
			t.Fatal(err)
		}
	}
	command := func() (string, error) {
		c := exec.CommandContext(ctx, b.binary, "reload", "--config", b.config)
		c.Env = append(os.Environ(), "HASS_TOKEN="+reloadToken)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	logged := func(part string) {
		t.Helper()
		for !b.log.contains(part) {
			if err := pause(ctx, 5*time.Millisecond); err != nil {
				t.Fatalf("not in the log: %s\n%s", part, b.log)
			}
		}
	}
	b.reconfigure("name: Roof, poll: {now: 1s}", "name: Attic, poll: {now: 100ms}")
	out, err := command()
	if err != nil || !strings.Contains(out, ": name, poll of Attic\nNothing else was interrupted.\n") {
		t.Fatalf("reload: %v\n%s", err, out)
	}
	if out, err := command(); err != nil || !strings.Contains(out, "has not changed: everything goes on") {
		t.Errorf("reload of the same: %v\n%s", err, out)
	}
	b.reconfigure("name: reload", "name: other")
	if out, err := command(); err == nil || !strings.Contains(out, "takes a restart of SolarHub\nNothing has changed") {
		t.Errorf("reload with another name: %v\n%s", err, out)
	}
	b.reconfigure("name: other", "name: reload")
	logged("name, poll of Attic")

	b.reconfigure("now: 100ms", "now: 1ms")
	if out, err := command(); err == nil || !strings.Contains(out, "1ms") || !strings.Contains(out, "1 finding") {
		t.Errorf("a wrong configuration: %v\n%s", err, out)
	}
	if err := b.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	logged("The changed configuration is not taken over: nothing has changed")
	for _, i := range []inverter{b.senergy, other} {
		if err := ha.SetValue(ctx, i.serial+key, 42.0); err != nil || i.register("battery_grid_charge_soc") != 42 {
			t.Errorf("set after it: %v", err)
		}
	}
	for _, x := range other.line.Journal().Since(0) {
		if x.Connection != 1 {
			t.Fatalf("the line that has not changed was connected %d times", x.Connection)
		}
	}
	b.end(syscall.SIGTERM)
	if out, err := command(); err == nil {
		t.Errorf("nothing runs any more, and the command says %s", out)
	}
}

// reloadToken has the form of a token of Home Assistant.
const reloadToken = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl"
