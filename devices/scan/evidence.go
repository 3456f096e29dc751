package scan

import (
	"errors"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// register is one register or bit of a unit.
type register struct {
	table protocol.Table
	addr  uint16
}

// evidence is what a unit has answered so far.
type evidence struct {
	words   map[register]uint16
	refused map[protocol.Range]error // by an exception, or by silence of a unit that answers other reads
}

func newEvidence() evidence {
	return evidence{words: map[register]uint16{}, refused: map[protocol.Range]error{}}
}

func (e evidence) add(r protocol.Range, words []uint16) {
	for i, w := range words {
		e.words[register{r.Table, r.Addr + uint16(i)}] = w
	}
}

// read returns what the registers held.
func (e evidence) read(r protocol.Range) ([]uint16, bool) {
	words := make([]uint16, r.Count)
	for i := range words {
		w, known := e.words[register{r.Table, r.Addr + uint16(i)}]
		if !known {
			return nil, false
		}
		words[i] = w
	}
	return words, true
}

// knows reports whether a read of the registers would tell nothing new.
func (e evidence) knows(r protocol.Range) bool {
	_, known := e.read(r)
	return known || e.refused[r] != nil
}

// value returns what a field holds. It is not asked if one of its registers was neither read nor refused.
func (e evidence) value(f profile.Field) (v codec.Value, asked bool) {
	var all []uint16
	for _, r := range f.Ranges {
		words, known := e.read(r)
		switch {
		case known:
			all = append(all, words...)
		case e.refused[r] != nil:
			return codec.None("refused"), true
		default:
			return v, false
		}
	}
	return f.Spec.Decode(all), true
}

// forgetSilence takes silence for no answer: it may have been an accident. It reports whether there was any.
func (e evidence) forgetSilence() (any bool) {
	for r, err := range e.refused {
		if _, exception := errors.AsType[protocol.ExceptionError](err); !exception {
			delete(e.refused, r)
			any = true
		}
	}
	return any
}
