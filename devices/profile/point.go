package profile

import (
	"strings"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// point reads one point, as the variant being read has it.
func (l *loader) point(f fields) Point {
	p := Point{Key: f.text("key"), Name: f.text("name"), Part: f.text("part"), Unit: f.text("unit"), Why: f.text("why")}
	p.Interval = Interval(f.choice("every", intervals, int(Normal)))
	l.checkWords(f, p)
	bit := l.isBit(f)
	p.Spec = l.spec(f, bit)
	p.Ranges = l.ranges(f, p.Spec)
	p.Write = l.write(f, p)
	p.Source = l.pointSource(f, p)
	l.entityHints(f, &p)
	return p
}

func (l *loader) checkWords(f fields, p Point) {
	if f.has("key") && !keyForm.MatchString(p.Key) {
		f.fail("key", "key %q is not of the form %s", p.Key, keyForm)
	}
	if f.has("name") {
		for _, wrong := range checkName(p.Name) {
			f.fail("name", "%s", wrong)
		}
	}
	if !f.has("part") {
		return
	}
	part, ok := l.parts[p.Part]
	if !ok {
		f.fail("part", "part %q is not one of %s", p.Part, joinWords(l.partKeys()))
	} else if strings.HasPrefix(strings.ToLower(p.Name), strings.ToLower(part)+" ") {
		f.fail("name", "name %q: leave out the part's name, the host puts it in front", p.Name)
	}
}

func (l *loader) partKeys() []string {
	var keys []string
	for _, p := range l.p.Parts {
		keys = append(keys, p.Key)
	}
	return keys
}

// pointSource returns the source of the point. A writable number must name its own, which vouches for its limits.
func (l *loader) pointSource(f fields, p Point) string {
	if p.Write != nil && p.Spec.IsNumber() && !isButton(f) && !f.has("source") {
		f.fail("write", "every writable number needs min, max and a source")
		return ""
	}
	return l.source(f, l.defaults.source)
}

// write reads how to write the point. It returns nil if the point is read only.
func (l *loader) write(f fields, p Point) *Write {
	button := isButton(f)
	if !f.has("write") && !button {
		return nil
	}
	w := &Write{ReadBack: !button}
	g := f.group("write", "write")
	single := l.defaults.single
	if g.has("with") {
		single = g.choice("with", writeWords, 0) == 0
	}
	w.Single = single && p.Spec.Words() == 1
	if g.has("with") && single && !w.Single {
		g.fail("with", "with: a value of %d words cannot be written with function 6", p.Spec.Words())
	}
	w.Settle = g.duration("settle", 0, maxSettle)
	w.Arm = g.boolean("arm")
	w.Flash = g.boolean("flash")
	w.Once = button || g.boolean("once")
	l.checkTarget(f, p)
	switch {
	case button:
		l.press(f, g, p, w)
	case p.Spec.IsNumber():
		l.limits(g, p.Spec, w)
	default:
		g.refuse("only a number has it", "min", "max", "step")
	}
	if !button {
		g.refuse("only the press of a button can go without", "readback")
	}
	return w
}

// checkTarget adds a finding if the registers cannot be written, or not in one request.
func (l *loader) checkTarget(f fields, p Point) {
	key := "write"
	if !f.has(key) {
		key = "press"
	}
	for _, r := range p.Ranges {
		if r.Table == protocol.InputRegister || r.Table == protocol.DiscreteInput {
			f.fail(key, "%s cannot be written: the table is read only", r)
		}
	}
	if len(p.Ranges) > 1 {
		f.fail(key, "words apart cannot be written in one request")
	}
	if p.Spec.Form == codec.BitsForm {
		f.fail(key, "bits are read only: make a point with a mask for each that can be written")
	}
	if n := p.Spec.Words(); n > protocol.MaxWriteRegisters {
		f.fail(key, "%d words are more than one write request holds, %d", n, protocol.MaxWriteRegisters)
	}
}

func (l *loader) press(f, g fields, p Point, w *Write) {
	f.need("platform", "press")
	f.choice("platform", []string{"button"}, 0)
	g.refuse("a button writes one value", "min", "max", "step")
	g.refuse("the press of a button always goes out", "flash")
	f.refuse("a button has no value", "options", "bool", "time", "bits", "scale", "offset", "no_value", "unit", "state",
		"precision", "every", "length", "mode")
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
	w.Min, w.Max, w.Step = g.number("min", 0), g.number("max", 0), g.number("step", s.Grid())
	if !g.has("min") || !g.has("max") {
		g.fail("", "every writable number needs min, max and a source")
		return
	}
	if s.Type.Float() && !g.has("step") {
		g.fail("", "a float has no grid, so its limits need a step")
		return
	}
	if g.get("min") == nil || g.get("max") == nil {
		return // missing for this variant, which is reported
	}
	for _, wrong := range checkLimits(s, *w) {
		g.fail(wrong.Key, "%s", wrong.Text)
	}
}

// isButton reports whether the profile means the point to be a button.
func isButton(f fields) bool { return f.has("press") || f.has("platform") }
