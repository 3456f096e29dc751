package hub

import (
	"context"
	"fmt"
	"time"

	"solarhub/plugin/host"
)

// MeasureEvery is how often the figures of the lines are measured.
const MeasureEvery = 30 * time.Second

// measure puts the figures of all lines into the outbox, if the last ones are old enough or there are new devices. What
// has not changed is not sent again.
func (s *state) measure(now time.Time, anew bool) {
	if !anew && now.Sub(s.measured) < MeasureEvery {
		return
	}
	s.measured = now
	values := map[string]any{}
	for _, u := range s.members {
		s.showPending(u, now)
		if u.id == "" || u.gauge == nil {
			continue
		}
		of := s.figuresOf(u, now)
		for _, f := range allFigures {
			values[figureID(u.id, f)] = f.value(of)
		}
	}
	s.hub.outbox.Put(host.States{Values: values})
}

// figuresOf collects what the figures of a device are made of.
func (s *state) figuresOf(u *member, now time.Time) figures {
	return figures{u.gauge.Measure(u.device, now), u.device.Poll(), u.device.Glitches()}
}

// readFigure reads a figure for the host now.
func (h *Hub) readFigure(ctx context.Context, id string, m entityFigure) host.Result {
	now := time.Now()
	result := failed(host.NewCallError(host.CodeStopping, reasonOf(nil), nil))
	h.do(context.WithoutCancel(ctx), func(s *state) {
		u := s.memberOf(m.device)
		if u == nil || u.gauge == nil {
			return
		}
		value := host.Value(m.figure.value(s.figuresOf(u, now)))
		s.hub.outbox.Put(host.States{Values: map[string]any{id: value}})
		result = host.Result{Response: host.Reading{Value: value, Unit: m.figure.unit, ReadAt: now, Raw: []uint16{}},
			Confirmed: []string{id}}
	})
	return result
}

// figureOnly refuses to set a figure.
func figureOnly(m entityFigure) *host.CallError {
	return host.NewCallError(host.CodeReadOnly, fmt.Sprintf("%s is measured: it cannot be set", m.figure.name),
		map[string]string{"name": m.figure.name})
}
