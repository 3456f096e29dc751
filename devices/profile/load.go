package profile

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// defaults are the values that a profile gives once for all its points.
type defaults struct {
	order  codec.Order
	orders *strict.Node // one for each word of a trait; usually nil
	single bool
	source string
}

// loader builds a Profile from its file and those of its bases.
type loader struct {
	*reader
	p        *Profile
	files    []*file // the base of all first
	reports  []*strict.Report
	defaults defaults // of the file that is read
	tables   map[string]*strict.Node
	parts    map[string]string // of the parts that files name: key -> name
	seen     map[string]bool   // parts of points so far
	used     []Part
	nodes    []*strict.Node // of each entry
	current  *template      // the point that is read
	tooMany  bool
	sums     map[string][]string // the keys of each pattern of a sum
	around   map[string]*Around  // what can go around a write, by the word for it
	// groupNodes are the mappings of the groups of points that are written together.
	groupNodes []fields
}

// file is one file of a profile.
type file struct {
	name     string
	root     *strict.Node
	defaults defaults
}

// opener returns the file of a base.
type opener func(id string) (name string, data []byte, err error)

// Load reads one profile. The name of the file appears in the findings, and without its extension it must be the id of
// the profile. Its base is one that comes with the program. The error is strict.Findings: everything that is wrong,
// each with line and column. The Profile is then nil.
func Load(name string, data []byte) (*Profile, error) { return load(name, data, openShipped) }

func load(name string, data []byte, open opener) (*Profile, error) {
	l := &loader{reader: &reader{words: map[string]string{}}, p: &Profile{}, tables: map[string]*strict.Node{},
		parts: map[string]string{}, seen: map[string]bool{}, sums: map[string][]string{}}
	l.read(name, data, open)
	if root := l.head(); root != nil {
		l.profile(root, strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))
	}
	var all strict.Findings
	for _, r := range l.reports {
		if found, wrong := r.Err().(strict.Findings); wrong {
			all = append(all, found...)
		}
	}
	if len(all) > 0 {
		return nil, all
	}
	l.p.cases = sync.OnceValue(l.p.findCases)
	return l.p.WriteWith(l.p.Line.With), nil
}

// full reports whether reading on is of no use.
func (l *loader) full() bool {
	return l.tooMany || slices.ContainsFunc(l.reports, (*strict.Report).Full)
}

func (l *loader) profile(root *strict.Node, id string) {
	f := l.fields(root, "profile")
	l.p.ID, l.p.Name, l.p.Manufacturer = f.text("profile"), f.text("name"), f.text("manufacturer")
	if f.has("profile") && (!wordForm.MatchString(l.p.ID) || l.p.ID != id) {
		f.fail("profile", "profile %q: the id is the file's name, %q, and is %s", l.p.ID, id, wordForm)
	}
	own := l.fields(l.files[len(l.files)-1].root, "file")
	l.p.Models, l.p.Captures, l.p.Lacks = texts(own, "models"), texts(own, "captures"), texts(own, "lacks")
	for _, alias := range texts(own, "aliases") {
		if !wordForm.MatchString(alias) {
			own.fail("aliases", "alias %q is not %s", alias, wordForm)
		}
		l.p.Aliases = append(l.p.Aliases, alias)
	}
	l.sources(f)
	l.sunSpec(f)
	l.line(f.group("line", "line"))
	l.readParts(f)
	l.readTables(f)
	for _, one := range l.files {
		if own := l.fields(one.root, "file"); own.has("defaults") {
			l.readDefaults(own.group("defaults", "defaults"))
		}
		one.defaults = l.defaults
	}
	l.p.Order = l.defaults.order
	l.identify(f.group("identify", "identify"))
	l.readTraits(f)
	l.readAround(f)
	l.writeGroups(f)
	l.points()
}

func (l *loader) sunSpec(f fields) {
	if !f.has("sunspec") {
		return
	}
	l.p.SunSpec = &SunSpec{}
	for _, n := range f.group("sunspec", "sunspec").list("bases") {
		if base, ok := n.Int(0, 65533); ok {
			l.p.SunSpec.Bases = append(l.p.SunSpec.Bases, uint16(base))
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
	line.Never = l.rangeList(f, "never")
	line.Holes = append(line.Holes, line.Never...)
	line.Starts = l.rangeList(f, "starts")
	line.WritesApart = f.boolean("writes_apart")
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
	l.defaults = defaults{}
	if n := f.Get("order"); n.IsMap() {
		l.defaults.orders = n
	} else {
		l.defaults.order = codec.Order(f.choice("order", codec.OrderNames(), int(codec.ABCD)))
	}
	l.defaults.single = f.choice("write", writeWords, 1) == 0
	if f.has("source") {
		l.defaults.source = l.source(f, "")
	}
}

// writeWords name the functions that write: 6 (or 5 for a coil), and 16 (or 15).
var writeWords = []string{"single", "multiple"}

func (l *loader) readParts(f fields) {
	for _, e := range f.entries("parts") {
		key := e.Key.Raw()
		if !wordForm.MatchString(letterForm.ReplaceAllString(key, "1")) {
			e.Key.Fail("part %q is not %s", key, wordForm)
		}
		name := textOf(e.Value)
		for _, wrong := range checkName(letterForm.ReplaceAllString(name, "1")) {
			e.Value.Fail("%s", wrong)
		}
		l.p.Parts = append(l.p.Parts, Part{Key: key, Name: name})
		l.parts[key] = name
	}
}

// orderParts puts the parts into the order of the file: each repeated one where its pattern stands, those of the
// vocabulary that the file does not name at the end.
func (l *loader) orderParts() {
	place := func(key string) int {
		for i, p := range l.p.Parts {
			if p.Key == key || letterForm.MatchString(p.Key) && matches(p.Key, key) {
				return i
			}
		}
		return len(l.p.Parts)
	}
	var all []Part
	for i, declared := range l.p.Parts {
		if letterForm.MatchString(declared.Key) {
			for _, p := range l.used {
				if place(p.Key) == i {
					all = append(all, p)
				}
			}
			continue
		}
		all = append(all, declared)
	}
	for _, p := range l.used {
		if place(p.Key) == len(l.p.Parts) {
			all = append(all, p)
		}
	}
	l.p.Parts = all
}

// joinWords lists words for a person: "a, b, c".
func joinWords(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// checkWritable demands an identity of every family that can be written to. Without it, a write could reach another
// device.
func (l *loader) checkWritable() {
	id := l.p.Identify
	if len(id.Serials) > 0 || len(id.Expect) > 0 || l.p.SunSpec != nil {
		return
	}
	refuses := func(t Trait) bool { return t.From == FromRegister && t.Otherwise == "" }
	if slices.ContainsFunc(l.p.Traits, refuses) {
		return
	}
	for i, e := range l.p.entries {
		if e.point.Write != nil {
			l.nodes[i].Fail("it can be written, so identify needs serial, expect, or a trait that not every device has")
			return
		}
	}
}
