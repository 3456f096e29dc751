package plugin

import (
	"context"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// chargeTo is the set-value of a host with that call id.
func chargeTo(value any, call string) host.Call {
	return host.Call{CallID: call, Action: host.ActionSet, ID: id("battery_grid_charge_soc"), Value: value}
}

func TestACallThatEndsBeforeItBeginsIsNotWritten(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("battery_grid_charge_soc", "50")
	gone, cancel := context.WithCancelCause(h.ctx)
	cancel(host.ErrSessionLost)
	if r := h.plugin.hub.Call(gone, chargeTo(10.0, "c1")); r.Err == nil || r.Err.Code != host.CodeCancelled ||
		len(h.writes()) != 0 {
		t.Fatalf("with the session gone: %+v, written %v", r, h.writes())
	}
	if r := h.plugin.hub.Call(h.ctx, chargeTo(10.0, "c2")); r.Err != nil || h.register(chargeEnd) != 10 {
		t.Errorf("in the next session: %+v, the register holds %d", r, h.register(chargeEnd))
	}
}

func TestAValueThatDoesNotStay(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("battery_grid_charge_soc", "50")
	h.unit.Behave(protocol.Range{Addr: chargeEnd, Count: 1}, simtest.RevertAfter(150*time.Millisecond))
	if err := h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), 60.0); err != nil {
		t.Fatal(err)
	}
	var e ledger.Entry
	h.poll("the ledger knows", func() bool {
		e = h.ledger()[0]
		return e.Reverted != nil
	})
	if e.Outcome != ledger.Written || e.Found != "60" || e.Reverted.Found != "50" {
		t.Errorf("entry %+v %+v", e, e.Reverted)
	}
}

// The owner deletes a device in the host. Neither a lost connection nor a restart brings it back; a changed entry does.
func TestADeletedDeviceStaysDeletedOverALostConnection(t *testing.T) {
	h := newHouse(t, ", name: One")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.host().RemoveDevice(serialNumber)
	h.poll("nothing is polled any more",
		func() bool { p := h.snapshot().Devices[0].Polled; return p != nil && len(p) == 0 })
	gone := func(when string) {
		t.Helper()
		h.until("ready "+when, func() bool { return h.host().Ready("house") })
		if _, there := h.host().State(id("battery_grid_charge_soc")); there {
			t.Errorf("%s it is back", when)
		}
	}
	h.host().Drop()
	gone("after a lost connection")
	h.halt()
	h.start()
	gone("after a restart")
	h.halt()
	h.config = strings.Replace(h.config, "name: One", "name: Two", 1)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
}

// A device that is taken out of the configuration leaves the host.
func TestADeviceOutOfTheConfigurationLeavesTheHost(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	h.halt()
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	unit, err := simulate.Unit(family, profile.Traits{"phases": "single"}, "SIM0099999")
	if err != nil {
		t.Fatal(err)
	}
	other := serve(t, sim.NewLine(sim.Options{}, unit))
	before, _, _ := strings.Cut(h.config, "  - tcp:")
	h.config = before + "  - tcp: " + other +
		"\n    devices: [{profile: senergy, turnaround: 0s, poll: {now: 100ms}}]\n"
	h.start()
	h.until("the old device has left", func() bool {
		_, old := h.host().State(id("battery_grid_charge_soc"))
		_, here := h.host().State("SIM0099999_battery_grid_charge_soc")
		return here && !old
	})
}
