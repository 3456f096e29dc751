package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
)

// TestHandover: a hold waits for the calls that have begun, but not for ever; later calls wait for its end, or until
// their own.
func TestHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, u := still(t, Memory{})
		h := s.hub
		s.describe(time.Now())
		call := host.Call{Action: host.ActionSet, ID: id("battery_grid_charge_soc")}
		held := []*devices.Device{u.device}

		end, refused := h.begin(t.Context(), call)
		if refused != nil {
			t.Fatal(refused)
		}
		began := time.Now()
		time.AfterFunc(3*time.Second, end)
		release := h.Hold(t.Context(), held)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it waits %v for a call that has begun", took)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, refused := h.begin(short, call); refused == nil || refused.Code != host.CodeExpired {
			t.Errorf("a call whose time is over: %v", refused)
		}
		gone, leave := context.WithCancelCause(t.Context())
		leave(host.ErrCancelled)
		if _, refused := h.begin(gone, call); refused == nil || refused.Code != host.CodeCancelled {
			t.Errorf("a call whose caller has gone: %v", refused)
		}
		other, refused := h.begin(gone, host.Call{ID: "another device"})
		if refused != nil {
			t.Fatalf("a call to another device: %v", refused)
		}
		other()
		time.AfterFunc(5*time.Second, release)
		if end, refused = h.begin(t.Context(), call); refused != nil || time.Since(began) != 9*time.Second {
			t.Errorf("the next call begins after %v: %v", time.Since(began), refused)
		}
		limited, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("enough"))
		defer cancel()
		h.Hold(limited, held)() // a call that does not end
		if took := time.Since(began); took != 69*time.Second {
			t.Errorf("it waits %v for a call that does not end", took)
		}
		end()
		if len(h.handover.running)+len(h.handover.held) != 0 {
			t.Errorf("left: %+v", &h.handover)
		}
	})
}
