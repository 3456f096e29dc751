package profile

import (
	"regexp"
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol/codec"
)

// maxOption is the longest label of an option, in bytes: well below the 255 characters of a state in the host.
const maxOption = 100

// rangeForm is a range of raw numbers.
var rangeForm = regexp.MustCompile(`^\s*[0-9a-fA-Fx]+\.\.[0-9a-fA-Fx]+\s*$`)

// rawRange reads 0xFFF0..0xFFFF.
func rawRange(text string) (codec.RawRange, bool) {
	low, high, _ := strings.Cut(strings.TrimSpace(text), "..")
	from, wrongLow := parseNatural(low)
	to, wrongHigh := parseNatural(high)
	return codec.RawRange{From: from, To: to}, wrongLow == nil && wrongHigh == nil && from <= to
}

// optionList collects the options of one point, or the bits.
type optionList struct {
	what    string // raw number, or bit
	high    uint64
	any     bool // has an entry, right or wrong
	options []codec.Option
	raws    map[uint64]bool
	labels  map[string]string // slug -> label
	slugs   map[string]string // label -> slug
}

// options reads the options of a point: a mapping, the name of a table, or a list of those, whose mappings may have a
// when. Two raw numbers may have the same slug; the first is written.
func (l *loader) options(f fields, key string, high uint64, what string) []codec.Option {
	list := &optionList{what: what, high: high, raws: map[uint64]bool{}, labels: map[string]string{},
		slugs: map[string]string{}}
	n := f.get(key)
	for _, one := range items(n) {
		l.optionsOf(list, key, one)
	}
	if !list.any && n != nil {
		f.fail(key, "%s: at least one is needed", key)
	}
	return list.options
}

func (l *loader) optionsOf(list *optionList, key string, n *strict.Node) {
	if n.IsScalar() {
		table, ok := l.tables[n.Raw()]
		if !ok {
			n.Fail("%s: table %q is not one of %s", key, n.Raw(), joinWords(l.tableNames()))
			return
		}
		n = table
	}
	entries := n.Entries()
	for _, e := range entries {
		if e.Key.Raw() == "when" {
			if !l.meantFor(e.Value) {
				return
			}
		}
	}
	for _, e := range entries {
		if e.Key.Raw() != "when" {
			list.add(key, e)
		}
	}
}

// meantFor reports whether the case being read can meet a condition of some of its options.
func (l *loader) meantFor(n *strict.Node) bool {
	text, ok := n.Text()
	if !ok {
		return false
	}
	c, err := l.parseCondition(text)
	if err != nil {
		n.Fail("when: %v", err)
		return false
	}
	_, ok = l.current.when.and(c)
	return ok
}

// splitByOptions multiplies the cases of a point by the conditions of its options, each of which asks for one trait.
func (l *loader) splitByOptions(f fields, cases []wordCase) []wordCase {
	for _, key := range []string{"options", "bits"} {
		n := f.Get(key)
		if !n.IsList() {
			continue
		}
		for _, item := range n.Items() {
			if !item.IsMap() {
				continue
			}
			for _, e := range item.Entries() {
				if e.Key.Raw() == "when" {
					cases = l.splitBy(e.Value, cases)
				}
			}
		}
	}
	return cases
}

// splitBy divides each case in one in which a condition holds and one in which it does not.
func (l *loader) splitBy(n *strict.Node, cases []wordCase) (split []wordCase) {
	c, err := l.parseCondition(n.Raw())
	if err != nil {
		return cases // options tells it
	}
	if len(c.any) != 1 || len(c.any[0]) != 1 {
		n.Fail("when: a condition of options asks for one trait")
		return cases
	}
	not := l.opposite(c.any[0][0])
	for _, one := range cases {
		for _, half := range []Condition{c, not} {
			if both, ok := one.when.and(half); ok && len(half.any) > 0 {
				split = append(split, wordCase{both, one.chosen})
			}
		}
	}
	return split
}

// add reads one option: `0: Selling first`, whose slug is selling_first, or `0: {selling: Selling first}`.
func (o *optionList) add(key string, e strict.Entry) {
	o.any = true
	raw, err := parseNatural(e.Key.Raw())
	if err != nil || raw > o.high {
		e.Key.Fail("%s %q is not a whole number from 0 to %d", o.what, e.Key.Raw(), o.high)
		return
	}
	if o.raws[raw] {
		e.Key.Fail("%s %d stands here twice", o.what, raw)
	}
	o.raws[raw] = true
	slug, label, at := "", "", e.Value
	if e.Value.IsMap() && len(e.Value.Entries()) == 1 {
		inner := e.Value.Entries()[0]
		slug, label, at = inner.Key.Raw(), textOf(inner.Value), inner.Key
	} else {
		label = textOf(e.Value)
		slug = Slug(label)
	}
	if label == "" {
		return
	}
	if len(label) > maxOption {
		at.Fail("the name of %s %d is longer than %d bytes", o.what, raw, maxOption)
	}
	if !slugForm.MatchString(slug) {
		at.Fail("slug %q is not %s", slug, slugForm)
	}
	if other, taken := o.labels[slug]; taken && other != label {
		at.Fail("%s stands for %q and for %q", slug, other, label)
	}
	if other, taken := o.slugs[label]; taken && other != slug {
		at.Fail("%q stands for %s and for %s", label, other, slug)
	}
	o.labels[slug], o.slugs[label] = label, slug
	one := codec.Option{Raw: raw, Name: slug, Label: label}
	if key == "bits" {
		one.Name = label
	}
	o.options = append(o.options, one)
}

// slugForm is the form of what a machine calls an option.
var slugForm = form{regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,62}$`),
	"1 to 63 lower-case letters, digits and _, no _ first"}

var noSlug = regexp.MustCompile(`[^a-z0-9]+`)

// Slug returns what a machine calls an option with the label: "Zero export to load" is zero_export_to_load.
func Slug(label string) string {
	text := strings.NewReplacer("%", " percent", "°", " degrees ", "+", " plus", "ä", "ae", "ö", "oe", "ü", "ue",
		"ß", "ss", "é", "e").Replace(strings.ToLower(label))
	slug := strings.Trim(noSlug.ReplaceAllString(text, "_"), "_")
	return strings.TrimRight(slug[:min(len(slug), 63)], "_")
}

func (l *loader) tableNames() []string {
	var names []string
	for name := range l.tables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// readTables reads the options and faults that several points share.
func (l *loader) readTables(f fields) {
	for _, e := range f.entries("tables") {
		if !wordForm.MatchString(e.Key.Raw()) {
			e.Key.Fail("table %q is not %s", e.Key.Raw(), wordForm)
		}
		l.tables[e.Key.Raw()] = e.Value
	}
}
