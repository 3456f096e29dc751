package plugin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
	"solarhub/plugin/lock"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// The serial numbers of further inverters of a house.
const (
	secondNumber = "SIM0022222" // on a line of its own
	thirdNumber  = "SIM0033333" // unit 2 on the first line
)

// inverter is a simulated Senergy inverter with a unit id.
func inverter(t *testing.T, serial string, unit protocol.UnitID) *sim.Unit {
	t.Helper()
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	own := *family
	own.Line.Unit = unit
	u, err := simulate.Unit(&own, profile.Traits{"phases": "single"}, serial)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// twoLines adds an inverter on a line of its own to a house, and one at unit id 2 that the configuration does not name.
func twoLines(t *testing.T, more string) *house {
	t.Helper()
	h := newHouse(t, ", name: One"+more)
	h.line.Add(inverter(t, thirdNumber, 2))
	h.config = strings.Replace(h.config, "grace: 0s", "grace: 20s", 1)
	h.config += "  - tcp: " + serve(t, sim.NewLine(sim.Options{}, inverter(t, secondNumber, 1))) +
		"\n    devices:\n      - {profile: senergy, name: Two, poll: {now: 100ms}}\n"
	return h
}

const third = "      - {profile: senergy, unit: 2, name: Three, poll: {now: 100ms, normal: 100ms}}\n"

// edit changes the text of the configuration and returns it as it is read.
func (h *house) edit(from, to string) config.Config {
	h.t.Helper()
	if !strings.Contains(h.config, from) {
		h.t.Fatalf("no %q in\n%s", from, h.config)
	}
	h.config = strings.Replace(h.config, from, to, 1)
	c, err := config.Parse(filepath.Join(h.data, "solarhub.yaml"), []byte(h.config))
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// reload has the running plugin take over an edited configuration, and returns what it says of it.
func (h *house) reload(from, to string) string {
	h.t.Helper()
	what, err := h.plugin.takeOver(h.ctx, h.edit(from, to))
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(what.Sentences(), "\n")
}

// lines returns those that run.
func (h *house) lines() []*line {
	h.t.Helper()
	h.poll("the plugin runs", func() bool { return h.plugin.now.Load() != nil })
	return h.plugin.now.Load().lines
}

// watch tells, when it is asked, whether entities have ever been without a value since.
func (h *house) watch(ids ...string) (lost func() []string) {
	ctx, cancel := context.WithCancel(h.ctx)
	var watching sync.WaitGroup
	var all []string
	watching.Go(func() {
		_ = h.host().Wait(ctx, func() bool {
			for _, id := range ids {
				if s, ok := h.host().State(id); !ok || s.State == devhost.Unavailable || s.State == devhost.Unknown {
					all = append(all, id+" "+s.State)
				}
			}
			return false
		})
	})
	return func() []string { cancel(); watching.Wait(); return all }
}

func TestAReloadTouchesOnlyWhatHasChanged(t *testing.T) {
	h := twoLines(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.waitFor(secondNumber+"_battery_grid_charge_soc", "50")
	h.poll("the session is ready", func() bool { return h.plugin.client.Load().Status().Ready })
	before, since := h.lines(), h.plugin.client.Load().Status().Since
	lost := h.watch(id("battery_grid_charge_soc"), secondNumber+"_battery_grid_charge_soc")

	first := before[0].Config.String()
	if got, want := h.reload("slow: 100ms}, name: One}\n", "slow: 190ms}, name: One}\n"+third), "line "+first+
		": poll of One; Three is new"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	h.waitFor(thirdNumber+"_battery_grid_charge_soc", "50")
	h.set(chargeEnd, 70)
	h.wait("battery_grid_charge_soc", "70")
	after := h.lines()
	if after[1] != before[1] || after[1].Bus.Stats().Openings != 1 {
		t.Error("the line that has not changed was interrupted")
	}
	if after[0] == before[0] || len(after[0].Devices) != 2 {
		t.Error("the line that has changed was not started anew")
	}
	if got := h.reload(third, ""); got != "line "+first+": Three is gone" {
		t.Errorf("it says %q", got)
	}
	h.until("the device that is gone leaves the host", func() bool {
		_, there := h.host().State(thirdNumber + "_battery_grid_charge_soc")
		return !there
	})
	if h.reload("", "") != "" || h.lines()[0].Devices[0].Name() != "One" {
		t.Error("the same configuration makes a difference")
	}
	if all := lost(); len(all) > 0 {
		t.Errorf("without a value meanwhile: %v", all)
	}
	if now := h.plugin.client.Load().Status(); now.Since != since || !now.Ready {
		t.Error("the session was interrupted")
	}
	h.halt()
	if s, _ := h.host().State(id("battery_grid_charge_soc")); s.State == "" {
		t.Error("the host has nothing any more")
	}
}

func TestAReloadThatIsRefusedChangesNothing(t *testing.T) {
	h := twoLines(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	before := h.lines()
	held, err := lock.Line("127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	const entry = "\n    devices: [{profile: senergy}]\n"
	for _, c := range []struct{ from, to, want string }{
		{"name: house", "name: home", "takes a restart"},
		{"data: ", "data: x", "takes a restart"},
		{"name: One", "name: Other", ""}, // here nothing is wrong yet
		{"  - tcp", "  - tcp: 127.0.0.1:8" + entry + "  - tcp: 127.0.0.1:9" + entry + "  - tcp", "line 127.0.0.1:9"},
	} {
		good := h.config
		cfg := h.edit(c.from, c.to)
		if h.config = good; c.want == "" {
			continue
		}
		if _, err := h.plugin.takeOver(h.ctx, cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.to, err)
		}
		if now := h.lines(); !slices.Equal(now, before) || now[0].Bus.Stats().Openings != 1 {
			t.Errorf("%s: something has changed", c.to)
		}
	}
	free, err := lock.Line("127.0.0.1:8")
	if err != nil {
		t.Fatalf("the lock of a line that was not taken over is kept: %v", err)
	}
	defer free.Release()
}

// TestALineThatIsReplacedLetsItsLockGo: and the device that has moved to another address goes on with its id.
func TestADeviceThatMoves(t *testing.T) {
	h := twoLines(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	old := h.lines()[0].Config.Address
	other := serve(t, h.line)
	moved := "line tcp " + other + ": new, with One\nline tcp " + old + ": gone, with One"
	if got := h.reload(old, other); got != moved {
		t.Errorf("it says %q", got)
	}
	h.set(chargeEnd, 60)
	h.wait("battery_grid_charge_soc", "60")
	free, err := lock.Line(old)
	if err != nil {
		t.Fatalf("the lock of the line that is gone is kept: %v", err)
	}
	defer free.Release()
	err = h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 61.0)
	if err != nil || h.register(chargeEnd) != 61 {
		t.Errorf("set at the new address: %v", err)
	}
}

// TestCallsWaitForTheReload: the one that has begun is carried out by the device as it was, the next by the one in its
// place.
func TestCallsWaitForTheReload(t *testing.T) {
	h := twoLines(t, ", timeout: 20s")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.gate.close()
	results := make(chan host.Result, 2)
	call := func(value float64, name string) {
		go func() { results <- h.plugin.hub.Call(h.ctx, chargeTo(value, name)) }()
	}
	call(50, "c1")
	h.poll("the first call waits for the line", func() bool { return len(h.ledger()) == 1 })
	said := make(chan string, 1)
	cfg := h.edit("name: One", "name: Uno")
	go func() {
		what, err := h.plugin.takeOver(h.ctx, cfg)
		said <- strings.Join(append(what.Sentences(), errorText(err)), "|")
	}()
	h.poll("the reload holds further calls", func() bool {
		ctx, cancel := context.WithTimeout(h.ctx, time.Millisecond)
		defer cancel()
		r := h.plugin.hub.Call(ctx, chargeTo(40.0, "late"))
		return r.Err != nil && r.Err.Code == host.CodeExpired &&
			strings.Contains(r.Err.Reason(), "started with a changed configuration")
	})
	call(60, "c2")
	h.gate.open()
	for range 2 {
		if r := <-results; r.Err != nil {
			t.Errorf("a call fails: %v", r.Err)
		}
	}
	if got := <-said; !strings.HasSuffix(got, ": name of One|") && !strings.HasSuffix(got, ": name of Uno|") {
		t.Errorf("it says %q", got)
	}
	if w := h.writes(); len(w) < 2 || h.register(chargeEnd) != 60 {
		t.Errorf("written %v, the register holds %d", w, h.register(chargeEnd))
	}
	h.wait("battery_grid_charge_soc", "60")
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAReloadReachesAnotherHost(t *testing.T) {
	h := twoLines(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	before := h.lines()
	second := devhost.New(devhost.Options{Token: goodToken, Grace: time.Millisecond})
	defer second.Close()
	server := httptest.NewServer(http.HandlerFunc(second.Handler().ServeHTTP))
	defer server.Close()
	if got := h.reload(h.address, server.URL); got != "Home Assistant: url; the connection is made anew" {
		t.Errorf("it says %q", got)
	}
	if err := second.WaitState(h.ctx, id("battery_grid_charge_soc"), "80"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.lines(), before) || before[0].Bus.Stats().Openings != 1 {
		t.Error("a line was interrupted")
	}
	h.until("the first host was told", func() bool { return !h.host().Ready("house") })
	h.halt()
}

// TestAReloadBringsADeletedDeviceBack: a changed entry asks for it again, as with a restart.
func TestAReloadBringsADeletedDeviceBack(t *testing.T) {
	h := twoLines(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.host().RemoveDevice(serialNumber)
	h.poll("nothing is polled any more",
		func() bool { p := h.snapshot().Devices[0].Polled; return p != nil && len(p) == 0 })
	h.reload("name: Two", "name: Second")
	if p := h.snapshot().Devices[0].Polled; len(p) != 0 {
		t.Errorf("another entry was changed, and it is polled: %v", p)
	}
	h.reload("name: One", "name: First")
	h.wait("battery_grid_charge_soc", "80")
}

// TestAChangedProfile: what its file says counts at once, and an old value is not shown in the new way.
func TestAChangedProfile(t *testing.T) {
	h, _ := pendingHouse(t)
	file := filepath.Join(h.data, "choosy.yaml")
	h.unit.Set(protocol.HoldingRegister, 0, words(serialNumber)...)
	h.edit("name: Roof", "name: Roof, grace: 20s, traits: {type: small}")
	h.start()
	h.wait("power", "7")
	changed := strings.Replace(choosyProfile, "small: 1,", "small: 100,", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := h.reload("name: Roof", "name: Roof"); !strings.HasSuffix(got, ": profile of Roof") {
		t.Errorf("it says %q", got)
	}
	h.wait("power", "700")
}
