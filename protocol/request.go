package protocol

import (
	"fmt"
	"strings"
)

// String returns what the request does and to whom, as errors and logs show it: "read holding 588+2 unit 1".
func (r Request) String() string {
	verb := "write"
	if r.Op == Read {
		verb = "read"
	}
	return fmt.Sprintf("%s %v unit %d", verb, r.Range, r.Unit)
}

// Function returns the function code that carries the request. Source: MODBUS Application Protocol V1.1b3, 6.
func (r Request) Function() byte {
	switch r.Op {
	case Read:
		return [...]byte{HoldingRegister: 3, InputRegister: 4, Coil: 1, DiscreteInput: 2}[r.Range.Table]
	case WriteSingle:
		return [...]byte{HoldingRegister: 6, Coil: 5}[r.Range.Table]
	}
	return [...]byte{HoldingRegister: 16, Coil: 15}[r.Range.Table]
}

// Check reports everything about the request that the standard does not allow: nothing of it may go out. Whether the
// unit id is allowed depends on the link and is checked there.
func (r Request) Check() error {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if r.Range.Table > DiscreteInput {
		say("%v is no table", r.Range.Table)
	}
	if r.Op > WriteMultiple {
		say("operation %d is none of read, write single, write multiple", r.Op)
	}
	if r.Priority > PriorityPoll {
		say("priority %d is not in 0..%d", r.Priority, PriorityPoll)
	}
	if r.Range.End() > 65536 {
		say("addresses end at 65535, not at %d", r.Range.End()-1)
	}
	if limit := r.limit(); r.Range.Count < 1 || int(r.Range.Count) > limit {
		say("count %d is not in 1..%d", r.Range.Count, limit)
	}
	if r.Op != Read {
		r.checkWords(say)
	}
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("%v: %s", r, strings.Join(wrong, "; "))
}

// Forbidden returns a ForbiddenError if the request touches one of the ranges.
func (r Request) Forbidden(never []Range) error {
	for _, n := range never {
		if n.Overlaps(r.Range) {
			return ForbiddenError{r.Range, n}
		}
	}
	return nil
}

func (r Request) checkWords(say func(string, ...any)) {
	if r.Range.Table != HoldingRegister && r.Range.Table != Coil {
		say("table %v cannot be written", r.Range.Table)
	}
	if len(r.Words) != int(r.Range.Count) {
		say("%d words are given for a count of %d", len(r.Words), r.Range.Count)
	}
	if !r.Range.Table.Bits() {
		return
	}
	for i, w := range r.Words {
		if w > 1 {
			say("bit %d is %d, not 0 or 1", uint32(r.Range.Addr)+uint32(i), w)
		}
	}
}

func (r Request) limit() int {
	bits := r.Range.Table.Bits()
	switch {
	case r.Op == WriteSingle:
		return 1
	case r.Op == WriteMultiple && bits:
		return MaxWriteBits
	case r.Op == WriteMultiple:
		return MaxWriteRegisters
	case bits:
		return MaxReadBits
	}
	return MaxReadRegisters
}
