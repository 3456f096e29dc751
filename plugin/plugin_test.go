package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/plugin/lock"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim/simtest"
)

// Registers of the Senergy's points that the tests use.
const (
	chargeEnd   = 8471 // battery_grid_charge_soc: number 0..100 %, step 1
	gridCharge  = 8469 // battery_grid_charge: switch
	windowStart = 8450 // charge_window_1_start: time of day, packed
	temperature = 4124 // dc_temperature: sensor
)

func (h *house) set(addr, word uint16) { h.unit.Set(protocol.HoldingRegister, addr, word) }

func TestFromACardToARegisterAndBack(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 80)
	h.set(windowStart, 0x0102)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.wait("charge_window_1_start", "01:02:00")
	h.wait("charge_window_1_start_text", "01:02")
	if len(h.writes()) > 0 {
		t.Errorf("written at the start: %v", h.writes())
	}
	for _, c := range []struct {
		key   string
		value any
		addr  uint16
		word  uint16
		shown map[string]string
	}{
		{"battery_grid_charge_soc", 55.0, chargeEnd, 55, map[string]string{"battery_grid_charge_soc": "55"}},
		{"battery_grid_charge", true, gridCharge, 1, map[string]string{"battery_grid_charge": "on"}},
		{"battery_grid_charge", false, gridCharge, 0, map[string]string{"battery_grid_charge": "off"}},
		{"charge_window_1_start", "05:30", windowStart, 5<<8 | 30,
			map[string]string{"charge_window_1_start": "05:30:00", "charge_window_1_start_text": "05:30"}},
		{"charge_window_1_start_text", "06:45", windowStart, 6<<8 | 45,
			map[string]string{"charge_window_1_start": "06:45:00", "charge_window_1_start_text": "06:45"}},
	} {
		if err := h.host().SetValue(h.ctx, id(c.key), c.value); err != nil {
			t.Fatalf("%s = %v: %v", c.key, c.value, err)
		}
		if got := h.register(c.addr); got != c.word {
			t.Errorf("%s = %v: the register holds %d, want %d", c.key, c.value, got, c.word)
		}
		for key, want := range c.shown { // the result itself has brought it
			if got := h.state(key).State; got != want {
				t.Errorf("%s = %v: %s is shown as %q", c.key, c.value, key, got)
			}
		}
	}
	if l := h.ledger(); len(l) != 5 || l[0].Outcome != ledger.Written || l[0].Found != "55" {
		t.Errorf("ledger: %+v", l)
	}
	h.set(chargeEnd, 56)
	h.wait("battery_grid_charge_soc", "56") // nothing is held back any more
}

func TestRefusals(t *testing.T) {
	h := newHouse(t, "")
	h.start()
	h.until("battery_grid_charge_soc has a value", func() bool {
		state := h.state("battery_grid_charge_soc").State
		return state != devhost.Unavailable && state != ""
	})
	var failure *devhost.Error
	err := h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 101.0)
	if !errors.As(err, &failure) || failure.Key != host.CodeOutOfRange || failure.Placeholders["max"] != "100" ||
		failure.Placeholders["min"] != "0" {
		t.Errorf("above the limit: %#v", err)
	}
	if len(h.writes()) > 0 {
		t.Errorf("written: %v", h.writes())
	}
	for _, c := range []struct {
		call host.Call
		code string
	}{
		{host.Call{Action: host.ActionSet, ID: "nobody_x", Value: 1.0}, host.CodeUnknownEntity},
		{host.Call{Action: host.ActionRead, ID: "nobody_x"}, host.CodeUnknownEntity},
		{host.Call{Action: host.ActionRead, ID: id("battery_soc_mxa")}, host.CodeUnknownKey},
		{host.Call{Action: host.ActionRefresh, Device: "nobody"}, host.CodeUnknownEntity},
		{host.Call{Action: "dance", ID: id("battery_grid_charge_soc")}, host.CodeFailed},
		{host.Call{Action: host.ActionPress, ID: id("battery_grid_charge_soc")}, host.CodeFailed},
		{host.Call{Action: host.ActionSet, ID: id("battery_grid_charge_soc"), Value: "much"}, host.CodeWrongType},
		{host.Call{Action: host.ActionSet, ID: id("battery_grid_charge_soc"), Value: 5.5}, host.CodeOffStep},
		{host.Call{Action: host.ActionSet, ID: id("temperature"), Value: 5.0}, host.CodeReadOnly},
		{host.Call{Action: host.ActionSet, ID: id("battery_type"), Value: "lead_acid"}, host.CodeReadOnly},
		{host.Call{Action: host.ActionSet, ID: id("schedule_window_1_repeat"), Value: "Never"}, host.CodeUnknownOption},
	} {
		r := h.plugin.hub.Call(h.ctx, c.call)
		if r.Err == nil || r.Err.Code != c.code || r.Err.Reason() == "" {
			t.Errorf("%+v: %v, want %s", c.call, r.Err, c.code)
		}
	}
	h.unit.Behave(protocol.Range{Addr: chargeEnd, Count: 1}, simtest.Ignore())
	err = h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 12.0)
	if !errors.As(err, &failure) || failure.Key != host.CodeNotVerified ||
		!strings.HasPrefix(fmt.Sprint(failure.Placeholders["wanted"]), "12") {
		t.Errorf("acknowledged and not stored: %#v", err)
	}
	h.unit.ReadOnly(protocol.Range{Addr: chargeEnd, Count: 1}, 4)
	err = h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 12.0)
	if !errors.As(err, &failure) || failure.Key != host.CodeException || failure.Placeholders["code"] != "4" {
		t.Errorf("exception: %#v", err)
	}
}

func TestReadAndRefresh(t *testing.T) {
	h := newHouse(t, "")
	h.set(temperature, 21)
	h.start()
	h.wait("temperature", "21")
	h.config = ""
	h.set(temperature, 22)
	r := h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionRead, ID: id("temperature")})
	got, ok := r.Response.(host.Reading)
	if r.Err != nil || !ok || got.Value != 22.0 || got.Unit != "°C" || got.Registers != "holding 4124+1" ||
		len(got.Raw) != 1 || got.Raw[0] != 22 {
		t.Errorf("read: %+v %v", r.Response, r.Err)
	}
	if len(r.Confirmed) != 1 || r.Confirmed[0] != id("temperature") {
		t.Errorf("confirmed %v", r.Confirmed)
	}
	r = h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionRead, ID: id("pv_energy_whole")}) // no entity
	if got, ok := r.Response.(host.Reading); r.Err != nil || !ok || got.Registers != "holding 4129+2" {
		t.Errorf("read what is no entity: %+v %v", r.Response, r.Err)
	}
	for _, device := range []string{serialNumber, serialNumber + "/battery"} {
		before := h.line.Journal().Last()
		if r := h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionRefresh, Device: device}); r.Err != nil {
			t.Errorf("refresh %s: %v", device, r.Err)
		}
		if h.line.Journal().Last() == before {
			t.Errorf("refresh %s read nothing", device)
		}
	}
}

func TestARestartOfThePluginKeepsValues(t *testing.T) {
	h := newHouse(t, ", timeout: 20s")
	h.set(chargeEnd, 66)
	h.set(temperature, 33)
	h.start()
	h.wait("battery_grid_charge_soc", "66")
	h.wait("temperature", "33")
	h.halt()

	h.gate.close() // the device takes its time
	h.start()
	for key, want := range map[string]string{"battery_grid_charge_soc": "66", "temperature": "33"} {
		h.until(key+" is shown from the cache",
			func() bool { s := h.state(key); return s.State == want && s.Attributes["read_at"] != nil })
		at, err := time.Parse(time.RFC3339, fmt.Sprint(h.state(key).Attributes["read_at"]))
		if err != nil || time.Since(at) > patience {
			t.Errorf("%s: read_at %v: %v", key, h.state(key).Attributes["read_at"], err)
		}
	}
	h.gate.open()
	h.until("read_at goes with the first fresh value", func() bool {
		s := h.state("battery_grid_charge_soc")
		return s.State == "66" && s.Attributes["read_at"] == nil
	})
	if len(h.writes()) > 0 {
		t.Errorf("written: %v", h.writes())
	}
}

func TestOldMeasurementsAreUnknown(t *testing.T) {
	h := newHouse(t, ", timeout: 20s")
	h.start()
	h.until("everything is there",
		func() bool { return h.state("temperature").State != "" && h.host().Ready("house") })
	h.poll("the temperature is known", func() bool {
		_, ok := h.snapshot().Devices[0].Readings["temperature"]
		return ok
	})
	h.halt()
	store, _, err := cache.Open(h.data, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	batch := map[string][]byte{}
	for _, key := range []string{"temperature", "battery_grid_charge_soc", "pv_energy"} {
		batch["value/"+serialNumber+"/"+key] = encode(t,
			map[string]any{"v": codec.Number(17), "t": time.Now().Add(-time.Hour)})
	}
	if err := errors.Join(store.Put(batch), store.Close()); err != nil {
		t.Fatal(err)
	}
	h.gate.close()
	h.start()
	for key, want := range map[string]string{"battery_grid_charge_soc": "17", "pv_energy": "17",
		"temperature": devhost.Unknown} {
		h.wait(key, want)
		if at := h.state(key).Attributes["read_at"]; (at != nil) != (want == "17") {
			t.Errorf("%s: read_at %v", key, at)
		}
	}
}

func TestTheHostGoesAndComesBack(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 10)
	h.start()
	h.wait("battery_grid_charge_soc", "10")
	h.closeHost()
	h.set(chargeEnd, 11)
	h.openHost()
	if got := h.state("battery_grid_charge_soc").State; got != devhost.Unavailable {
		t.Errorf("before the plugin is back it is %q", got)
	}
	h.wait("battery_grid_charge_soc", "11")
	h.host().Drop()
	h.set(chargeEnd, 12)
	h.wait("battery_grid_charge_soc", "12")
	if err := h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 13.0); err != nil || h.register(chargeEnd) != 13 {
		t.Errorf("set: %v, the register holds %d", err, h.register(chargeEnd))
	}
}

func TestTheDeviceGoesAndComesBack(t *testing.T) {
	h := newHouse(t, ", timeout: 50ms")
	h.set(chargeEnd, 10)
	h.start()
	h.wait("battery_grid_charge_soc", "10")
	h.line.Off()
	h.wait("battery_grid_charge_soc", devhost.Unavailable)
	for _, key := range []string{"battery_soc", "grid_power"} { // of its parts
		h.wait(key, devhost.Unavailable)
	}
	r := h.plugin.hub.Call(h.ctx, host.Call{Action: host.ActionRead, ID: id("battery_grid_charge_soc")})
	if r.Err == nil || r.Err.Code != host.CodeNoAnswer && r.Err.Code != host.CodeLineDown {
		t.Errorf("read while it is away: %v", r.Err)
	}
	h.line.On()
	h.set(chargeEnd, 20)
	h.wait("battery_grid_charge_soc", "20")
}

func TestKilledWhileWriting(t *testing.T) {
	h := newHouse(t, "")
	store, _, err := cache.Open(h.data, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	left := ledger.Entry{Number: 7, At: time.Now(), Call: "c7", Action: host.ActionSet,
		ID: id("battery_grid_charge_soc"), Value: 99.0, Outcome: ledger.Begun}
	if err := store.Put(map[string][]byte{ledger.Prefix + "007": encode(t, left), "odd": []byte("?")}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	h.set(chargeEnd, 10)
	h.start()
	h.wait("battery_grid_charge_soc", "10")
	h.closeHost()
	h.openHost()
	h.wait("battery_grid_charge_soc", "10")
	if len(h.writes()) > 0 {
		t.Errorf("replayed: %v", h.writes())
	}
	if l := h.ledger(); len(l) != 1 || l[0].Outcome != host.CodeNotVerified {
		t.Errorf("ledger: %+v", l)
	}
}

func TestTheNewestOfTwoWritesStays(t *testing.T) {
	h := newHouse(t, ", timeout: 20s")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("battery_grid_charge_soc", "50")
	h.gate.close()
	ends := make(chan error, 2)
	for n, value := range []float64{10, 20} {
		go func() { ends <- h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), value) }()
		h.poll("the call has come", func() bool {
			return len(h.ledger()) == n+1
		})
	}
	h.gate.open()
	for range 2 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	if got := h.register(chargeEnd); got != 20 {
		t.Errorf("the register holds %d", got)
	}
	if got := h.state("battery_grid_charge_soc").State; got != "20" {
		t.Errorf("shown is %q", got)
	}
	if w := h.writes(); w[len(w)-1].Words[0] != 20 {
		t.Errorf("writes: %v", w)
	}
}

// poll asks again and again, for what no channel tells.
func (h *house) poll(what string, holds func() bool) {
	h.t.Helper()
	for !holds() {
		if h.ctx.Err() != nil {
			h.t.Fatalf("%s: %v", what, h.ctx.Err())
		}
		time.Sleep(time.Millisecond)
	}
}

func TestOnlyWhatTheHostShowsIsPolled(t *testing.T) {
	h := newHouse(t, "")
	h.start()
	h.poll("the host's list is followed", func() bool {
		polled := h.snapshot().Devices[0].Polled
		return polled != nil && polled["battery_grid_charge_soc"] && !polled["rated_power"]
	})
	for _, c := range []struct {
		disabled []string
		polled   bool
	}{
		{[]string{"charge_window_1_start"}, true}, // its twin is left
		{[]string{"charge_window_1_start_text"}, false},
	} {
		for _, key := range c.disabled {
			if err := h.host().SetDisabled(id(key), true); err != nil {
				t.Fatal(err)
			}
		}
		h.poll(fmt.Sprintf("charge_window_1_start is polled: %t", c.polled), func() bool {
			return h.snapshot().Devices[0].Polled["charge_window_1_start"] == c.polled
		})
	}
	h.halt()
	h.closeHost() // the host stays away: the list is remembered
	h.start()
	h.poll("the plugin runs", func() bool { return h.plugin.now.Load() != nil })
	if p := h.snapshot().Devices[0].Polled; p == nil || p["charge_window_1_start"] || !p["battery_grid_charge_soc"] {
		t.Errorf("polled after a restart without a host: %v", p)
	}
}

func TestTwoPluginsWithOneCache(t *testing.T) {
	h := newHouse(t, "")
	h.start()
	h.poll("the plugin runs", func() bool { return h.plugin.now.Load() != nil })
	c, err := config.Parse("c.yaml", []byte(h.config))
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(c, Deps{Log: zerolog.Nop(), Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	var held *lock.HeldError
	if err := other.Run(h.ctx); !errors.As(err, &held) {
		t.Errorf("the second on the same line ends with %v", err)
	}
	c.Lines[0].Address = "127.0.0.1:1"
	if other, err = New(c, Deps{Log: zerolog.Nop(), Version: "1"}); err != nil {
		t.Fatal(err)
	}
	var locked *cache.LockedError
	if err := other.Run(h.ctx); !errors.As(err, &locked) {
		t.Errorf("the second with the same cache ends with %v", err)
	}
	if _, err := New(config.Config{}, Deps{}); err == nil || !strings.Contains(err.Error(), "access token") {
		t.Errorf("an empty configuration: %v", err)
	}
}

// encode returns what the cache holds of a value.
func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
