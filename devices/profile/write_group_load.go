package profile

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// Bounds of the groups of a family.
const (
	maxWriteGroups = 200  // in a file
	maxGroupForms  = 1000 // in which one can occur, with all repetitions and words of traits
)

// writeGroups reads which points are written together. What they are made of is checked when the points are known.
func (l *loader) writeGroups(f fields) {
	for _, e := range f.entries("write_groups") {
		g := l.fields(e.Value, "write group")
		t := groupTemplate{key: e.Key.Raw(), name: g.text("name"), around: l.aroundOf(g)}
		if one := letterForm.ReplaceAllString(t.key, "1"); !keyForm.MatchString(one) {
			e.Key.Fail("write group %q is not %s", t.key, keyForm)
		}
		for _, wrong := range checkName(letterForm.ReplaceAllString(t.name, "1")) {
			g.fail("name", "%s", wrong)
		}
		letters := slices.Sorted(slices.Values(letterForm.FindAllString(t.key, -1)))
		for _, n := range g.list("together") {
			pattern := textOf(n)
			if own := slices.Sorted(slices.Values(letterForm.FindAllString(pattern, -1))); !slices.Equal(own, letters) {
				n.Fail("together: %s does not have the letters of the group, %s", pattern, t.key)
			} else if slices.Contains(t.together, pattern) {
				n.Fail("together: %s stands here twice", pattern)
			}
			t.together = append(t.together, pattern)
		}
		l.groupWords(g, &t)
		if t.stride = int(g.natural("stride", 1, 65535, 0)); g.has("stride") && len(letters) != 1 {
			g.fail("stride", "stride: only a group with one letter in its key is repeated")
		} else if repeated := len(letters) > 0 && len(t.constants)+len(t.fill) > 0; repeated && !g.has("stride") {
			g.fail("", "constants and fill of a group that is repeated need a stride")
		}
		l.source(g, l.defaults.source)
		if len(l.p.groups) == maxWriteGroups {
			e.Key.Fail("there are more than %d write groups", maxWriteGroups)
			return
		}
		if len(t.together) > 0 {
			l.p.groups = append(l.p.groups, t)
			l.groupNodes = append(l.groupNodes, g)
		}
	}
}

// groupWords reads the constants of a group, and what is written as it was read.
func (l *loader) groupWords(g fields, t *groupTemplate) {
	for _, e := range g.entries("constants") {
		table, addr, err := parseAddress(e.Key.Raw())
		word, _ := e.Value.Uint(0xFFFF)
		r := protocol.Range{Table: table, Addr: addr, Count: 1}
		switch _, again := t.constants[addr]; {
		case err != nil:
			e.Key.Fail("constants: %v", err)
		case table != protocol.HoldingRegister:
			e.Key.Fail("constants: only holding registers are written together")
		case again:
			e.Key.Fail("constants: %s stands here twice", r)
		case slices.ContainsFunc(l.p.Line.Never, r.Overlaps):
			e.Key.Fail("constants: nothing may ever touch %s", r)
		}
		if t.constants == nil {
			t.constants = map[uint16]uint16{}
		}
		t.constants[addr] = uint16(word)
	}
	if !g.has("fill") {
		return
	}
	for _, n := range g.list("fill") {
		r, err := ParseHole(textOf(n))
		switch {
		case err != nil:
			n.Fail("fill: %v", err)
			continue
		case r.Table != protocol.HoldingRegister:
			n.Fail("fill: only holding registers are written together")
			continue
		}
		for _, hole := range l.p.Line.Holes {
			if hole.Overlaps(r) {
				n.Fail("fill: %s lies in the hole %s, so it cannot be read first", HoleText(r), HoleText(hole))
			}
		}
		t.fill = append(t.fill, r)
	}
}

// groupCheck checks the groups of a family.
type groupCheck struct {
	*loader
	byKey map[string][]int // entries
	owner map[string]string
}

// checkGroups adds findings for groups that no device can have, or that cannot be written.
func (l *loader) checkGroups() {
	if l.full() || len(l.p.groups) == 0 {
		return
	}
	c := groupCheck{l, map[string][]int{}, map[string]string{}}
	for i, e := range l.p.entries {
		c.byKey[e.point.Key] = append(c.byKey[e.point.Key], i)
	}
	for i := range l.p.groups {
		c.check(&l.p.groups[i], l.groupNodes[i])
	}
}

func (c groupCheck) check(t *groupTemplate, g fields) {
	var found [][]string
	t.first = math.MaxInt32 // and not MaxInt: compiled, it is the same on every machine
	for key := range c.byKey {
		if letters, ok := numbersOf(t.together[0], key); ok {
			if found = append(found, letters); len(letters) > 0 {
				n, _ := strconv.Atoi(letters[1])
				t.first = min(t.first, n)
			}
		}
	}
	if len(found) == 0 {
		g.fail("together", "together: there is no point %q%s", t.together[0],
			strict.Meant(t.together[0], slices.Sorted(maps.Keys(c.byKey))))
		return
	}
	slices.SortFunc(found, slices.Compare)
	told, forms := map[Problem]bool{}, 0
	tell := func(p Problem) {
		if !told[p] {
			told[p] = true
			g.fail(p.Key, "%s", p.Text)
		}
	}
	for _, letters := range found {
		members := c.members(t, letters, tell)
		if members == nil {
			return
		}
		c.eachForm(members, Condition{}, nil, func(form []entry) {
			if forms++; forms > maxGroupForms {
				tell(Problem{"together", fmt.Sprintf("together: the group has more than %d forms", maxGroupForms)})
				return
			}
			c.checkForm(t, form, letters, tell)
		})
		if forms > maxGroupForms || c.full() {
			return
		}
	}
}

// members returns the entries of each point of a group.
func (c groupCheck) members(t *groupTemplate, letters []string, tell func(Problem)) (members [][]int) {
	for _, key := range t.keys(letters) {
		entries := c.byKey[key]
		if entries == nil {
			tell(Problem{"together", fmt.Sprintf("together: there is no point %q%s", key,
				strict.Meant(key, slices.Sorted(maps.Keys(c.byKey))))})
			return nil
		}
		if owner, ok := c.owner[key]; ok && owner != t.key {
			tell(Problem{"together", fmt.Sprintf("together: %s belongs to the group %s too", key, owner)})
		}
		c.owner[key] = t.key
		members = append(members, entries)
	}
	return members
}

// eachForm calls f for each combination of entries that one device can have.
func (c groupCheck) eachForm(members [][]int, when Condition, chosen []entry, f func([]entry)) {
	if len(chosen) == len(members) {
		f(chosen)
		return
	}
	for _, i := range members[len(chosen)] {
		e := c.p.entries[i]
		if both, ok := when.and(e.when); ok {
			c.eachForm(members, both, append(slices.Clip(chosen), e), f)
		}
	}
}

// checkForm checks a group of one device.
func (c groupCheck) checkForm(t *groupTemplate, form []entry, letters []string, tell func(Problem)) {
	var points []Point
	fail := func(format string, args ...any) {
		tell(Problem{"together", "together: " + fmt.Sprintf(format, args...)})
	}
	for _, e := range form {
		p := e.point
		switch {
		case p.Write == nil || p.Button():
			fail("%s cannot be written, or is a button", p.Key)
			return
		case p.Write.Around != nil && t.around != nil && p.Write.Around != t.around:
			fail("%s has another around than the group", p.Key)
			return
		case fmt.Sprint(e.models()) != fmt.Sprint(form[0].models()), fmt.Sprint(e.shift) != fmt.Sprint(form[0].shift):
			fail("%s and %s do not move together", form[0].point.Key, p.Key)
			return
		case (e.place != nil || e.shift != nil) && len(t.constants)+len(t.fill) > 0:
			fail("%s has no fixed address, so the group can have neither constants nor fill", p.Key)
			return
		}
		points = append(points, p)
	}
	_, wrong := t.of(points, letters)
	for _, p := range wrong {
		tell(p)
	}
}
