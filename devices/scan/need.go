package scan

import (
	"fmt"
	"math"
	"slices"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// need is one thing that must hold of every device of a family, and that a read tells.
type need struct {
	what   string          // is looked at, as people say: "device type"
	places []profile.Field // where it may stand; one of them is enough
	holds  func(v codec.Value) bool
	bits   float64 // of surprise where it holds by chance
}

// verdict is what is known of a need.
type verdict uint8

const (
	open verdict = iota // a read may tell
	held
	failed
)

// judge returns what the evidence says of the need, and the place that speaks for it.
func (n need) judge(e evidence) (verdict, profile.Field) {
	asked := 0
	for _, f := range n.places {
		v, known := e.value(f)
		switch {
		case known && n.holds(v):
			return held, f
		case known:
			asked++
		}
	}
	if asked == len(n.places) {
		return failed, profile.Field{}
	}
	return open, profile.Field{}
}

// questions returns the reads that tell more of an open need.
func (n need) questions(e evidence) (all []protocol.Range) {
	for _, f := range n.places {
		if _, known := e.value(f); known {
			continue
		}
		for _, r := range f.Ranges {
			if !e.knows(r) {
				all = append(all, r)
			}
		}
		return all
	}
	return nil
}

const serialNumber = "serial number"

// needsOf lists what must hold of a device of the family, as far as the addresses are the same for all its devices. A
// device may lack a serial number, which is the proof; it is one of the needs only where there is nothing else.
func needsOf(p *profile.Profile) (needs []need, proof *need) {
	for _, e := range p.Identify.Expect {
		needs = append(needs, expected(p, e))
	}
	for _, t := range p.Traits {
		if n, ok := told(p, t); ok {
			needs = append(needs, n)
		}
	}
	if p.SunSpec != nil {
		needs = append(needs, beginning(p.SunSpec))
	}
	needs = slices.DeleteFunc(needs, func(n need) bool {
		return slices.ContainsFunc(n.places, func(f profile.Field) bool { return !f.Present() || f.Place != nil })
	})
	serials := p.Identify.Serials
	if len(serials) == 0 || serials[0].Place != nil {
		return needs, nil
	}
	serial := need{what: serialNumber, places: serials, holds: isSerial, bits: surpriseOfSerial}
	if len(needs) == 0 {
		return []need{serial}, nil
	}
	return needs, &serial
}

// expected is what the profile says that must hold.
func expected(p *profile.Profile, e profile.Expect) need {
	n := need{what: e.Name, places: []profile.Field{e.Field}, holds: e.Holds}
	switch {
	case e.Serial != nil:
		n.places, n.bits = p.Identify.Serials, surpriseOfText(e.Serial)
		n.holds = func(v codec.Value) bool { return isSerial(v) && e.Holds(codec.TextOf(v.String())) }
	case e.Model != nil:
		n.places, n.bits = []profile.Field{p.Identify.Model}, surpriseOfText(e.Model)
	default:
		n.bits = surpriseOf(e.Values, e.Field.Spec)
	}
	return n
}

// told is a trait that every device of the family tells.
func told(p *profile.Profile, t profile.Trait) (n need, ok bool) {
	n = need{what: t.Name, bits: surpriseOfWord, holds: func(v codec.Value) bool {
		_, ok := t.Word(v)
		return ok
	}}
	switch t.From {
	case profile.FromRegister:
		n.places, n.bits = []profile.Field{t.Field}, surpriseOf(t.Spans(), t.Field.Spec)
	case profile.FromSerial:
		n.places = p.Identify.Serials
	case profile.FromModel:
		n.places = []profile.Field{p.Identify.Model}
	case profile.FromVersion:
		n.places = []profile.Field{p.Identify.Version}
	}
	return n, t.Otherwise == "" && t.When.Always() && n.places != nil
}

// sunS is the text at which the models of SunSpec begin. Source: SunSpec Device Information Model Specification 1.1,
// 6.2.
const sunS = 0x53756E53

// beginning is the text at which the models of SunSpec begin.
func beginning(s *profile.SunSpec) need {
	n := need{what: "SunSpec models", bits: mostSurprise,
		holds: func(v codec.Value) bool { return v.Kind == codec.KindNumber && v.Num == sunS }}
	for _, base := range s.Bases {
		n.places = append(n.places, profile.Field{Ranges: []protocol.Range{{Addr: base, Count: 2}},
			Spec: codec.Spec{Type: codec.U32, Scale: 1}})
	}
	return n
}

// isSerial reports whether a value can be the serial number of a device.
func isSerial(v codec.Value) bool { return v.Known() && profile.CheckDeviceID(v.String()) == nil }

// How surprised one is, in bits, to find by chance what a family wants: of a share of 1/1024 of what may be there, 10.
const (
	mostSurprise     = 16 // of any one thing: nothing proves more than that
	surpriseOfSerial = 8  // four words of letters and digits, where most registers hold small numbers
	surpriseOfWord   = 6  // a text that says one of a few words
	bitsOfLetter     = 4
)

// surpriseOfText is that over a text with one of some beginnings.
func surpriseOfText(beginnings []string) float64 {
	share := 0.0
	for _, b := range beginnings {
		share += math.Exp2(-bitsOfLetter * float64(len(b)))
	}
	return min(mostSurprise, surpriseOfShare(share)+bitsOfLetter) // that it is a text at all
}

// surpriseOf is that over a number in one of some spans. Of the registers that nobody knows half hold a small number,
// and half of these are 0.
func surpriseOf(spans []profile.Span, s codec.Spec) float64 {
	const small = 100
	many := math.Exp2(float64(16 * max(1, s.Words())))
	share := 0.0
	for _, sp := range spans {
		if sp.Low <= 0 && 0 <= sp.High {
			share += 0.25
		}
		share += 0.25 * max(0, min(sp.High, small)-max(sp.Low, 1)+1) / small
		share += 0.5 * (sp.High - sp.Low + 1) / many
	}
	return min(mostSurprise, surpriseOfShare(share))
}

func surpriseOfShare(share float64) float64 {
	return -math.Log2(max(min(share, 1), math.Exp2(-mostSurprise)))
}

// addresses names registers as people do: "holding 0", "input 3..7".
func addresses(ranges []protocol.Range) (text string) {
	for i, r := range ranges {
		if i > 0 {
			text += " and "
		}
		text += fmt.Sprintf("%s %d", r.Table, r.Addr)
		if r.Count > 1 {
			text += fmt.Sprintf("..%d", r.End()-1)
		}
	}
	return text
}
