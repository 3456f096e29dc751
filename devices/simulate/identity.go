package simulate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// SerialNumber returns the serial number of a device with those traits that is most like the one given: it begins as
// the family and the traits want it.
func SerialNumber(p *profile.Profile, traits profile.Traits, serial string) string {
	text := shaped(p, traits, profile.FromSerial, func(e profile.Expect) []string { return e.Serial }, serial)
	if s := p.Identify.Serial().Spec; p.Identify.Serial().Present() && s.IsNumber() {
		return digits(text, s.Largest())
	}
	return text
}

// digits returns the number that the digits of a text make, without as many of the first as it takes to fit.
func digits(text string, most uint64) string {
	text = strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	for text = strings.TrimLeft(text, "0"); text != ""; text = strings.TrimLeft(text[1:], "0") {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && n < most {
			return text
		}
	}
	return "1"
}

// shaped returns a text that begins, or contains, what the family and the traits want of it.
func shaped(p *profile.Profile, traits profile.Traits, from profile.From, wanted func(profile.Expect) []string,
	text string) string {
	for _, e := range p.Identify.Expect {
		if beginnings := wanted(e); len(beginnings) > 0 && !e.Holds(codec.TextOf(text)) {
			text = over(text, beginnings[0])
		}
	}
	for _, t := range p.Traits {
		word := traits[t.Name]
		if t.From != from || !p.Applies(t, traits) {
			continue
		}
		if told, ok := t.Word(codec.TextOf(text)); ok && told == word || !ok && word == t.Otherwise {
			continue
		}
		if sample, ok := t.Sample(word); ok {
			if begun := over(text, sample.Str); fits(p, wanted, begun) {
				text = begun
			} else {
				text += sample.Str
			}
		}
	}
	return text
}

func fits(p *profile.Profile, wanted func(profile.Expect) []string, text string) bool {
	return !slices.ContainsFunc(p.Identify.Expect, func(e profile.Expect) bool {
		return len(wanted(e)) > 0 && !e.Holds(codec.TextOf(text))
	})
}

// over puts a beginning in the place of that of a text.
func over(text, beginning string) string {
	return beginning + text[min(len(text), len(beginning)):]
}

// identify gives the unit what identification asks for.
func (s simulation) identify(p *profile.Profile, serial string) error {
	id := p.Identify
	held := codec.TextOf(serial)
	if id.Serial().Spec.IsNumber() {
		n, _ := strconv.ParseFloat(serial, 64)
		held = codec.Number(n)
	}
	if f := id.Serial().In(s.traits); f.Present() && !s.put(f.Ranges, f.Spec, held) {
		return fmt.Errorf("the serial number %q does not fit: %s", serial, f.Spec.Expected())
	}
	if f := id.Model.In(s.traits); f.Present() {
		var texts []codec.Value
		for _, text := range []string{"SIMULATED", "SIM", ""} {
			texts = append(texts, codec.TextOf(shaped(p, s.traits, profile.FromModel,
				func(e profile.Expect) []string { return e.Model }, text)))
		}
		s.put(f.Ranges, f.Spec, options(f.Spec, texts...)...)
	}
	for _, e := range id.Expect {
		if f := e.Field.In(s.traits); f.Present() && len(e.Values) > 0 {
			s.put(f.Ranges, f.Spec, codec.Number(e.Values[0].Low))
		}
	}
	for _, t := range p.Traits {
		if err := s.trait(p, t); err != nil {
			return err
		}
	}
	return nil
}

// trait has the unit tell a trait.
func (s simulation) trait(p *profile.Profile, t profile.Trait) error {
	field, word := t.Field.In(s.traits), s.traits[t.Name]
	v, ok := t.Sample(word)
	switch {
	case !field.Present() || !p.Applies(t, s.traits) || word == "" && t.Otherwise != "":
	case t.From == profile.FromAnswer && word == "no":
		for _, r := range field.Ranges {
			s.unit.Remove(r)
		}
	case t.From == profile.FromAnswer:
	case ok && s.put(field.Ranges, field.Spec, v):
	case word == t.Otherwise:
		for _, r := range field.Ranges { // no register says so: it is what is taken where there is none
			s.unit.Remove(r)
		}
	default:
		return fmt.Errorf("no number stands for %s %q", t.Name, word)
	}
	return nil
}

// chain gives the unit its models of SunSpec: their beginning, the id and the length of each, and their end.
func (s simulation) chain(p *profile.Profile) error {
	if p.SunSpec == nil {
		return nil
	}
	chain, err := profile.ParseChain(s.traits[profile.ChainTrait])
	if err != nil {
		return err
	}
	s.unit.Set(protocol.HoldingRegister, chain.Base, 0x5375, 0x6E53)
	end := chain.Base + 2
	for _, m := range chain.Models {
		s.unit.Set(protocol.HoldingRegister, m.Addr, uint16(m.ID), m.Length)
		end = m.Addr + 2 + m.Length
		for at := m.Addr + 2; at < end; at++ {
			if _, exists := s.unit.Get(protocol.HoldingRegister, at, 1); !exists {
				s.unit.Set(protocol.HoldingRegister, at, 0)
			}
		}
	}
	s.unit.Set(protocol.HoldingRegister, end, 0xFFFF, 0)
	return nil
}

// power gives a register with a power of ten one by which the point can hold its limits and steps, and readings have a
// decimal.
func (s simulation) power(p profile.Point) {
	if !p.Spec.ScaleWord {
		return
	}
	r := p.Ranges[len(p.Ranges)-1]
	if held, _ := s.unit.Get(r.Table, r.Addr, 1); held[0] != 0 {
		return // another point has chosen
	}
	power := -1
	if w := p.Write; w != nil && w.Step > 0 {
		power = int(math.Floor(math.Log10(w.Step) + 1e-9))
	}
	s.unit.Set(r.Table, r.Addr, uint16(int16(power)))
}

// mirror has what is written show where it is read.
func (s simulation) mirror(points []profile.Point) {
	var moved []profile.Point
	for _, p := range points {
		if p.Write != nil && !p.Button() && (p.Write.Spec != nil || p.Write.Ranges != nil && !p.Spec.ScaleWord) {
			moved = append(moved, p)
		}
	}
	if len(moved) == 0 {
		return
	}
	s.unit.OnWrite(func(w sim.Write) {
		for _, p := range moved {
			ranges, spec := p.WriteTo()
			if !ranges[0].Overlaps(w.Range) {
				continue
			}
			words, _ := s.unit.Get(ranges[0].Table, ranges[0].Addr, ranges[0].Count)
			if p.Write.Apart { // the unit does not keep it there
				first := int(ranges[0].Addr) - int(w.Range.Addr)
				if first < 0 || first+len(words) > len(w.Words) {
					continue
				}
				words = w.Words[first : first+len(words)]
			}
			s.put(p.Ranges, p.Spec, spec.Decode(words))
		}
	})
}
