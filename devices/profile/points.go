package profile

import (
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
)

// maxPoints is how many points a family can have, with all repetitions and cases.
const maxPoints = 5_000

// scope is what the groups around a point say of it.
type scope struct {
	when     Condition
	repeats  []repeat
	defaults map[string]*strict.Node // of what a point may leave out
}

// inherited are the keys of a group that count for the points in it which do not have them.
var inherited = []string{"part", "every", "show", "entity", "source"}

// filed is a point of a file, with what the groups around it say.
type filed struct {
	node  *strict.Node
	scope scope
	of    *file
}

// points reads all points: those of the base first, then those of the file itself.
func (l *loader) points() {
	var all []filed
	for _, f := range l.files {
		root := l.fields(f.root, "file")
		l.flatten(root.list("points"), scope{}, f, &all)
	}
	if all = l.override(all); len(all) == 0 && l.files[0].root != nil {
		l.files[len(l.files)-1].root.Fail("there are no points")
	}
	for _, p := range all {
		if l.full() {
			return
		}
		l.defaults = p.of.defaults
		l.pointCases(p)
	}
	l.orderParts()
	l.checkConflicts()
	l.checkFormulas()
	l.checkGroups()
	l.checkWritable()
}

// flatten collects the points in a list and in the groups of the list.
func (l *loader) flatten(nodes []*strict.Node, s scope, of *file, all *[]filed) {
	for _, n := range nodes {
		if l.full() {
			return
		}
		if !n.IsMap() || len(n.Entries()) != 1 || n.Entries()[0].Key.Raw() != "group" {
			*all = append(*all, filed{n, s, of})
			continue
		}
		g := l.fields(n.Entries()[0].Value, "group")
		inner, ok := l.within(g, s)
		if ok {
			l.flatten(g.list("points"), inner, of, all)
		}
	}
}

// within returns the scope of what stands in a group.
func (l *loader) within(g fields, s scope) (inner scope, ok bool) {
	inner = scope{repeats: slices.Clone(s.repeats), defaults: map[string]*strict.Node{}}
	for key, n := range s.defaults {
		inner.defaults[key] = n
	}
	for _, key := range inherited {
		if n := g.Get(key); n != nil {
			inner.defaults[key] = n
		}
	}
	if g.has("repeat") {
		if r, ok := l.repeat(g.group("repeat", "repeat")); ok {
			inner.repeats = append(inner.repeats, r)
		}
	}
	if inner.when, ok = s.when.and(l.when(g)); !ok {
		g.fail("when", "when: it can never hold inside of the groups around it")
	}
	return inner, ok && g.exists()
}

// override leaves out the points of the base that a file drops, and takes the keys of the others from the point of the
// file that has the same key. A key that the file has several times stands there in place of all that the base has.
func (l *loader) override(all []filed) []filed {
	if len(l.files) == 1 {
		return all
	}
	var kept []filed
	for _, f := range l.files {
		kept = l.drop(f, kept)
		own := map[string]int{}
		for _, p := range all {
			if p.of == f {
				own[keyOf(p.node)]++
			}
		}
		kept = slices.DeleteFunc(kept, func(p filed) bool { return own[keyOf(p.node)] > 1 })
		for _, p := range all {
			if p.of == f && !merge(kept, p) {
				kept = append(kept, p)
			}
		}
	}
	return kept
}

// merge changes all points of the base that have the key of a point of a file. It returns whether there is one.
func merge(base []filed, own filed) (merged bool) {
	key := keyOf(own.node)
	for i, p := range base {
		if key != "" && p.of != own.of && keyOf(p.node) == key {
			base[i].node, merged = strict.Merged(p.node, own.node), true
		}
	}
	return merged
}

// drop leaves out the points of the base that a file names.
func (l *loader) drop(f *file, base []filed) []filed {
	for _, n := range l.fields(f.root, "file").list("drop") {
		before := len(base)
		base = slices.DeleteFunc(base, func(p filed) bool { return keyOf(p.node) == textOf(n) })
		if len(base) == before {
			n.Fail("drop: the base has no point %q", textOf(n))
		}
	}
	return base
}

// keyOf returns the key or the quantity of a point.
func keyOf(n *strict.Node) string {
	if !n.IsMap() {
		return ""
	}
	for _, e := range n.Entries() {
		if k := e.Key.Raw(); k == "key" || k == "is" {
			return e.Value.Raw()
		}
	}
	return ""
}

// pointCases reads a point once for each combination of the words for which it gives different values.
func (l *loader) pointCases(p filed) {
	f := l.fields(p.node, "point")
	if !f.exists() {
		return
	}
	for key, n := range p.scope.defaults {
		if !f.has(key) && (key != "part" || !f.has("is")) && (key != "show" || !f.has("is") || n.Raw() == "false") {
			f.Fields = f.Fields.With(key, n)
		}
	}
	if n := l.defaults.orders; n != nil && f.has("at") && !f.has("order") && !l.isBit(f) {
		f.Fields = f.Fields.With("order", n)
	}
	when, ok := p.scope.when.and(l.when(f))
	if !ok {
		f.fail("when", "when: it can never hold inside of the groups around it")
		return
	}
	cases := l.splitByOptions(f, l.split(f, []wordCase{{when: when}}))
	for _, c := range cases {
		l.chosen = c.chosen
		t := template{entry: entry{when: c.when}, node: p.node, repeats: p.scope.repeats}
		l.point(f, &t)
		l.expand(f, t)
	}
	l.chosen = nil
	if len(cases) == 0 {
		f.fail("", "no device can have this point: its values and its when rule each other out")
	}
}

// wordCase is one combination of words.
type wordCase struct {
	when   Condition
	chosen map[string]string
}

// maxCases is how many combinations of words one point can have.
const maxCases = 64

// split multiplies the cases by the words of each trait by which the point gives values.
func (l *loader) split(f fields, cases []wordCase) []wordCase {
	for _, t := range l.p.Traits {
		var byWord []*strict.Node
		for _, n := range append(f.values(l.reader, "write"), f.Get("order")) { // the order may be that of the defaults
			if l.byWord(n) == t.Name {
				byWord = append(byWord, n)
			}
		}
		if len(byWord) == 0 {
			continue
		}
		var split []wordCase
		for _, words := range alike(t.Words, byWord) {
			for _, c := range cases {
				if when, ok := c.when.and(is(t.Name, words...)); ok {
					chosen := map[string]string{t.Name: words[0]}
					for k, v := range c.chosen {
						chosen[k] = v
					}
					split = append(split, wordCase{when, chosen})
				}
			}
		}
		if cases = split; len(cases) > maxCases {
			f.fail("", "the values of this point differ in more than %d cases", maxCases)
			return cases[:1]
		}
	}
	return cases
}

// values returns the values of a mapping, and those of the mapping behind one of its keys.
func (f fields) values(r *reader, inner string) (all []*strict.Node) {
	for _, e := range f.At.Entries() {
		all = append(all, e.Value)
		if e.Key.Raw() == inner && e.Value.IsMap() && r.byWord(e.Value) == "" {
			for _, deeper := range e.Value.Entries() {
				all = append(all, deeper.Value)
			}
		}
	}
	return all
}

// alike groups the words of a trait for which all nodes have the same values.
func alike(words []string, nodes []*strict.Node) (groups [][]string) {
	seen := map[string]int{}
	for _, w := range words {
		var shape strings.Builder
		for _, n := range nodes {
			has := slices.ContainsFunc(n.Entries(), func(e strict.Entry) bool { return e.Key.Raw() == w })
			if has {
				shape.WriteString(w)
			}
			shape.WriteByte(' ')
		}
		i, ok := seen[shape.String()]
		if !ok {
			i = len(groups)
			seen[shape.String()] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], w)
	}
	return groups
}
