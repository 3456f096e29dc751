package plugin

import (
	"context"
	"testing"
	"time"

	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/sim/simtest"
)

// chargeTo is the set-value of a host with that call id.
func chargeTo(value any, call string) host.Call {
	return host.Call{CallID: call, Action: host.ActionSet, ID: id("charge_end_soc"), Value: value}
}

func TestACallThatEndsBeforeItBeginsIsNotWritten(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("charge_end_soc", "50")
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
	h.wait("charge_end_soc", "50")
	h.unit.Behave(protocol.Range{Addr: chargeEnd, Count: 1}, simtest.RevertAfter(150*time.Millisecond))
	if err := h.host().SetValue(h.ctx, id("charge_end_soc"), 60.0); err != nil {
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
