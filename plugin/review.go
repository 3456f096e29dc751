package plugin

import (
	"context"
	"fmt"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
)

// review answers a call that an earlier process had begun, and may have carried out: it is not written again, what the device
// holds is the answer.
func (h *Hub) review(ctx context.Context, call host.Call, t target, before Entry) host.Result {
	if call.Action != before.Action || call.ID != before.ID || host.Value(call.Value) != host.Value(before.Value) {
		return failed(anotherCall(call, t))
	}
	ids := h.described.Load().ids[t.device][t.point.Key]
	result, entry := h.looked(ctx, call, t, ids)
	h.do(context.WithoutCancel(ctx), func(s *state) {
		s.ledger.end(before.Number, entry.Outcome, entry.Reason, entry.Found, time.Now())
	})
	h.tell(call, t, entry, devices.Outcome{}, 0)
	return result
}

// looked reads the point and judges by it whether the value was written.
func (h *Hub) looked(ctx context.Context, call host.Call, t target, ids []string) (host.Result, Entry) {
	name, where := t.point.Name, registers(t.point)
	more := map[string]string{"name": name, "device": t.device.Name(), "register": where}
	if t.point.Button() {
		return overlooked(host.CodeOutcomeUnknown, fmt.Sprintf("%s was being pressed when SolarHub ended: it is not known whether it was carried out",
			name), more, Entry{})
	}
	r, err := t.device.Read(ctx, t.point.Key)
	if err != nil {
		return overlooked(host.CodeOutcomeUnknown, fmt.Sprintf("%s was being set when SolarHub ended, and it cannot be read now: %v", name, err),
			more, Entry{})
	}
	found := r.Value.String()
	if !holds(t.point, r.Raw, call.Value) {
		more["wanted"], more["found"] = fmt.Sprint(call.Value), found
		result, entry := overlooked(host.CodeNotVerified, fmt.Sprintf("%s was being set to %v when SolarHub ended, and %s holds %s", name,
			call.Value, where, found), more, Entry{Found: found})
		result.Confirmed = ids
		return result, entry
	}
	return host.Result{Value: r.Value.Any(), Confirmed: ids}, Entry{Outcome: outcomeWritten, Found: found}
}

func overlooked(code, reason string, more map[string]string, e Entry) (host.Result, Entry) {
	e.Outcome, e.Reason = code, reason
	return failed(host.NewCallError(code, reason, more)), e
}

// holds reports whether raw words are those of a value that the host had asked for.
func holds(p profile.Point, raw []uint16, value any) bool {
	v, err := p.Spec.Parse(value)
	if err != nil {
		return false
	}
	words, err := p.Spec.Encode(v, raw)
	mask := p.Spec.CompareMask()
	if err != nil || len(words) != len(raw) || len(mask) != len(raw) {
		return false
	}
	for i, m := range mask {
		if words[i]&m != raw[i]&m {
			return false
		}
	}
	return true
}
