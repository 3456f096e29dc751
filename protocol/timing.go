package protocol

import (
	"cmp"
	"math"
	"time"
)

// Chars returns the time that n characters of RTU take on the wire. In ASCII they are about twice as many: two for each
// byte, one more for a frame, because a checksum of one byte, a mark and two ends take the place of that of two bytes.
func (s Serial) Chars(n int) time.Duration {
	if s.ASCII && n > 0 {
		n = 2*n + 1
	}
	bits := 1 + s.DataBits + s.StopBits
	if s.Parity != NoParity {
		bits++
	}
	return time.Duration(math.Round(float64(n*bits) * 1e9 / float64(s.Baud)))
}

// Silence returns t3.5, the silence between frames: 3.5 characters, 1.75 ms above 19200 baud; none in ASCII, whose
// frames have an end. Source: MODBUS over Serial Line V1.02, 2.5.1.1.
func (s Serial) Silence() time.Duration {
	if s.ASCII {
		return 0
	}
	if s.Baud > 19200 {
		return 1750 * time.Microsecond
	}
	return s.Chars(35) / 10
}

// exceptionChars are those of a refusal on an RTU line: unit id, function code, exception code, checksum.
const exceptionChars = 5

// WireChars returns the characters of the request and of the reply of an RTU exchange.
func WireChars(op Op, r Range) (request, reply int) {
	data := r.DataBytes()
	switch op {
	case Read:
		return 8, 5 + data
	case WriteMultiple:
		return 9 + data, 8
	}
	return 8, 8
}

// DefaultTimeout is how long a reply may take when neither the request nor the link says otherwise. Inverters answer
// within 20 to 400 ms; the slowest first answers known take 0.5 s (Fronius, libmodbus #776).
const DefaultTimeout = time.Second

// AssumedTurnaround stands in for a turnaround that nobody has stated or measured: a request is never free. Inverters
// reply within 20 to 50 ms on RS485; behind dongles and gateways it is more.
const AssumedTurnaround = 20 * time.Millisecond

// Timing is the wire-time model of one device on one line: what an exchange costs.
type Timing struct {
	Serial     *Serial       // nil for Modbus TCP
	Turnaround time.Duration // from the end of the request to the first byte of the reply, and the network's round trip
	Gap        time.Duration // silence the device needs behind its reply; t3.5 counts where it is longer
}

// TurnaroundIn returns the part of a latency, from the first byte of a request to the last of its reply, that is the
// turnaround.
func (t Timing) TurnaroundIn(op Op, r Range, latency time.Duration) time.Duration {
	if t.Serial != nil {
		latency -= t.Serial.Silence() // by which the device knows the end of the request
	}
	return max(0, latency-t.bytes(op, r))
}

// bytes returns the time that the bytes of a request and of its reply take.
func (t Timing) bytes(op Op, r Range) time.Duration {
	if t.Serial == nil {
		return time.Duration(r.Count) * 200 * time.Nanosecond // measured on TCP; it only breaks ties between plans
	}
	request, reply := WireChars(op, r)
	return t.Serial.Chars(request) + t.Serial.Chars(reply)
}

// Exchange returns the time from the first byte of a request until the next request may start.
func (t Timing) Exchange(op Op, r Range) time.Duration {
	if t.Serial == nil {
		return t.Turnaround + t.Gap + t.bytes(op, r)
	}
	silence := t.Serial.Silence()
	return t.bytes(op, r) + silence + t.Turnaround + max(silence, t.Gap)
}

// WriteBound says how long a write may have to wait for a Bus: from its arrival, or its NotBefore, to its first byte.
// This is the bound that is published. It follows from three rules of the queue: a write goes before everything that is
// not one, writes go in the order in which they became due, and behind inRow exchanges of writes one other request is
// let in. What holds the line without being a write gives way between two exchanges.
//
// It is as good as its times: those of the wire-time model hold for a device that answers as fast as its profile says.
// What a new connection costs comes on top: connect_delay, and Identify.
type WriteBound struct {
	// Poll is the longest planned read of any device on the line, with the silence behind it: see plan.Longest.
	Poll time.Duration
	// Dead is the longest that a request without a reply takes: see Unanswered. 0 where every device answers.
	Dead time.Duration
	// Late is the longest exchange with a unit whose replies come later than its timeout. On a line whose replies name
	// no request a probe goes before the request: each may take as long as Dead. 0 where replies are never late.
	Late time.Duration
	// Write is the longest exchange of a set-value: a write, its read-back, or the read before it.
	Write time.Duration
	// Identify is how long the reads take by which a device proves, behind each opening of the connection, who it is.
	// They go before its first write there.
	Identify time.Duration
}

// Wait returns the bound for a write that finds this many exchanges of other writes before it, on the wire or in the
// queue. A set-value is two, the write and its read-back; three where it changes a part of a register; each try of a
// confirmation is one.
func (b WriteBound) Wait(before int) time.Duration {
	other, write := max(b.Poll, b.Dead, b.Late), max(b.Write, b.Dead, b.Late)
	letIn := (before + inRow - 1) / inRow
	return other + time.Duration(before)*write + time.Duration(letIn)*other
}

// Unanswered returns how long a request of this pace keeps the line if no reply comes: its bytes, the timeout and the
// silence behind it. longest is the longest read that the unit is asked for.
func (t Timing) Unanswered(pace Pace, longest Range) time.Duration {
	timeout, gap := max(cmp.Or(pace.Timeout, DefaultTimeout), pace.First), max(t.Gap, pace.Gap)
	if t.Serial == nil {
		return timeout + gap
	}
	request, reply := WireChars(Read, longest)
	return t.Serial.Chars(request) + max(timeout, 2*t.Serial.Chars(reply)) + max(gap, t.Serial.Silence())
}
