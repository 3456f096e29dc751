package profile

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/strict"
)

// unitDefaults is what follows from a unit, unless a quantity says otherwise.
type unitDefaults struct {
	class     string
	precision int
	plausible Span
}

// vocabularyLoader builds the vocabulary from its file.
type vocabularyLoader struct {
	*reader
	vocabulary
	units map[string]unitDefaults
	parts []string        // keys, such as battery_{n}
	names map[string]bool // "part: name" of each quantity
}

// loadVocabulary reads the quantities. The error is strict.Findings.
func loadVocabulary(file string, data []byte) (vocabulary, error) {
	root, report := strict.Parse(file, data)
	l := &vocabularyLoader{reader: &reader{}, units: map[string]unitDefaults{}, names: map[string]bool{},
		vocabulary: vocabulary{byKey: map[string]int{}}}
	if root != nil {
		f := l.fields(root, "vocabulary")
		for _, e := range f.entries("units") {
			l.unit(e)
		}
		for _, e := range f.entries("parts") {
			l.part(e)
		}
	}
	return l.vocabulary, report.Err()
}

func (l *vocabularyLoader) unit(e strict.Entry) {
	f := l.fields(e.Value, "unit")
	u := unitDefaults{class: f.text("class"), precision: int(f.natural("precision", 0, maxPrecision, 0))}
	u.plausible = f.span("range")
	l.units[e.Key.Raw()] = u
}

// ownQuantities is the word for what has no part, because it belongs to the device itself.
const ownQuantities = "device"

func (l *vocabularyLoader) part(e strict.Entry) {
	f := l.fields(e.Value, "vocabulary part")
	key, name := e.Key.Raw(), f.text("name")
	if key == ownQuantities {
		key = ""
	} else {
		l.parts = append(l.parts, key)
		for _, wrong := range checkName(firstOf(name)) {
			f.fail("name", "%s", wrong)
		}
	}
	for _, q := range f.entries("quantities") {
		l.quantity(q, Quantity{Key: q.Key.Raw(), Part: key, PartName: name})
	}
}

func (l *vocabularyLoader) quantity(e strict.Entry, q Quantity) {
	f := l.fields(e.Value, "quantity")
	unit := l.units[f.text("unit")]
	q.Name, q.Unit, q.Sign, q.Icon = f.text("name"), f.text("unit"), f.text("sign"), f.text("icon")
	q.Form = quantityForms[f.choice("form", quantityForms, 0)]
	q.Category = []string{"", "config", "diagnostic"}[f.choice("category", categories, 0)]
	q.DeviceClass = unit.class
	if f.has("class") {
		q.DeviceClass = f.text("class")
	}
	q.Precision = -1
	if _, known := l.units[q.Unit]; known {
		q.Precision, q.Range = unit.precision, unit.plausible
	}
	if f.has("precision") {
		q.Precision = int(f.natural("precision", 0, maxPrecision, 0))
	}
	if f.has("range") {
		q.Range = f.span("range")
	}
	q.Interval = Interval(f.choice("every", intervals, int(usualInterval(q))))
	if f.text("show") == spareWord {
		q.Spare = len(l.list) + 1
	} else {
		q.Shown = shown(f)
	}
	l.checkKey(e.Key, q)
	l.checkNames(f, q)
	l.checkClass(f, &q)
	l.byKey[q.Key] = len(l.list)
	l.list = append(l.list, q)
}

// quantityForms are the forms of a value, as far as the vocabulary tells them apart.
var quantityForms = []string{"number", "bool", "text", "time", "button", "any"}

// usualInterval is slow for a setting, which changes only when somebody changes it.
func usualInterval(q Quantity) Interval {
	if q.Category == "config" {
		return Slow
	}
	return Normal
}

// spareWord says that a quantity is on at first where a device has few others.
const spareWord = "spare"

// shown reads `true`, or `1..2` for the first two of a numbered quantity.
func shown(f fields) int {
	first, last, several := strings.Cut(f.text("show"), "..")
	if !several {
		if f.boolean("show") {
			return everyNumber
		}
		return 0
	}
	if n, err := strconv.Atoi(last); err == nil && first == "1" {
		return n
	}
	f.fail("show", "show %q is neither true, spare nor like 1..2", f.text("show"))
	return 0
}

// span reads "-1..1".
func (f fields) span(key string) Span {
	if !f.has(key) {
		return Span{}
	}
	from, to, _ := strings.Cut(f.text(key), "..")
	low, wrong := strconv.ParseFloat(from, 64)
	high, wrongToo := strconv.ParseFloat(to, 64)
	if wrong != nil || wrongToo != nil || low >= high {
		f.fail(key, "%s %q is not like 0..100", key, f.text(key))
	}
	return Span{low, high}
}

// unitWords may not stand in a key: a device can come that has another unit, and a key never changes.
var unitWords = wordSet("w kw wh kwh mwh v mv a ma hz c pct percent ah va kva var kvar kvarh ohm rpm")

// checkKey demands that the key begins with its part, has no unit, and one number at most.
func (l *vocabularyLoader) checkKey(at *strict.Node, q Quantity) {
	if !keyForm.MatchString(firstOf(q.Key)) || strings.Count(q.Key, "{n}") > 1 {
		at.Fail("key %q is not %s, with one {n} at most", q.Key, keyForm)
	}
	if q.Part != "" && !strings.HasPrefix(q.Key, q.Part+"_") {
		at.Fail("key %q does not begin with its part, %s", q.Key, q.Part)
	}
	for _, part := range l.parts {
		if q.Part == "" && strings.HasPrefix(q.Key, part+"_") {
			at.Fail("key %q begins with %s, which is another part", q.Key, part)
		}
	}
	for word := range strings.SplitSeq(q.Key, "_") {
		if unitWords[word] {
			at.Fail("key %q: %q is a unit", q.Key, word)
		}
	}
}

// checkNames demands a good name, which is unique in the part and has the number where the part has not.
func (l *vocabularyLoader) checkNames(f fields, q Quantity) {
	for _, wrong := range checkName(firstOf(q.Name)) {
		f.fail("name", "%s", wrong)
	}
	if named := strings.Contains(q.Name+q.PartName, "{n}"); named != q.Numbered() {
		f.fail("name", "name %q: {n} stands in the key and in the name or part, or in none of them", q.Name)
	}
	full := q.Part + ": " + q.Name
	if l.names[full] {
		f.fail("name", "name %q stands twice in the part", q.Name)
	}
	l.names[full] = true
}

// checkClass demands a unit, a device class and a state class that fit each other, and sets the state class.
func (l *vocabularyLoader) checkClass(f fields, q *Quantity) {
	if q.Form != "number" {
		f.refuse("only a number has one", "unit", "state", "precision", "range", "sign")
		if q.DeviceClass != "" && !slices.Contains(slices.Concat(flags["binary_sensor"], flags["button"]),
			q.DeviceClass) {
			f.fail("class", "class %q is not one of a bool or a button", q.DeviceClass)
		}
		return
	}
	class, known := quantities[q.DeviceClass]
	switch {
	case q.DeviceClass == "":
		class.states = stateClasses
	case !known:
		f.fail("class", "class %q is not one of %s", q.DeviceClass, joinWords(slices.Sorted(maps.Keys(quantities))))
		return
	case !slices.Contains(class.units, q.Unit):
		f.fail("unit", "class %s has the units %s, not %q", q.DeviceClass, joinWords(class.units), q.Unit)
	}
	switch {
	case f.has("state"):
		q.StateClass = f.text("state")
	case q.Interval != Once && (q.DeviceClass != "" || q.Unit != ""):
		q.StateClass = class.states[0]
	}
	if q.StateClass != "" && !slices.Contains(class.states, q.StateClass) {
		f.fail("state", "state %s does not fit class %q: %s", q.StateClass, q.DeviceClass, joinWords(class.states))
	}
	if q.StateClass == totalIncreasing && q.Range.Low < 0 {
		f.fail("state", "%s cannot fall below 0", totalIncreasing)
	}
}

// firstOf returns the text for the number 1.
func firstOf(text string) string { return strings.ReplaceAll(text, "{n}", "1") }
