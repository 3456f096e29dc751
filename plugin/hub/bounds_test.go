package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/plugin/host"
)

// A value of a megabyte would be kept, logged, sent back twice and never fit into the cache.
func TestWhatAHostSendsHasBounds(t *testing.T) {
	s, _ := still(t, Memory{})
	s.describe(time.Now())
	long := strings.Repeat("x", 1200<<10)
	for name, c := range map[string]struct {
		call host.Call
		code string
	}{
		"text":    {host.Call{Value: long}, host.CodeWrongType},
		"list":    {host.Call{Value: []any{1.0}}, host.CodeWrongType},
		"mapping": {host.Call{Value: map[string]any{long: 1.0}}, host.CodeWrongType},
		"call id": {host.Call{Value: 1.0, CallID: long}, host.CodeFailed},
		"device":  {host.Call{Value: 1.0, Device: long}, host.CodeFailed},
		"action":  {host.Call{Value: 1.0, Action: long}, host.CodeFailed},
		"id":      {host.Call{Value: 1.0, ID: long}, host.CodeFailed},
	} {
		if c.call.ID == "" {
			c.call.ID = id("charge_end_soc")
		}
		if c.call.Action == "" {
			c.call.Action = host.ActionSet
		}
		r := s.hub.Call(context.Background(), c.call) // nothing runs: it would wait if it were let through
		if r.Err == nil || r.Err.Code != c.code {
			t.Errorf("%s: %+v", name, r)
			continue
		}
		if text, _ := json.Marshal(r.Err); len(text) > 1000 {
			t.Errorf("%s: the error has %d bytes", name, len(text))
		}
	}
	if l := s.ledger.Last(1); len(l) != 0 {
		t.Errorf("the ledger has %+v", l)
	}
}

func TestTheListOfDisabledIDsFitsIntoTheCache(t *testing.T) {
	s, _ := still(t, Memory{})
	var ids []string
	for n := range 60_000 {
		ids = append(ids, fmt.Sprintf("%s_point_%05d", serialNumber, n))
	}
	s.setDisabled(ids, time.Now())
	if n := len(s.pending[disabledKey]); n == 0 || n > 1<<20 {
		t.Errorf("the list has %d bytes", n)
	}
	if !s.disabled[ids[len(ids)-1]] {
		t.Error("what does not fit into the cache does not count in this run")
	}
}
