package doctor

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Differing is what two dumps hold differently: a point, or a register of which no point is known.
type Differing struct {
	At     protocol.Range // of the register; zero for a point
	Before Shown          // its Point has no key for a register
	After  Shown
}

// Diff compares two dumps of one family: first the points whose registers differ, in the order of the family, then the
// registers that belong to none of these, by table and address. Without a family there are only registers.
func Diff(before, after Dump) (all []Differing, err error) {
	told := map[protocol.Range]bool{}
	if before.Profile != nil {
		if all, err = differingPoints(before, after, told); err != nil {
			return nil, err
		}
	}
	ranges := maps.Clone(before.Words)
	maps.Copy(ranges, after.Words)
	for _, r := range slices.SortedFunc(maps.Keys(ranges), compareRanges) {
		a, inA := before.Words[r]
		b, inB := after.Words[r]
		if !told[r] && (a != b || inA != inB) {
			all = append(all, Differing{At: r, Before: rawOf(a, inA), After: rawOf(b, inB)})
		}
	}
	return all, nil
}

func differingPoints(before, after Dump, told map[protocol.Range]bool) (all []Differing, err error) {
	points, err := before.Points()
	if err != nil {
		return nil, err
	}
	for _, was := range points {
		is := after.show(was.Point)
		if slices.Equal(was.Raw, is.Raw) || was.Raw != nil && is.Raw != nil && was.Value == is.Value &&
			was.Point.Spec.Partial() {
			continue // a part of a register of which another part differs is the same
		}
		all = append(all, Differing{Before: was, After: is})
		for _, r := range was.Point.Ranges {
			for i := range r.Count {
				told[protocol.Range{Table: r.Table, Addr: r.Addr + i, Count: 1}] = true
			}
		}
	}
	return all, nil
}

func rawOf(word uint16, there bool) Shown {
	if !there {
		return Shown{}
	}
	return Shown{Raw: []uint16{word}}
}

func compareRanges(a, b protocol.Range) int {
	return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Addr, b.Addr))
}

// HeadOf returns the family and the traits that the heading of a dump names; empty if it names none.
func HeadOf(text string) (family, traits string) {
	for line := range strings.Lines(text) {
		_, rest, ok := strings.Cut(line, ", profile ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		rest, _, _ = strings.Cut(rest, ", read ")
		family, traits, _ = strings.Cut(strings.TrimSpace(rest), ", ")
		return family, traits
	}
	return "", ""
}

// Of returns the dump as one of a family, with the traits that it shows; traits are those that it does not.
func (d Dump) Of(p *profile.Profile, traits string) (Dump, error) {
	named, err := p.NamedTraits(traits)
	if err != nil {
		return d, err
	}
	d.Profile, d.Traits = p, named
	for _, t := range p.Traits {
		if word, ok := t.Word(d.value(t.Field)); ok {
			d.Traits[t.Name] = word
		}
	}
	return d, nil
}
