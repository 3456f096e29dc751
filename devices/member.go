package devices

import (
	"context"
	"errors"
	"fmt"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// member is one point of an attempt, with the set-values of which the newest is written.
type member struct {
	lane *lane
	jobs []*job // oldest first
	j    *job   // the newest
	p    profile.Point

	held  []uint16 // what was read before writing; nil if nothing was
	words []uint16 // wanted

	sent    time.Time   // just before the first byte of the write
	settled time.Time   // when it may be read back
	doubt   error       // why it is open whether the device carried it out; nil if it said so
	failed  *WriteError // ends it
	equal   bool        // nothing had to be written
	found   *Reading    // the last read-back
	unread  error       // why the last read-back failed
	over    bool        // everybody was told
}

func newMember(l *lane, jobs []*job) *member {
	j := jobs[len(jobs)-1]
	return &member{lane: l, jobs: jobs, j: j, p: j.point}
}

// at returns the registers of the point; what can be written lies in one range.
func (m *member) at() protocol.Range { return m.p.Ranges[0] }

// waits reports whether it is still to be written.
func (m *member) waits() bool {
	return !m.over && m.failed == nil && !m.equal && m.sent.IsZero() && m.doubt == nil
}

// toReadBack reports whether it was acknowledged and not read back yet.
func (m *member) toReadBack() bool {
	return !m.sent.IsZero() && m.failed == nil && m.doubt == nil && m.found == nil && m.unread == nil && m.readsBack()
}

// readsBack: only a button may have a register that does not hold what was written.
func (m *member) readsBack() bool { return !m.p.Button() || m.p.Write.ReadBack }

// mustLook reports whether the registers are read before they are written. What is fresh is known already.
func (m *member) mustLook(d *Device) bool {
	switch {
	case m.p.Spec.Partial():
		return true
	case m.p.Button() || !m.p.Write.Flash || m.j.set.Force:
		return false
	}
	r, fresh := d.out.fresh(m.p.Key, freshFor)
	if fresh {
		m.found = &r
	}
	return !fresh
}

// take keeps what a read over a range that contains the point has brought.
func (m *member) take(over protocol.Range, resp protocol.Response, err error) {
	if m.unread = err; err != nil {
		return
	}
	from := m.at().Addr - over.Addr
	raw := resp.Words[from : from+m.at().Count]
	m.found = &Reading{Key: m.p.Key, Value: m.p.Spec.Decode(raw), Raw: raw, ReadAt: resp.Sent}
}

// prepare decides what is written, if anything.
func (m *member) prepare(d *Device) {
	if err := m.j.ctx.Err(); err != nil {
		m.failed = d.notSent(m.j, ended(m.j.ctx))
		return
	}
	if m.found != nil {
		m.held = m.found.Raw
	}
	words, err := m.p.Spec.Encode(m.j.value, m.held)
	if err != nil {
		m.failed = wrongValue(m.p, m.j.set.Value, err)
		return
	}
	m.words = words
	if m.found != nil && same(m.p, words, m.held) && !m.j.set.Force {
		m.equal = true
		return
	}
	m.found = nil
}

// follow has a part of a register build on what was written of the register before it.
func (m *member) follow(d *Device, before *member) {
	switch {
	case before.doubt != nil:
		m.failed = d.notSent(m.j, before.doubt)
	case before.failed == nil && m.waits():
		m.held = before.words
		m.words, _ = m.p.Spec.Encode(m.j.value, m.held) // it was encoded before
	}
}

// writeRequest returns the request that writes neighbouring members. What they do not cover of a register stays as it was read.
func writeRequest(run []*member, req protocol.Request) protocol.Request {
	req.Op, req.Range = protocol.WriteMultiple, coverOf(run)
	if run[0].p.Write.Single && req.Range.Count == 1 {
		req.Op = protocol.WriteSingle
	}
	req.Words, req.Deadline = make([]uint16, req.Range.Count), run[0].j.set.Deadline
	for _, m := range run {
		copy(req.Words[m.at().Addr-req.Range.Addr:], m.held)
	}
	for _, m := range run {
		if m.j.set.Deadline.Before(req.Deadline) {
			req.Deadline = m.j.set.Deadline
		}
		for i, mask := range m.p.Spec.CompareMask() {
			word := &req.Words[int(m.at().Addr-req.Range.Addr)+i]
			*word = *word&^mask | m.words[i]&mask
		}
	}
	return req
}

// wrote notes what has become of the request.
func (m *member) wrote(d *Device, resp protocol.Response, err error) {
	m.sent, m.settled = resp.Sent, time.Now().Add(d.settle(m.p))
	if err != nil {
		m.judge(d, err)
	}
}

// judge decides what a failed write means: it was refused, it never went out, or nobody knows.
func (m *member) judge(d *Device, err error) {
	no, refused := errors.AsType[protocol.ExceptionError](err)
	switch {
	case refused && !mayHaveBeenCarriedOut(no):
		m.failed = exception(StageException, m.p, d.name(), err, no)
	case refused || errors.Is(err, protocol.ErrOutcomeUnknown) || !m.sent.IsZero():
		m.doubt = err
	default:
		if m.j.ctx.Err() != nil {
			err = ended(m.j.ctx)
		}
		m.failed = d.notSent(m.j, err)
	}
}

// mayHaveBeenCarriedOut: the device failed while it was at it (4, 8), takes its time (5), or a gateway lost track of it (10, 11).
// Source: MODBUS Application Protocol V1.1b3, 7.
func mayHaveBeenCarriedOut(no protocol.ExceptionError) bool { return no.Code > 3 && no.Code != 6 }

// patience returns until when a device that holds something else may still come to hold what was written: until the caller's end if it said
// that it takes its time, and no longer if it said that it failed.
func (m *member) patience() time.Time {
	switch no, _ := errors.AsType[protocol.ExceptionError](m.doubt); no.Code {
	case 5:
		return m.last()
	case 4, 8:
		return m.settled
	}
	return m.settled.Add(verifyFor)
}

// last returns until when it is tried to find out what the device holds: for a while, or as long as the caller waits.
func (m *member) last() time.Time {
	if patient := m.settled.Add(verifyFor); patient.After(m.j.set.Deadline) {
		return patient
	}
	return m.j.set.Deadline
}

// decided reports whether another read-back at that time would tell nothing more.
func (m *member) decided(at time.Time) bool {
	return m.failed != nil || m.equal || !m.readsBack() || m.verified() || m.found != nil && at.After(m.patience()) || at.After(m.last())
}

func (m *member) verified() bool { return m.found != nil && same(m.p, m.words, m.found.Raw) }

// end tells everybody what has become of it.
func (m *member) end(d *Device) {
	found := m.found
	if m.p.Button() {
		found = nil // what a command register holds is nobody's value
	}
	ctx := context.WithoutCancel(m.j.ctx)
	switch {
	case m.failed == nil && (!m.sent.IsZero() || m.doubt != nil):
		d.out.end(ctx, d, m.p, found, found != nil && m.verified())
	case m.equal && found != nil:
		d.out.readings(ctx, d, []Reading{*found})
	default:
		d.out.release(m.p.Key)
	}
	d.out.status(ctx, d)
	m.over = true
	d.desk.land(m.lane)
	m.tell(d, m.verdict(d))
}

// verdict says how it ended.
func (m *member) verdict(d *Device) *WriteError {
	p, device, where := m.p, d.name(), registers(m.p)
	switch {
	case m.failed != nil:
		return m.failed
	case m.equal, m.verified(), !m.readsBack() && m.doubt == nil:
		return nil
	case m.found != nil && !m.patience().After(m.settled): // it said that it failed, and so it did
		no, _ := errors.AsType[protocol.ExceptionError](m.doubt)
		e := exception(StageException, p, device, m.doubt, no)
		e.Found = m.found
		return e
	case m.found != nil:
		wanted, found := withUnit(m.j.value.String(), p.Unit), m.holds()
		reason := fmt.Sprintf("%s acknowledged %s for %s (%s) and holds %s", device, wanted, p.Name, where, found)
		if m.doubt != nil {
			reason = fmt.Sprintf("%s did not confirm %s for %s (%s: %v) and holds %s", device, wanted, p.Name, where, m.doubt, found)
		}
		e := failure(StageNotVerified, p, CodeNotVerified, reason, m.doubt, "device", device, "register", where, "wanted", wanted, "found", found)
		e.Found = m.found
		return e
	}
	cause := m.doubt
	reason := fmt.Sprintf("%s was sent to %s (%s), but it is not known whether it was carried out: ", p.Name, device, where)
	if cause == nil {
		cause = m.unread
		reason = fmt.Sprintf("%s acknowledged %s (%s), but it could not be read back: ", device, p.Name, where)
	}
	return failure(StageUnknown, p, CodeOutcomeUnknown, reason+cause.Error(), cause, "device", device, "register", where)
}

// holds says what the device holds, in words or, where that is no value, as it was read.
func (m *member) holds() string {
	if m.p.Button() {
		return fmt.Sprintf("%d", m.found.Raw)
	}
	if text := textOf(m.found.Value); text != "" {
		return withUnit(text, m.p.Unit)
	}
	return fmt.Sprintf("the raw words %d", m.found.Raw)
}

// tell ends the newest job, and the older ones with its outcome.
func (m *member) tell(d *Device, err *WriteError) {
	now := time.Now()
	for _, j := range m.jobs {
		o := Outcome{Superseded: j != m.j, Unchanged: m.equal, Took: now.Sub(j.called)}
		if m.found != nil && !m.p.Button() {
			o.Reading = *m.found
		}
		if !m.sent.IsZero() {
			o.Wire = m.sent.Sub(j.called)
		}
		if err != nil {
			o = Outcome{}
		}
		j.finish(o, err)
	}
	m.log(d, err)
}

func (m *member) log(d *Device, err *WriteError) {
	event := d.log.Debug() // who asked for it says it to people
	if err != nil {
		event = event.Str("code", err.Code).Str("reason", err.Error())
	}
	event.Str("point", m.p.Key).Stringer("value", m.j.value).Bool("unchanged", m.equal).
		Int("superseded", len(m.jobs)-1).Msg("set-value ended")
}
