package profile

import (
	"cmp"
	"slices"

	"solarhub/protocol/codec"
)

func (l *loader) identify(f fields) {
	id := &l.p.Identify
	if serial := l.field(f, "serial"); serial.Present() {
		id.Serials = []Field{serial}
		if serial.Spec.Type != codec.Text {
			f.fail("serial", "serial: the type is text")
		}
	}
	id.Model = l.field(f, "model")
	kind := l.field(f, "kind")
	id.Version = l.field(f, "version")
	if !id.Serial().Present() && !id.Model.Present() && !kind.Present() && f.exists() {
		f.fail("", "identify needs at least one of serial, model, kind")
	}
	if f.exists() {
		id.Source = l.source(f, l.defaults.source)
	}
	l.accept(f, kind)
}

// field reads one register of the identification. It is the same in all variants, which are not known yet.
func (l *loader) field(f fields, key string) Field {
	if !f.has(key) {
		return Field{}
	}
	q := f.group(key, "field")
	spec := l.spec(q, l.isBit(q))
	return Field{Ranges: l.ranges(q, spec), Spec: spec}
}

// maxVariants is how many variants a family can have: each costs a reading of all points.
const maxVariants = 8

// accept reads which kinds belong to this family, and the variant of each.
func (l *loader) accept(f fields, kind Field) {
	switch {
	case f.has("accept") && !kind.Present():
		f.fail("accept", "accept without kind: nothing tells what to accept")
	case kind.Present() && !f.has("accept"):
		f.fail("kind", "kind without accept: say which kinds are this family")
	case kind.Present() && (kind.Spec.Type.Signed() || kind.Spec.Type.Float() || kind.Spec.Type == codec.Text ||
		kind.Spec.Form != codec.Plain):
		f.fail("kind", "kind: it is a plain number without a sign, one of u16, u32, u64")
		return
	}
	trait := Trait{Name: "kind", Field: kind}
	accepted := map[uint64]bool{}
	plain := 0
	for _, e := range f.entries("accept") {
		raw, ok := l.rawKey(e, kind.Spec)
		variant := e.Value.Raw()
		switch {
		case variant == "":
			plain++
		case !wordForm.MatchString(variant) || reserved(variant):
			e.Value.Fail("variant %q is not of the form %s, or is a word of the format", variant, wordForm)
			continue
		case !slices.Contains(trait.Words, variant):
			trait.Words = append(trait.Words, variant)
		}
		if accepted[raw] {
			e.Key.Fail("kind %d stands here twice", raw)
		}
		if ok {
			accepted[raw] = true
			trait.values = append(trait.values, wordSpan{Span{float64(raw), float64(raw)}, variant})
		}
	}
	if len(trait.Words) > 0 && plain > 0 {
		f.fail("accept", "accept names a variant for some kinds and none for others")
	}
	l.settle(f, trait)
}

// settle keeps the kinds: as a trait if they tell a variant, otherwise as what is expected.
func (l *loader) settle(f fields, t Trait) {
	if n := len(t.Words); n > maxVariants {
		f.fail("accept", "accept names %d variants; at most %d are read", n, maxVariants)
		t.Words = t.Words[:maxVariants]
	}
	slices.SortFunc(t.values, func(a, b wordSpan) int { return cmp.Compare(a.Low, b.Low) })
	if len(t.Words) == 0 && t.Field.Present() {
		e := Expect{Name: t.Name, Field: t.Field}
		for _, v := range t.values {
			e.Values = append(e.Values, v.Span)
		}
		l.p.Identify.Expect = append(l.p.Identify.Expect, e)
	}
	if len(t.Words) > 0 {
		slices.Sort(t.Words)
		t.Typical = t.Words[0]
		l.p.Traits = append(l.p.Traits, t)
		l.variants = t.Words
	}
}
