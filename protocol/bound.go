package protocol

import "time"

// WriteBound says how long a write may have to wait for a Bus: from its arrival, or its NotBefore, to its first byte. This is the
// bound that is published. It follows from three rules of the queue: a write goes before everything that is not one, writes go in
// the order in which they became due, and behind inRow exchanges of writes one other request is let in. What holds the line
// without being a write gives way between two exchanges.
//
// It is as good as its times: those of the wire-time model hold for a device that answers as fast as its profile says. A unit on an
// RTU line that has answered late is asked short questions before the next request, to tell its answers apart; a write that arrives
// then may wait for one timeout more.
type WriteBound struct {
	Poll  time.Duration // the longest planned read of any device on the line, with the silence behind it: see plan.Longest
	Dead  time.Duration // the longest that a request without a reply takes: see Unanswered; 0 where every device answers
	Write time.Duration // the longest exchange of a set-value: a write, its read-back, or the read before it; it matters for Wait(1) and more
}

// Wait returns the bound for a write that finds this many exchanges of other writes before it, on the wire or in the queue. A
// set-value is two, the write and its read-back; three where it changes a part of a register; each try of a confirmation is one.
func (b WriteBound) Wait(before int) time.Duration {
	other, write := max(b.Poll, b.Dead), max(b.Write, b.Dead)
	letIn := (before + inRow - 1) / inRow
	return other + time.Duration(before)*write + time.Duration(letIn)*other
}

// Unanswered returns how long a request of this pace keeps the line if no reply comes: its bytes, the timeout and the silence
// behind it. longest is the longest read that the unit is asked for.
func (t Timing) Unanswered(pace Pace, longest Range) time.Duration {
	timeout, gap := max(orDefault(pace.Timeout, DefaultTimeout), pace.First), max(t.Gap, pace.Gap)
	if t.Serial == nil {
		return timeout + gap
	}
	request, reply := WireChars(Read, longest)
	return t.Serial.Chars(request) + max(timeout, 2*t.Serial.Chars(reply)) + max(gap, t.Serial.Silence())
}
