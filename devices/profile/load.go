package profile

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// defaults are the values that a profile gives once for all its points.
type defaults struct {
	order  codec.Order
	single bool
	source string
}

// loader builds a Profile from its file.
type loader struct {
	*reader
	report   *strict.Report
	p        *Profile
	defaults defaults
	parts    map[string]string // key -> name
}

// Load reads one profile. The name of the file appears in the findings, and without its extension it must be the id of
// the profile. The error is strict.Findings: everything that is wrong, each with line and column. The Profile is then
// nil.
func Load(file string, data []byte) (*Profile, error) {
	root, report := strict.Parse(file, data)
	l := &loader{reader: &reader{}, report: report, p: &Profile{},
		parts: map[string]string{}}
	if root != nil {
		l.profile(root, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	}
	if err := report.Err(); err != nil {
		return nil, err
	}
	return l.p.WriteWith(l.p.Line.With), nil
}

func (l *loader) profile(root *strict.Node, id string) {
	f := l.fields(root, "profile")
	l.p.ID, l.p.Name, l.p.Manufacturer = f.text("profile"), f.text("name"), f.text("manufacturer")
	if f.has("profile") && (!wordForm.MatchString(l.p.ID) || l.p.ID != id) {
		f.fail("profile", "profile %q: the id is the file's name, %q, and of the form %s", l.p.ID, id, wordForm)
	}
	l.sources(f)
	l.line(f.group("line", "line"))
	l.readDefaults(f.group("defaults", "defaults"))
	l.readParts(f)
	l.identify(f.group("identify", "identify"))
	l.points(f)
}

func (l *loader) sources(f fields) {
	l.p.Sources = map[string]string{}
	for _, e := range f.entries("sources") {
		if !sourceForm.MatchString(e.Key.Raw()) {
			e.Key.Fail("source %q is not of the form %s", e.Key.Raw(), sourceForm)
		}
		if text := textOf(e.Value); text != "" {
			l.p.Sources[e.Key.Raw()] = text
		}
	}
}

func (l *loader) line(f fields) {
	line := &l.p.Line
	line.Unit = protocol.UnitID(f.natural("unit", 1, 247, 1))
	for _, k := range Settings {
		if n := f.get(k.Key); n != nil {
			k.Take(n, line)
		}
	}
	for _, wrong := range line.Validate() {
		f.fail(wrong.Key, "%s", wrong.Text)
	}
	line.Source = l.source(f, "")
	if f.has("serial") {
		serial, err := protocol.ParseSerial(f.text("serial"))
		if err != nil {
			f.fail("serial", "serial: %v", err)
		}
		line.Serial = serial
	}
}

func (l *loader) readDefaults(f fields) {
	l.defaults.order = codec.Order(f.choice("order", codec.OrderNames(), int(codec.ABCD)))
	l.defaults.single = f.choice("write", writeWords, 1) == 0
	if f.has("source") {
		l.defaults.source = l.source(f, "")
	}
}

// writeWords name the functions that write: 6 (or 5 for a coil), and 16 (or 15).
var writeWords = []string{"single", "multiple"}

func (l *loader) readParts(f fields) {
	for _, e := range f.entries("parts") {
		if !wordForm.MatchString(e.Key.Raw()) {
			e.Key.Fail("part %q is not of the form %s", e.Key.Raw(), wordForm)
		}
		name := textOf(e.Value)
		for _, wrong := range checkName(name) {
			e.Value.Fail("%s", wrong)
		}
		l.p.Parts = append(l.p.Parts, Part{Key: e.Key.Raw(), Name: name})
		l.parts[e.Key.Raw()] = name
	}
}

// source returns the text of the key source, or the fallback. Each name in it must be one of Profile.Sources; text in
// brackets is a remark.
func (l *loader) source(f fields, fallback string) string {
	if !f.has("source") {
		if fallback == "" && f.exists() {
			f.fail("", "source is missing: say where this is known from")
		}
		return fallback
	}
	text := f.text("source")
	for _, name := range sourceNames(text) {
		if _, ok := l.p.Sources[name]; !ok {
			f.fail("source", "source %q is not one of %s", name, joinWords(slices.Sorted(maps.Keys(l.p.Sources))))
		}
	}
	return text
}

// sourceNames splits "a, b (the lower one), c" into a, b and c.
func sourceNames(text string) []string {
	var plain strings.Builder
	depth := 0
	for _, r := range text {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case depth <= 0:
			plain.WriteRune(r)
		}
	}
	names := strings.Split(plain.String(), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// joinWords lists words for a person: "a, b, c".
func joinWords(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// points reads all points once for each variant, so that the checks see one value for each key.
func (l *loader) points(f fields) {
	nodes := f.list("points")
	if f.has("points") && len(nodes) == 0 {
		f.fail("points", "there are no points")
	}
	for _, v := range l.variantNames() {
		l.variant = v
		var points []Point
		var places []fields
		for _, n := range nodes {
			if l.report.Full() {
				return
			}
			pf := l.fields(n, "point")
			if !l.exists(pf) {
				continue
			}
			points = append(points, l.point(pf))
			places = append(places, pf)
		}
		for _, c := range conflicts(points) {
			places[c.point].fail(c.key, "%s (the other is in line %d)", c.text, places[c.with].At.Line)
		}
		for _, p := range points {
			l.p.entries = append(l.p.entries, entry{l.variantIs(v), p})
		}
	}
	l.checkWritable(f)
}

func (l *loader) variantNames() []string {
	if len(l.variants) == 0 {
		return []string{""}
	}
	return l.variants
}

// variantIs returns the condition that a device is of the variant.
func (l *loader) variantIs(v string) Condition {
	if v == "" {
		return Condition{}
	}
	return Condition{any: [][]term{{{trait: l.p.Traits[0].Name, words: []string{v}}}}}
}

// exists reports whether the variant being read has the point.
func (l *loader) exists(f fields) bool {
	if !f.has("only") {
		return true
	}
	var named bool
	for _, n := range f.list("only") {
		v := textOf(n)
		if !slices.Contains(l.variants, v) {
			n.Fail("only: variant %q is not one of %s", v, joinWords(l.variants))
		}
		named = named || v == l.variant
	}
	return named
}

// checkWritable demands an identity of every family that can be written to. Without it, a write could reach another
// device.
func (l *loader) checkWritable(f fields) {
	id := l.p.Identify
	if id.Serial().Present() || len(id.Expect) > 0 || len(l.p.Traits) > 0 {
		return
	}
	if slices.ContainsFunc(l.p.entries, func(e entry) bool { return e.point.Write != nil }) {
		f.fail("identify", "there are points that can be written, so identify needs serial or kind")
	}
}
