package profile

import (
	"strings"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// point reads one point, as the case being read has it.
func (l *loader) point(f fields, t *template) {
	p := &t.point
	l.current = t
	p.Why = f.text("why")
	p.Alone = f.boolean("alone")
	if l.name(f, t); f.has("every") {
		p.Interval = Interval(f.choice("every", intervals, int(Normal)))
	}
	if f.has("value") {
		l.formula(f, t)
		l.plausible(f, t)
	} else {
		f.need("at")
		f.refuse("only a derived value has it", "negative")
		bit := l.isBit(f)
		p.Spec = l.spec(f, bit)
		l.registers(f, t)
		l.plausible(f, t)
		l.write(f, p)
	}
	p.Source = l.pointSource(f, *p)
	l.entityHints(f, t)
	l.current = nil
}

// registers reads where the point lies.
func (l *loader) registers(f fields, t *template) {
	p := &t.point
	t.place = l.place(f, "at")
	words := p.Spec.Words()
	if f.has("scale_at") {
		l.scaleAt(f, t)
		return
	}
	p.Ranges = l.ranges(f, "at", words, t.place)
	if t.place != nil {
		p.Spec.NoValue = append(p.Spec.NoValue, notImplemented(p.Spec, f.has("no_value"))...)
	}
	if f.has("stride") {
		stride, moves := l.numberOrFormula(f, "stride", 0)
		if t.moves = moves; moves == nil {
			t.stride = &stride
		}
	}
}

// scaleAt reads a point whose power of ten lies in another register.
func (l *loader) scaleAt(f fields, t *template) {
	p := &t.point
	if !p.Spec.IsNumber() || p.Spec.Type.Float() || p.Spec.Mask != 0 {
		f.fail("scale_at", "scale_at: only a whole number without mask has a power of ten")
		return
	}
	p.Ranges = l.ranges(f, "at", p.Spec.Words(), t.place)
	power := l.place(f, "scale_at")
	if (power == nil) != (t.place == nil) {
		f.fail("scale_at", "scale_at: it is an address as at is, or an offset in the same model")
		return
	}
	if t.place != nil {
		p.Spec.NoValue = append(p.Spec.NoValue, notImplemented(p.Spec, f.has("no_value"))...)
	}
	p.Ranges = append(p.Ranges, l.ranges(f, "scale_at", 1, power)...)
	p.Spec.ScaleWord = true
}

// name reads what the point is: a quantity of the vocabulary, or what it calls itself.
func (l *loader) name(f fields, t *template) {
	p := &t.point
	if f.has("is") {
		l.quantityIs(f, t)
		return
	}
	f.need("key", "name")
	p.Key, p.Name, p.Part, p.Unit = f.text("key"), f.text("name"), f.text("part"), f.text("unit")
	p.Interval = Normal
	l.checkWords(f, *p)
	if f.has("part") {
		t.part = partOf{p.Part, l.partName(p.Part)}
	}
}

// quantityIs takes from the vocabulary what a point has to say.
func (l *loader) quantityIs(f fields, t *template) {
	f.refuse("the quantity of is says it", "key", "name", "part", "unit", "class", "state", "precision", "category",
		"icon")
	key := f.text("is")
	letter := letterForm.FindString(key)
	q, n, ok := QuantityOf(strings.ReplaceAll(key, letterOr(letter), "{n}"))
	if !ok {
		f.fail("is", "quantity %q is not in the vocabulary%s", key, nearestQuantity(key))
		return
	}
	p := &t.point
	t.quantity, p.Quantity, t.shown, t.letter = q, q.Key, q.Shown, letter
	switch {
	case letter != "":
		q = q.At(letter)
	case n != "":
		if q = q.At(n); numberOf(n) > t.shown {
			t.shown = 0
		}
	}
	p.Key, p.Name, p.Part, p.Interval = q.Key, q.Name, q.Part, q.Interval
	p.Unit = q.Unit
	if q.Part != "" {
		t.part = partOf{q.Part, q.PartName}
	}
}

func letterOr(letter string) string {
	if letter == "" {
		return "{n}"
	}
	return letter
}

// numberOf reads the number of a quantity.
func numberOf(text string) int {
	n, _ := parseNatural(text)
	return int(n)
}

// partOf is the part of a point, for the list of parts.
type partOf struct{ key, name string }

func (l *loader) checkWords(f fields, p Point) {
	if !f.has("key") && !f.has("name") {
		return
	}
	one := func(text string) string {
		if pairs := l.firstLetters(); pairs != nil {
			return strings.NewReplacer(pairs...).Replace(text)
		}
		return text
	}
	if key := one(p.Key); f.has("key") && !keyForm.MatchString(key) {
		f.fail("key", "key %q is not %s", p.Key, keyForm)
	}
	if f.has("name") {
		for _, wrong := range checkName(one(p.Name)) {
			f.fail("name", "%s", wrong)
		}
	}
	if !f.has("part") {
		return
	}
	part := l.partName(p.Part)
	if part == "" {
		f.fail("part", "part %q is not one of %s, nor one of the vocabulary", p.Part, joinWords(l.partKeys()))
	} else if strings.HasPrefix(strings.ToLower(p.Name), strings.ToLower(part)+" ") {
		f.fail("name", "name %q: leave out the part's name, the host puts it in front", p.Name)
	}
}

// partName returns the name of a part of the file, or of the vocabulary; empty if there is none.
func (l *loader) partName(key string) string {
	if name, ok := l.parts[key]; ok {
		return name
	}
	letter := letterOr(letterForm.FindString(key))
	for _, q := range quantityWords().list {
		if q.Part != "" && q.Part == strings.ReplaceAll(key, letter, "{n}") {
			return strings.ReplaceAll(q.PartName, "{n}", letter)
		}
		if n := numberForm.FindString(key); n != "" && q.Part != "" && q.At(n).Part == key {
			return q.At(n).PartName
		}
	}
	return ""
}

// firstLetters returns the letters of the repetitions around the point, each with a number.
func (l *loader) firstLetters() (pairs []string) {
	if l.current == nil {
		return nil
	}
	for _, r := range l.current.repeats {
		pairs = append(pairs, r.letter, "1")
	}
	return pairs
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
		f.fail("write", "a writable number needs a source: beside it, which vouches for its limits")
		return ""
	}
	return l.source(f, l.defaults.source)
}

// isButton reports whether the profile means the point to be a button.
func isButton(f fields) bool { return f.has("press") || f.has("platform") }

// formula reads a value that follows from other points.
func (l *loader) formula(f fields, t *template) {
	f.refuse("a derived value follows from others", "at", "type", "length", "order", "byte", "mask", "options", "bool",
		"bits", "time", "version", "epoch", "datetime", "scale", "offset", "scale_at", "no_value", "write", "press",
		"platform",
		"alone", "stride", "mode")
	e, err := parseExpression(f.text("value"))
	if err != nil {
		f.fail("value", "value: %v", err)
		return
	}
	t.formula, t.point.Spec = e, codec.Spec{Type: codec.F64, Scale: 1}
	for _, e := range f.entries("negative") {
		turn := Turn{Key: e.Key.Raw()}
		for _, n := range items(e.Value) {
			turn.Options = append(turn.Options, textOf(n))
		}
		t.turn = append(t.turn, turn)
	}
}

// seePart notes a part when the first point of it comes.
func (l *loader) seePart(p partOf) {
	if p.key == "" || l.seen[p.key] {
		return
	}
	l.seen[p.key] = true
	l.used = append(l.used, Part{p.key, p.name})
}

// place reads an address in a model of SunSpec: {model: 103, offset: 14}.
func (l *loader) place(f fields, key string) *Place {
	n := f.get(key)
	if !n.IsMap() {
		return nil
	}
	m := l.fields(n, "place")
	p := &Place{Offset: uint16(m.natural("offset", 0, protocol.MaxReadRegisters*500, 0))}
	for _, id := range m.list("model") {
		if one, ok := id.Int(1, 65534); ok {
			p.Models = append(p.Models, int(one))
		}
	}
	if l.p.SunSpec == nil && m.exists() {
		n.Fail("%s: the profile has no sunspec, so there are no models", key)
	}
	return p
}

// notImplemented returns the raw numbers with which SunSpec says that a point is not there. Source: SunSpec Device
// Information Model Specification 1.1, 6.4. A point that says its own says all of them.
func notImplemented(s codec.Spec, own bool) []codec.RawRange {
	if own || s.Type == codec.Text || s.Type.Float() {
		return nil
	}
	raw := s.AllBits()
	if s.Type.Signed() && s.Form == codec.Plain {
		raw = raw>>1 + 1
	}
	return []codec.RawRange{{From: raw, To: raw}}
}
