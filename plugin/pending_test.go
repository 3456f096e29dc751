package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

const choosyProfile = `
profile: choosy
name: Choosy meter
manufacturer: House
sources: {maker: "The makers paper"}
line: {unit: 1, source: maker}
identify: {serial: {at: 0, type: text, length: 5}, source: maker}
traits:
  type: {choice: {small: Small one, large: Large one}, ask: Which one is it?}
points:
  - {key: power, name: Power, at: 10, scale: {small: 1, large: 10}, unit: W, class: power, every: now, show: true,
     source: maker}
`

// pendingHouse is a house whose device is of choosyProfile, and gives no serial number.
func pendingHouse(t *testing.T) (h *house, pending func(key string) string) {
	t.Helper()
	h = newHouse(t, ", name: Roof")
	file := filepath.Join(h.data, "choosy.yaml")
	text := choosyProfile
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if h.unit, err = simulate.Unit(p, profile.Traits{"type": "small"}, serialNumber); err != nil {
		t.Fatal(err)
	}
	h.unit.Set(protocol.HoldingRegister, 0, 0, 0, 0, 0, 0)
	h.unit.Set(protocol.HoldingRegister, 10, 7)
	h.line = sim.NewLine(sim.Options{Wait: h.gate.Wait}, h.unit)
	place := serve(t, h.line)
	h.config = fmt.Sprintf("host: {url: %q, token: %s}\nname: house\ndata: %s\nlines:\n  - tcp: %s\n    devices:\n"+
		"      - {profile: %s, name: Roof, poll: {now: 100ms, normal: 100ms, slow: 100ms}}\n", h.address, goodToken,
		h.data, place, file)
	id := pendingID("house", "tcp "+place+"#1")
	return h, func(key string) string { return id + "_" + key }
}

func (h *house) waitFor(id, want string) {
	h.t.Helper()
	h.until(id+" is "+want, func() bool {
		s, _ := h.host().State(id)
		return strings.Contains(s.State, want)
	})
}

// gone reports whether the host has no entity with an id.
func (h *house) gone(id string) bool {
	s, ok := h.host().State(id)
	return !ok || s.State == ""
}

// A device that has never said who it is stands in the host with the reason, and with the question to its owner, until
// it does. The owner's answer outlives a restart, and so does what the host shows.
func TestDeviceThatWasNeverIdentified(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits until the device has been unknown for long enough")
	}
	h, pending := pendingHouse(t)
	h.start()
	h.waitFor(pending("status"), "Which one is it?")
	h.waitFor(pending("choice_type"), devhost.Unknown)
	h.halt()

	began := time.Now()
	h.start()
	h.waitFor(pending("status"), "Which one is it?")
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("after a restart it is shown after %v", took)
	}
	h.until("a wrong choice is refused", func() bool { // before that the plugin may not be connected again
		var failure *devhost.Error
		err := h.host().SetValue(h.ctx, pending("choice_type"), "huge")
		return errors.As(err, &failure) && failure.Key == host.CodeUnknownOption
	})
	if err := h.host().SetValue(h.ctx, pending("choice_type"), "large"); err != nil {
		t.Fatal(err)
	}
	h.waitFor(pending("choice_type"), "Large one")
	h.waitFor(pending("status"), "gives no serial number")
	h.halt()
	h.start()
	h.waitFor(pending("choice_type"), "Large one")
	h.unit.Set(protocol.HoldingRegister, 0, words(serialNumber)...)
	h.wait("power", "70")
	h.until("what stood for it is gone", func() bool {
		return h.gone(pending("status")) && h.gone(pending("choice_type"))
	})
	h.waitFor(id("choice_type"), "Large one")
	if err := h.host().SetValue(h.ctx, id("choice_type"), "small"); err != nil {
		t.Fatal(err)
	}
	h.wait("power", "7")
	h.halt()
	h.start()
	h.wait("power", "7")
	if !h.gone(pending("status")) {
		t.Error("what stood for it is back")
	}
}

// words are the registers that hold a text.
func words(text string) (all []uint16) {
	for i := 0; i+1 < len(text); i += 2 {
		all = append(all, uint16(text[i])<<8|uint16(text[i+1]))
	}
	return all
}
