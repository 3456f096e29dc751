package devices

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// score is what a campaign counts. From Wrong on everything must be 0.
type score struct {
	Exchanges, Faults, Published, Unknown, Calls, Lapsed, Confirmed int

	Wrong   int // values that the register did not hold between the beginning of the read and its publication
	Lost    int // set-values confirmed and not carried out
	Doubled int // set-values carried out more than once
	Denied  int // set-values carried out though it was said that they were not sent, refused or superseded
	Overdue int // set-values whose first byte went out behind their deadline, or when their callers may have been told
	Alarms  int // confirmed values said to have been changed by somebody else, who does not exist
	Stuck   int // calls that did not return in time
	Left    int // whether goroutines were
}

func (a *score) add(b score) {
	a.Exchanges += b.Exchanges
	a.Faults += b.Faults
	a.Published += b.Published
	a.Unknown += b.Unknown
	a.Calls += b.Calls
	a.Lapsed += b.Lapsed
	a.Confirmed += b.Confirmed
	a.Wrong += b.Wrong
	a.Lost += b.Lost
	a.Doubled += b.Doubled
	a.Denied += b.Denied
	a.Overdue += b.Overdue
	a.Alarms += b.Alarms
	a.Stuck += b.Stuck
	a.Left += b.Left
}

// bad returns what must be 0.
func (a score) bad() int {
	return a.Wrong + a.Lost + a.Doubled + a.Denied + a.Overdue + a.Alarms + a.Stuck + a.Left
}

func (a score) String() string {
	return fmt.Sprintf("%d exchanges, %d with a fault; %d values published, %d of them unknown; %d set-values, %d "+
		"whose host fell silent, %d confirmed\n"+
		"%d values wrong, %d set-values lost, %d doubled, %d done but denied, %d behind their deadline, %d false "+
		"alarms, %d calls stuck, %d goroutines left",
		a.Exchanges, a.Faults, a.Published, a.Unknown, a.Calls, a.Lapsed, a.Confirmed,
		a.Wrong, a.Lost, a.Doubled, a.Denied, a.Overdue, a.Alarms, a.Stuck, a.Left)
}

// published is a reading with the moment at which the sink had it.
type published struct {
	Reading
	at time.Time
}

// call is one set-value of the campaign.
type call struct {
	value             float64
	at, deadline, end time.Time
	certain           *promise // nil: until the deadline
	out               Outcome
	err               *WriteError
}

// promise is for how long a call certainly has a caller. It grows until the host falls silent, as it does when the way
// to it stalls or the process was stopped.
type promise struct {
	mu     sync.Mutex
	silent time.Time // the host is, from then on
	step   time.Duration
	until  time.Time // what was promised so far
}

func (p *promise) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Before(p.silent) {
		p.until = now.Add(p.step)
	}
	return p.until
}

// last returns when the first byte may go out at the latest.
func (c call) last() time.Time {
	if c.certain != nil && c.certain.until.Before(c.deadline) {
		return c.certain.until
	}
	return c.deadline
}

// history is all that happened to one point.
type history struct {
	unit  protocol.UnitID
	point kept
	slack time.Duration // from the last look before a byte goes out to its arrival at the other end
	calls []call
	reads []published
}

// complaint says what is wrong, for a person.
type complaint func(format string, args ...any)

// checkMeasured counts values that the registers did not hold.
func checkMeasured(m *moving, unit protocol.UnitID, readings []published, say complaint) (wrong int) {
	for _, r := range readings {
		id, err := strconv.Atoi(r.Key[1:])
		if r.Key[0] != 'm' || r.Value.Kind == codec.KindNone {
			continue
		}
		if err != nil || !m.held(unit, id, r.Value, r.ReadAt, r.at) {
			wrong++
			say("unit %d %s = %08X, read %v, published %v behind", unit, r.Key, uint32(r.Value.Num),
				clockText(r.ReadAt),
				r.at.Sub(r.ReadAt))
		}
	}
	return wrong
}

// checkCalls compares what callers were told with what the units have carried out.
func (h *history) checkCalls(journal []sim.Exchange, t *score, say complaint) {
	done := map[float64][]sim.Exchange{}
	for _, e := range journal {
		if n, ok := h.point.holds(e); ok && e.Unit == h.unit {
			done[n] = append(done[n], e)
		}
	}
	for _, c := range h.calls {
		of := done[c.value]
		complain := func(counter *int, what string) {
			*counter++
			say("unit %d %s = %.0f called %v: %s: %+v, %v; carried out: %v", h.unit, h.point.key, c.value,
				clockText(c.at),
				what, c.out, c.err, of)
		}
		confirmed := c.err == nil && !c.out.Superseded
		if confirmed {
			t.Confirmed++
		}
		switch {
		case len(of) > 1:
			complain(&t.Doubled, "carried out twice")
		case confirmed && len(of) == 0:
			complain(&t.Lost, "confirmed and not carried out")
		case c.denied() && len(of) > 0:
			complain(&t.Denied, "carried out though it was said that it was not")
		}
		if c.last().Before(c.deadline) {
			t.Lapsed++
		}
		if len(of) > 0 && of[0].At.After(c.last().Add(h.slack)) {
			complain(&t.Overdue, "sent behind its deadline")
		}
	}
	t.Calls += len(h.calls)
}

// denied reports whether the caller was told that the device has not carried it out.
func (c call) denied() bool {
	if c.err == nil {
		return c.out.Superseded
	}
	return c.err.Stage <= write.StageException
}

// step is an operation on a register.
type step struct {
	write bool
	value float64
}

// register is one that holds what was written last.
func register(first float64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, input, _ any) (bool, any) {
			if s := input.(step); s.write {
				return true, s.value
			} else {
				return state == s.value, state
			}
		},
	}
}

// linearizable reports whether there is an order of the set-values and readings in which each reading is that of the
// last set-value, and which agrees with the clock: each takes effect between its beginning and its end.
func (h *history) linearizable() bool {
	seen := map[float64]time.Time{} // when a value was published first
	var ops []porcupine.Operation
	for i, r := range h.reads {
		if r.Value.Kind == codec.KindNone {
			continue
		}
		n := r.Value.Num
		if at, ok := seen[n]; !ok || r.at.Before(at) {
			seen[n] = r.at
		}
		ops = append(ops, porcupine.Operation{ClientId: i % 2, Input: step{false, n}, Call: r.ReadAt.UnixNano(),
			Return: r.at.UnixNano()})
	}
	for _, c := range h.calls {
		end := c.end
		switch {
		case c.denied():
			continue
		case c.err != nil:
			// It may take effect at any time, or never. If its value was never published that makes no difference; if
			// it was, it had taken effect by then, because no other call has that value.
			at, ok := seen[c.value]
			if !ok {
				continue
			}
			end = later(at, c.at)
		}
		ops = append(ops, porcupine.Operation{ClientId: 2, Input: step{true, c.value}, Call: c.at.UnixNano(),
			Return: end.UnixNano()})
	}
	return porcupine.CheckOperations(register(h.point.number(h.unit, 0)), ops)
}

// tell prints a history that is none.
func (h *history) tell(say complaint) {
	var lines []string
	for _, c := range h.calls {
		lines = append(lines, fmt.Sprintf("%v..%v write %.0f: %v superseded %v", clockText(c.at), clockText(c.end),
			c.value,
			c.err, c.out.Superseded))
	}
	for _, r := range h.reads {
		lines = append(lines, fmt.Sprintf("%v..%v read %v", clockText(r.ReadAt), clockText(r.at), r.Value))
	}
	slices.Sort(lines)
	say("unit %d %s has no order of events that makes sense:", h.unit, h.point.key)
	for _, l := range lines {
		say("    %s", l)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// clockText prints a time as a person compares it.
func clockText(t time.Time) string { return t.Format("04:05.000000") }
