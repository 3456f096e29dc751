package profile

import (
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// write reads how to write the point, if it can be written.
func (l *loader) write(f fields, p *Point) {
	button := isButton(f)
	if !f.has("write") && !button {
		return
	}
	w := &Write{ReadBack: !button}
	p.Write = w
	g := f.group("write", "write")
	l.target(g, p)
	ranges, spec := p.WriteTo()
	single := l.defaults.single
	if g.has("with") {
		single = g.choice("with", writeWords, 0) == 0
	}
	w.Single = single && written(ranges) == 1
	if g.has("with") && single && !w.Single {
		g.fail("with", "with: a value of %d words cannot be written with function 6", written(ranges))
	}
	w.Settle = g.duration("settle", 0, maxSettle)
	w.Arm = g.boolean("arm")
	w.Flash = g.boolean("flash")
	w.Once = button || g.boolean("once")
	w.Around = l.aroundOf(g)
	l.checkTarget(f, ranges, spec)
	switch {
	case button:
		l.press(f, g, *p, w)
	case spec.IsNumber():
		l.limits(g, spec, w)
	default:
		g.refuse("only a number has it", "min", "max", "step")
	}
	l.writable(g, p)
	if !button && g.has("readback") {
		l.writeOnly(f, g, spec, w)
	}
	if w.Apart = l.p.Line.WritesApart && (w.Ranges != nil || !w.ReadBack); w.Apart && spec.Partial() {
		g.fail("mask", "what is written apart cannot be read first, so all of its register is written: give it a mask")
	}
}

// writeOnly reads a point whose registers can only be written.
func (l *loader) writeOnly(f, g fields, spec codec.Spec, w *Write) {
	if w.ReadBack = g.boolean("readback"); w.ReadBack {
		return
	}
	g.refuse("what cannot be read has no other place to read it", "at")
	g.refuse("what cannot be read is not known to be equal", "flash")
	f.refuse("what cannot be read is never polled", "no_value", "state")
	if spec.Partial() || spec.ScaleWord {
		f.fail("mask", "a part of what cannot be read cannot be written")
	}
}

// target reads where and how the value is written, if that is not where and how it is read.
func (l *loader) target(g fields, p *Point) {
	if p.Spec.ScaleWord {
		p.Write.Ranges = p.Ranges[:len(p.Ranges)-1]
	}
	if g.has("scale") || g.has("offset") || g.has("order") || g.has("type") || g.has("mask") {
		spec := p.Spec
		spec.Type = codec.Type(g.choice("type", codec.TypeNames(), int(spec.Type)))
		spec.Order = codec.Order(g.choice("order", codec.OrderNames(), int(spec.Order)))
		spec.Scale, spec.Offset = g.number("scale", spec.Scale), g.number("offset", spec.Offset)
		if spec.Scale == 0 && spec.IsNumber() {
			g.fail("scale", "scale 0: every value would be the same")
			spec.Scale = 1
		}
		if g.has("mask") {
			spec.Mask = 0
			l.mask(g, &spec)
		}
		p.Write.Spec = &spec
	}
	if g.has("at") {
		_, spec := p.WriteTo()
		p.Write.Ranges = l.ranges(g, "at", spec.Words(), nil)
	}
}

// written counts the words of a write.
func written(ranges []protocol.Range) (words int) {
	for _, r := range ranges {
		words += int(r.Count)
	}
	return words
}

// writable reads which options can be written. The others are only read.
func (l *loader) writable(g fields, p *Point) {
	if !g.has("options") {
		return
	}
	if p.Spec.Form != codec.OptionForm {
		g.fail("options", "options: only a point with options has it")
		return
	}
	wanted := map[string]bool{}
	for _, n := range g.list("options") {
		slug := textOf(n)
		wanted[slug] = true
		known := false
		for _, o := range p.Spec.Options {
			known = known || o.Name == slug
		}
		if !known {
			n.Fail("options: %q is not one of %s", slug, joinWords(p.Spec.OptionNames()))
		}
	}
	own := make([]codec.Option, 0, len(p.Spec.Options))
	for _, o := range p.Spec.Options {
		o.Fixed = o.Fixed || !wanted[o.Name]
		own = append(own, o)
	}
	p.Spec.Options = own
}

// checkTarget adds a finding if the registers cannot be written, or not in one request.
func (l *loader) checkTarget(f fields, ranges []protocol.Range, s codec.Spec) {
	key := "write"
	if !f.has(key) {
		key = "press"
	}
	for _, r := range ranges {
		if r.Table == protocol.InputRegister || r.Table == protocol.DiscreteInput {
			f.fail(key, "%s cannot be written: the table is read only", r)
		}
	}
	if len(ranges) > 1 {
		f.fail(key, "words apart cannot be written in one request")
	}
	switch s.Form {
	case codec.BitsForm:
		f.fail(key, "bits are read only: make a point with a mask for each that can be written")
	case codec.VersionForm:
		f.fail(key, "a version is read only")
	}
	if s.IsMoment() && !isClock(f) {
		f.fail(key, "a moment is read only, but for the clock of the device: is: %s", ClockQuantity)
	}
	if n := written(ranges); n > protocol.MaxWriteRegisters {
		f.fail(key, "%d words are more than one write request holds, %d", n, protocol.MaxWriteRegisters)
	}
}

func (l *loader) press(f, g fields, p Point, w *Write) {
	f.need("platform", "press")
	f.choice("platform", []string{"button"}, 0)
	g.refuse("a button writes one value", "min", "max", "step")
	g.refuse("the press of a button always goes out", "flash")
	f.refuse("a button has no value", "options", "bool", "time", "bits", "version", "epoch", "datetime", "scale",
		"offset", "scale_at", "no_value", "unit", "state", "precision", "every", "length", "mode")
	if p.Spec.Type == codec.Text || p.Spec.Type.Float() {
		f.fail("type", "type: a button writes a whole number")
		return
	}
	high := p.Spec.Largest()
	if p.Spec.Form == codec.BoolForm {
		high = 1
	}
	w.Press = f.natural("press", 0, high, 0)
	w.ReadBack = g.boolean("readback")
}

func (l *loader) limits(g fields, s codec.Spec, w *Write) {
	open := len(l.current.numbers)
	w.Min, w.Max = l.number(g, "min", 0), l.number(g, "max", 0)
	w.Step = l.number(g, "step", s.Grid())
	if !g.has("min") || !g.has("max") {
		g.fail("", "a writable number needs min and max")
		return
	}
	if s.Grid() == 0 && !g.has("step") {
		g.fail("", "the register has no grid that is known, so its limits need a step")
		return
	}
	if g.get("min") == nil || g.get("max") == nil {
		return // missing in this case, which is reported
	}
	if len(l.current.numbers) > open || l.current.scaled() {
		return // they follow from traits, and are checked for each device
	}
	for _, wrong := range append(checkLimits(s, *w), l.current.point.beyond(*w)...) {
		g.fail(wrong.Key, "%s", wrong.Text)
	}
}
