package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Call carries out one call of the host.
func (h *Hub) Call(ctx context.Context, call host.Call) host.Result {
	end, refused := h.begin(ctx, call)
	if refused != nil {
		return failed(refused)
	}
	defer end()
	return h.carryOut(ctx, call)
}

func (h *Hub) carryOut(ctx context.Context, call host.Call) host.Result {
	switch call.Action {
	case host.ActionRefresh:
		return h.refresh(ctx, call)
	case host.ActionReplace:
		return h.Replace(ctx, call.Device, call.Found)
	case host.ActionGroup:
		return h.writeGroup(ctx, call)
	case host.ActionSet, host.ActionPress, host.ActionRead:
	default:
		return failed(host.NewCallError(host.CodeFailed, fmt.Sprintf("there is no action %q", call.Action), nil))
	}
	if m, ok := h.described.Load().figures[call.ID]; ok {
		if call.Action != host.ActionRead {
			return failed(figureOnly(m))
		}
		return h.readFigure(ctx, call.ID, m)
	}
	if c, ok := h.described.Load().choices[call.ID]; ok {
		return h.choose(ctx, call, c)
	}
	t, ok := h.described.Load().targets[call.ID]
	if !ok {
		return failed(h.described.Load().unknown(call.ID))
	}
	if call.Action == host.ActionRead {
		return h.read(ctx, t)
	}
	pressed := t.point.Button() || strings.HasSuffix(call.ID, profile.SetClock().Key) && t.point.IsClock()
	if pressed != (call.Action == host.ActionPress) {
		return failed(host.NewCallError(host.CodeFailed,
			fmt.Sprintf("%s is a %s: it has no action %q", t.point.Name, t.point.Entity.Platform,
				call.Action), map[string]string{"name": t.point.Name}))
	}
	return h.set(ctx, call, t)
}

func failed(err *host.CallError) host.Result { return host.Result{Err: err} }

// unknown returns the error for an id that is of nothing. If it begins as those of a device do, the rest is a key.
func (c *catalog) unknown(id string) *host.CallError {
	root, key := "", ""
	for device := range c.devices {
		if rest, ok := strings.CutPrefix(id, device+"_"); ok && len(device) > len(root) {
			root, key = device, rest
		}
	}
	if root == "" {
		return unknownEntity(id)
	}
	var keys []string
	for _, p := range c.devices[root].Points() {
		keys = append(keys, p.Key)
	}
	return unknownKey(c.devices[root], key, keys)
}

// unknownKey returns the error for a key that is none of those of a device.
func unknownKey(d *devices.Device, key string, keys []string) *host.CallError {
	nearest := cmp.Or(profile.Nearest(key, keys), "-")
	return host.NewCallError(host.CodeUnknownKey,
		fmt.Sprintf("%s has nothing with the key %q; the nearest is %s", d.Name(), key, nearest),
		map[string]string{"name": d.Name(), "key": key, "nearest": nearest})
}

func unknownEntity(id string) *host.CallError {
	return host.NewCallError(host.CodeUnknownEntity, fmt.Sprintf("there is no entity %q here", id),
		map[string]string{"id": id})
}

// set notes the call in the ledger and carries it out: it writes a value, or presses a button.
func (h *Hub) set(ctx context.Context, call host.Call, t entityPoint) host.Result {
	began := time.Now()
	ids := h.described.Load().ids[t.device][t.point.Key]
	var number uint64
	if !h.do(context.WithoutCancel(ctx), func(s *state) {
		number = s.ledger.Begin(call, began)
		s.hold(ids)
	}) {
		return failed(ended(ctx, t))
	}
	order := devices.Set{Key: t.point.Key, Value: call.Value, Force: call.Force, Certain: call.Certain}
	order.Deadline, _ = ctx.Deadline()
	outcome, err := t.device.Write(ctx, order)
	result, entry := outcomeOf(ctx, t, ids, outcome, err)
	// What was read back lies in the inbox before this, so it is in the outbox when this is done.
	h.do(context.WithoutCancel(ctx), func(s *state) {
		s.ledger.End(number, entry.Outcome, entry.Reason, entry.Found, time.Now())
		s.release(t, ids)
	})
	h.tell(call, t, entry, outcome, time.Since(began))
	return result
}

// outcomeOf turns the end of a write into the result of its call, and what the ledger says of it. ids are those of the
// point's entities: a time of day has two.
func outcomeOf(ctx context.Context, t entityPoint, ids []string, o devices.Outcome, err error) (host.Result,
	ledger.Entry) {
	if err != nil {
		failure, found := callError(ctx, t, err)
		entry := ledger.Entry{Outcome: failure.Code, Reason: failure.Reason()}
		result := host.Result{Err: failure}
		if found != nil {
			entry.Found, result.Confirmed = found.Value.String(), ids
		}
		return result, entry
	}
	entry := ledger.Entry{Outcome: ledger.Written}
	result := host.Result{Superseded: o.Superseded, Unchanged: o.Unchanged}
	if t.point.HasValue() {
		result.Value, result.Confirmed, entry.Found = o.Reading.Value.Any(), ids, o.Reading.Value.String()
	}
	switch {
	case o.Superseded:
		entry.Outcome = ledger.Superseded
	case o.Unchanged:
		entry.Outcome = ledger.Unchanged
	}
	return result, entry
}

func (h *Hub) tell(call host.Call, t entityPoint, e ledger.Entry, o devices.Outcome, took time.Duration) {
	level := zerolog.InfoLevel
	if e.Reason != "" {
		level = zerolog.WarnLevel
	}
	h.log.WithLevel(level).Str("device", t.device.Name()).Str("key", t.point.Key).Interface("value",
		call.Value).Str("outcome", e.Outcome).
		Str("reason", e.Reason).Str("found", e.Found).Stringer("to_wire", o.Wire.Round(time.Millisecond)).
		Stringer("took", took.Round(time.Millisecond)).Msg("Set a value")
}

// read reads one point from the device now.
func (h *Hub) read(ctx context.Context, t entityPoint) host.Result {
	r, err := t.device.Read(ctx, t.point.Key)
	if err != nil {
		failure, _ := callError(ctx, t, err)
		return failed(failure)
	}
	h.do(context.WithoutCancel(ctx), func(*state) {}) // the value is in the outbox now
	reason := ""
	if r.Value.Kind == codec.KindNone {
		reason = r.Value.Str
	}
	return host.Result{
		Response: host.Reading{Value: host.Value(r.Value.Any()), Unit: t.point.Unit, ReadAt: r.ReadAt,
			AgeMS: time.Since(r.ReadAt).Milliseconds(),
			Raw:   r.Raw, Registers: registers(t.point), Reason: reason},
		Confirmed: h.described.Load().ids[t.device][t.point.Key],
	}
}

// registers names the registers of a point: "holding 588+2", several joined by a comma.
func registers(p profile.Point) string {
	texts := make([]string, len(p.Ranges))
	for i, r := range p.Ranges {
		texts[i] = r.String()
	}
	return strings.Join(texts, ", ")
}

// refresh reads every enabled point of a device once. A part is refreshed with its device.
func (h *Hub) refresh(ctx context.Context, call host.Call) host.Result {
	id, _, _ := strings.Cut(call.Device, "/")
	d := h.described.Load().devices[id]
	if d == nil {
		return failed(unknownEntity(call.Device))
	}
	if err := d.Refresh(ctx); err != nil {
		failure, _ := callError(ctx, entityPoint{device: d}, err)
		return failed(failure)
	}
	h.do(context.WithoutCancel(ctx), func(*state) {})
	return host.Result{}
}

// ended returns the error of a call that ended before it began.
func ended(ctx context.Context, t entityPoint) *host.CallError {
	failure, _ := callError(ctx, t, context.Cause(ctx))
	return failure
}

// callError turns a failure into the host's words; found is what the device holds, where that was read.
func callError(ctx context.Context, t entityPoint, err error) (failure *host.CallError, found *devices.Reading) {
	more := map[string]string{"name": t.point.Name, "device": t.device.Name(), "register": registers(t.point)}
	var write *devices.WriteError
	if errors.As(err, &write) {
		for k, v := range write.Fields {
			more[k] = v
		}
		code := write.Code
		if code == host.CodeCancelled && errors.Is(context.Cause(ctx), host.ErrStopping) {
			code = host.CodeStopping
		}
		return host.NewCallError(code, write.Error(), more), write.Found
	}
	return host.NewCallError(codeOf(ctx, t, err, more), reasonOf(err), more), nil
}

// codeOf finds the code of a failure that is no WriteError, and adds the placeholders that belong to it.
func codeOf(ctx context.Context, t entityPoint, err error, more map[string]string) string {
	var exception protocol.ExceptionError
	var link *protocol.LinkError
	cause := context.Cause(ctx)
	switch {
	case errors.As(err, &exception):
		more["code"], more["text"] = fmt.Sprint(exception.Code), exception.Text()
		return host.CodeException
	case errors.Is(err, protocol.ErrClosed), errors.Is(cause, host.ErrStopping):
		return host.CodeStopping
	case errors.Is(cause, host.ErrCancelled), errors.Is(cause, host.ErrSessionLost):
		return host.CodeCancelled
	case errors.Is(err, protocol.ErrDown), errors.As(err, &link) && !errors.Is(err, protocol.ErrTimeout):
		if errors.As(err, &link) {
			more["line"] = link.Link
		}
		return host.CodeLineDown
	case errors.Is(err, protocol.ErrTimeout):
		return host.CodeNoAnswer
	case errors.Is(err, protocol.ErrExpired), errors.Is(err, context.DeadlineExceeded),
		errors.Is(cause, context.DeadlineExceeded):
		return host.CodeExpired
	case !t.device.Status().Identified:
		return host.CodeNotIdentified
	}
	return host.CodeFailed
}

func reasonOf(err error) string {
	if err == nil {
		return "SolarHub is stopping"
	}
	return err.Error()
}
