package write

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// SetGroup is several set-values of one group of the profile. They leave in one request.
type SetGroup struct {
	Group    string         // its key
	Values   map[string]any // by the key of the point; as those of Set
	Force    bool           // as in Set, and the next two
	Deadline time.Time
	Certain  func() time.Time
}

// GroupError says which values of a SetGroup failed, and why.
type GroupError struct {
	Failed map[string]*Error // by the key of the point; never empty
}

// Of returns why a value failed; nil if it did not. A nil GroupError has none that failed.
func (e *GroupError) Of(key string) error {
	if e == nil || e.Failed[key] == nil {
		return nil
	}
	return e.Failed[key]
}

// Error returns the sentences of all, in the order of their keys.
func (e *GroupError) Error() string {
	var reasons []string
	for _, key := range slices.Sorted(maps.Keys(e.Failed)) {
		reasons = append(reasons, e.Failed[key].Error())
	}
	return strings.Join(reasons, "; ")
}

// WriteGroup sets points of a group in one request, and returns what was read back of each that did not fail. All
// values are checked first: if one is refused nothing is written. The error is a *GroupError. The context counts as
// that of Write.
func (w *Writer) WriteGroup(ctx context.Context, set SetGroup) (map[string]Outcome, error) {
	failed := map[string]*Error{}
	var calls []*call
	var companions []string
	for _, key := range slices.Sorted(maps.Keys(set.Values)) {
		c := newCall(ctx, Set{Key: key, Value: set.Values[key], Force: set.Force, Deadline: set.Deadline,
			Certain: set.Certain})
		if c.set.Deadline.IsZero() {
			c.set.Deadline = c.called.Add(ask.ForWrite)
		}
		p, _, refused := w.check(c.set)
		if refused == nil && (p.Write.Group == nil || p.Write.Group.Key != set.Group) {
			reason := fmt.Sprintf("%s does not belong to the group %s", p.Name, set.Group)
			refused = failure(StageRefused, p, CodeUnknownKey, reason, nil, "key", key, "nearest",
				nearest(w.device.Points(), set.Group))
		}
		if refused != nil {
			failed[key] = refused
			continue
		}
		calls, companions = append(calls, c), p.Write.Group.Members
	}
	if len(failed) > 0 {
		return nil, &GroupError{failed}
	}
	outcomes := map[string]Outcome{}
	if len(calls) == 0 {
		return outcomes, nil
	}
	queued := w.queue.addAtOnce(companions, calls)
	for _, c := range calls {
		why := protocol.ErrClosed
		if queued {
			why = w.await(c)
		}
		switch {
		case why != nil:
			failed[c.set.Key] = w.notSent(c, w.point(c), why)
		case c.err != nil:
			failed[c.set.Key] = c.err
		default:
			outcomes[c.set.Key] = c.outcome
		}
	}
	if len(failed) > 0 {
		return outcomes, &GroupError{failed}
	}
	return outcomes, nil
}

// nearest returns the keys of a group.
func nearest(points []profile.Point, group string) string {
	for _, p := range points {
		if p.Write != nil && p.Write.Group != nil && p.Write.Group.Key == group {
			return strings.Join(p.Write.Group.Members, ", ")
		}
	}
	return "-"
}
