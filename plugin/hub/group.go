package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
)

// groupMember is one set-value of a call that sets several.
type groupMember struct {
	key    string
	target entityPoint
	ids    []string // of its entities
	number uint64   // of its entry in the ledger
}

// writeGroup sets several settings of one group of the profile, which leave in one request. A part stands for its
// device.
func (h *Hub) writeGroup(ctx context.Context, call host.Call) host.Result {
	root, _, _ := strings.Cut(call.Device, "/")
	all := h.described.Load()
	d := all.devices[root]
	if d == nil {
		return failed(unknownEntity(call.Device))
	}
	groups := d.WriteGroups()
	if !slices.Contains(groups, call.Group) {
		return failed(unknownKey(d, call.Group, groups))
	}
	members := make([]groupMember, 0, len(call.Values))
	for _, key := range slices.Sorted(maps.Keys(call.Values)) {
		t, ok := all.targets[root+"_"+key]
		if !ok {
			return failed(all.unknown(root + "_" + key))
		}
		members = append(members, groupMember{key: key, target: t, ids: all.ids[d][key]})
	}
	if len(members) == 0 {
		return failed(host.NewCallError(host.CodeFailed, "there are no values", map[string]string{"name": d.Name()}))
	}
	return h.setAll(ctx, call, d, members)
}

// setAll notes each set-value in the ledger and carries them out together.
func (h *Hub) setAll(ctx context.Context, call host.Call, d *devices.Device, members []groupMember) host.Result {
	began := time.Now()
	if !h.do(context.WithoutCancel(ctx), func(s *state) {
		for i, m := range members {
			members[i].number = s.ledger.Begin(host.Call{CallID: call.CallID, Action: call.Action, Force: call.Force,
				ID: d.ID() + "_" + m.key, Value: call.Values[m.key]}, began)
			s.hold(m.ids)
		}
	}) {
		return failed(ended(ctx, entityPoint{device: d}))
	}
	order := devices.SetGroup{Group: call.Group, Values: call.Values, Force: call.Force, Certain: call.Certain}
	order.Deadline, _ = ctx.Deadline()
	outcomes, err := d.WriteGroup(ctx, order)
	var wrong *devices.GroupError
	errors.As(err, &wrong)
	result := host.Result{}
	response := map[string]memberOutcome{}
	var failures []*host.CallError
	entries := make([]ledger.Entry, len(members))
	for i, m := range members {
		var one host.Result
		if one, entries[i] = outcomeOf(ctx, m.target, m.ids, outcomes[m.key], wrong.Of(m.key)); one.Err != nil {
			failures = append(failures, one.Err)
		}
		if _, done := outcomes[m.key]; !done && one.Err == nil {
			entries[i] = ledger.Entry{Outcome: host.CodeFailed, Reason: "another value of the group was refused"}
		} else {
			result.Confirmed = append(result.Confirmed, one.Confirmed...)
		}
		response[m.key] = memberOutcome{host.Value(one.Value), outcomes[m.key].Unchanged, one.Superseded}
	}
	h.do(context.WithoutCancel(ctx), func(s *state) {
		for i, m := range members {
			s.ledger.End(m.number, entries[i].Outcome, entries[i].Reason, entries[i].Found, time.Now())
			s.release(m.target, m.ids)
		}
	})
	for i, m := range members {
		told := call
		told.Value = call.Values[m.key]
		h.tell(told, m.target, entries[i], outcomes[m.key], time.Since(began))
	}
	if result.Err = severalFailed(d, call.Group, failures); result.Err == nil {
		result.Response = groupResponse{response}
	}
	return result
}

// groupResponse is the response of a write_group call.
type groupResponse struct {
	Members map[string]memberOutcome `json:"members"`
}

type memberOutcome struct {
	Value      any  `json:"value"`
	Unchanged  bool `json:"unchanged,omitempty"`
	Superseded bool `json:"superseded,omitempty"`
}

// severalFailed returns the error of a call of which some set-values failed: that of the one, or one that says all.
func severalFailed(d *devices.Device, group string, failures []*host.CallError) *host.CallError {
	if len(failures) == 0 {
		return nil
	}
	if len(failures) == 1 {
		return failures[0]
	}
	var reasons []string
	for _, f := range failures {
		reasons = append(reasons, f.Reason())
	}
	return host.NewCallError(host.CodeSeveralFailed, fmt.Sprintf("%d settings of the group %s were not set: %s",
		len(failures), group, strings.Join(reasons, "; ")),
		map[string]string{"device": d.Name(), "name": d.Name(), "group": group})
}
