package profile

import (
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

func (l *loader) identify(f fields) {
	id := &l.p.Identify
	for _, n := range f.list("serial") {
		field := l.field(l.fields(n, "field"))
		l.serial(n, &field)
		id.Serials = append(id.Serials, field)
	}
	id.Model = l.fieldAt(f, "model")
	id.Version = l.fieldAt(f, "version")
	id.Never = l.rangeList(f, "never")
	for _, n := range f.list("expect") {
		l.expect(l.fields(n, "expect"))
	}
	if f.exists() {
		id.Source = l.source(f, l.defaults.source)
	}
}

// serial checks the register of a serial number: a text, or a whole number, of which one with all its bits set is none.
func (l *loader) serial(n *strict.Node, f *Field) {
	s := &f.Spec
	switch {
	case !f.Present() || s.Type == codec.Text && s.Form == codec.Plain:
	case s.IsNumber() && !s.Type.Signed() && !s.Type.Float() && s.Scale == 1 && s.Offset == 0:
		s.NoValue = append(s.NoValue, codec.RawRange{From: s.AllBits(), To: s.AllBits()})
	default:
		n.Fail("serial: it is a text, or a whole number without sign and scale")
	}
}

// rangeList reads a list of ranges: [holding 700..709].
func (l *loader) rangeList(f fields, key string) (all []protocol.Range) {
	for _, n := range f.list(key) {
		r, err := ParseHole(textOf(n))
		if err != nil {
			n.Fail("%s: %v", key, err)
			continue
		}
		all = append(all, r)
	}
	return all
}

func (l *loader) fieldAt(f fields, key string) Field {
	if !f.has(key) {
		return Field{}
	}
	return l.field(f.group(key, "field"))
}

// field reads one register of the identification. It is the same for all devices, whose traits are not known yet.
func (l *loader) field(q fields) Field {
	if !q.has("at") {
		return Field{}
	}
	spec := l.spec(q, l.isBit(q))
	place := l.place(q, "at")
	return Field{Ranges: l.ranges(q, "at", spec.Words(), place), Spec: spec, Place: place}
}

// expect reads what must hold of a device of the family: of a text, or of the number in a register.
func (l *loader) expect(f fields) {
	e := Expect{Name: "register"}
	switch {
	case f.has("serial"):
		e.Name, e.Serial = "serial number", texts(f, "serial")
	case f.has("model"):
		e.Name, e.Model = "model", texts(f, "model")
	case f.has("at"):
		e.Name, e.Field = textOf(items(f.Get("at"))[0]), l.field(f)
		e.Values = spans(f, "values", e.Field.Spec)
		if len(e.Values) == 0 {
			f.fail("", "expect: say which values: [1, 5..7]")
		}
	case f.exists():
		f.fail("", "expect: say serial, model or at")
		return
	}
	if name := f.text("name"); name != "" {
		e.Name = name
	}
	l.p.Identify.Expect = append(l.p.Identify.Expect, e)
}

// texts reads a list of texts.
func texts(f fields, key string) (all []string) {
	for _, n := range f.list(key) {
		if text := textOf(n); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// spans reads a list of numbers and ranges of them: [5, 1536..1538].
func spans(f fields, key string, s codec.Spec) (all []Span) {
	if !f.has(key) {
		return nil
	}
	if s.Form != codec.Plain && s.Form != codec.BoolForm || s.Type == codec.Text || s.Type.Float() {
		f.fail(key, "%s: the register holds a whole number", key)
		return nil
	}
	for _, n := range f.list(key) {
		if span, ok := spanOf(n); ok {
			all = append(all, span)
		}
	}
	return all
}

// spanOf reads 5, 0x05, -3, or 6..8.
func spanOf(n *strict.Node) (Span, bool) {
	first, last, several := strings.Cut(n.Raw(), "..")
	low, ok := parseWhole(first)
	high := low
	if several && ok {
		high, ok = parseWhole(last)
	}
	if !ok || high < low {
		n.Fail("%q is not a whole number, or a range of them such as 6..8", n.Raw())
		return Span{}, false
	}
	return Span{low, high}, true
}

// parseWhole reads a whole number with a sign, or a hexadecimal one.
func parseWhole(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	digits, negative := strings.CutPrefix(text, "-")
	n, err := parseNatural(digits)
	if negative {
		return -float64(n), err == nil
	}
	return float64(n), err == nil
}
