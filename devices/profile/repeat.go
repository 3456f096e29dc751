package profile

import (
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// repeat says that what stands in a group is there several times.
type repeat struct {
	letter   string // "{n}"
	low      int
	high     int
	trait    string // of a number: the n-th is there where the trait is at least n
	stride   float64
	moves    expression // a stride that follows from traits
	offsets  []int      // instead of a stride
	declared *strict.Node
}

// maxRepeat is how often a group can be repeated.
const maxRepeat = 512

// repeat reads {n: 1..6, stride: 2}, {n: 1..packs, most: 20, stride: 38} or {n: 1..3, offsets: [0, 2, 10]}.
func (l *loader) repeat(f fields) (r repeat, ok bool) {
	for _, e := range f.At.Entries() {
		if k := e.Key.Raw(); len(k) == 1 {
			if r.letter != "" {
				e.Key.Fail("repeat: one letter in each; groups can nest")
			}
			r.letter, r.declared = "{"+k+"}", e.Value
		}
	}
	if r.letter == "" {
		f.fail("", "repeat: a letter is missing, such as n: 1..4")
		return r, false
	}
	l.times(f, &r)
	r.stride, r.moves = l.numberOrFormula(f, "stride", 0)
	for _, n := range f.list("offsets") {
		if offset, ok := n.Int(0, 65535); ok {
			r.offsets = append(r.offsets, int(offset))
		}
	}
	times := r.high - r.low + 1
	switch {
	case r.offsets != nil && len(r.offsets) != times:
		f.fail("offsets", "offsets: there are %d for %d repetitions", len(r.offsets), times)
		return r, false
	case r.offsets != nil && f.has("stride"):
		f.fail("offsets", "offsets beside stride: one of them says where the next one lies")
	case times < 1 || times > maxRepeat:
		f.fail("", "repeat: %d repetitions; at least 1 and at most %d are possible", times, maxRepeat)
		return r, false
	}
	return r, true
}

// times reads the range of a repetition: 1..6, or 1..packs with the most that there can be.
func (l *loader) times(f fields, r *repeat) {
	low, high, _ := strings.Cut(r.declared.Raw(), "..")
	first, err := strconv.Atoi(strings.TrimSpace(low))
	last, notNumber := strconv.Atoi(strings.TrimSpace(high))
	r.low, r.high = first, last
	if err != nil || first < 0 {
		r.declared.Fail("repeat: %q is not a range such as 1..6 or 1..packs", r.declared.Raw())
		return
	}
	if notNumber == nil {
		return
	}
	t, ok := l.p.Trait(strings.TrimSpace(high))
	if !ok || !t.IsNumber() {
		r.declared.Fail("repeat: %q is neither a number nor a trait that is one: %s", high, joinWords(l.traitNames()))
		return
	}
	r.trait = t.Name
	r.high = int(f.natural("most", 1, maxRepeat, uint64(min(max(t.High, 1), maxRepeat))))
}

// template is a point as the file has it, before it is repeated.
type template struct {
	entry
	node     *strict.Node
	repeats  []repeat
	letter   string // of the quantity, whose number decides whether it is on at first
	shown    int
	quantity Quantity
	stride   *float64 // the point's own, of the innermost repetition
	moves    expression
	part     partOf
}

// expand adds the point, once for each combination of numbers of the groups around it.
func (l *loader) expand(f fields, t template) {
	for _, r := range t.repeats {
		if key := t.point.Key; key != "" && !strings.Contains(key, r.letter) {
			f.fail("key", "key %q stands in a repetition, so %s must be in it", key, r.letter)
			return
		}
	}
	l.expandFrom(f, t, 0, 0, 1, nil)
}

func (l *loader) expandFrom(f fields, t template, level int, shift float64, first int, letters []string) {
	if level == len(t.repeats) {
		l.add(f, t, shift, first, letters)
		return
	}
	r := t.repeats[level]
	stride, moves := r.stride, r.moves
	if level == len(t.repeats)-1 && (t.stride != nil || t.moves != nil) {
		stride, moves, r.offsets = 0, t.moves, nil
		if t.stride != nil {
			stride = *t.stride
		}
	}
	when := t.when
	for n := r.low; n <= r.high && !l.full(); n++ {
		by := stride * float64(n-r.low)
		if r.offsets != nil {
			by = float64(r.offsets[n-r.low])
		}
		next := t
		if next.when = when; r.trait != "" {
			var possible bool
			if next.when, possible = when.and(from(r.trait, n)); !possible {
				continue
			}
		}
		for _, p := range moves {
			p.factor *= float64(n - r.low)
			next.shift = append(slices.Clip(next.shift), p)
		}
		number := first
		if r.letter == t.letter {
			number = n
		}
		l.expandFrom(f, next, level+1, shift+by, number, append(slices.Clip(letters), r.letter, strconv.Itoa(n)))
	}
}

// add adds one point.
func (l *loader) add(f fields, t template, shift float64, number int, letters []string) {
	if len(l.p.entries) >= maxPoints {
		f.fail("", "there are more than %d points", maxPoints)
		l.tooMany = true
		return
	}
	e, p := t.entry, t.point
	p.Pattern = p.Key
	if len(letters) > 0 {
		named := strings.NewReplacer(letters...)
		p.Key, p.Name, p.Part = named.Replace(p.Key), named.Replace(p.Name), named.Replace(p.Part)
		t.part.key, t.part.name = p.Part, named.Replace(t.part.name)
		e.formula = e.formula.named(named)
		e.turn = turnsNamed(e.turn, named)
		p.Ranges = l.shifted(f, p, p.Ranges, shift, p.Spec.ScaleWord)
		if p.Write != nil && p.Write.Ranges != nil {
			w := *p.Write
			w.Ranges = l.shifted(f, p, w.Ranges, shift, false)
			p.Write = &w
		}
	}
	if p.Quantity != "" && p.Entity.Enabled {
		p.Entity.Enabled = number <= t.shown
	}
	l.seePart(t.part)
	e.point = p
	l.p.entries = append(l.p.entries, e)
	l.nodes = append(l.nodes, t.node)
}

// shifted returns the ranges of the n-th point. The register of a power of ten is the same for all.
func (l *loader) shifted(f fields, p Point, ranges []protocol.Range, by float64, scaleWord bool) []protocol.Range {
	if by == 0 {
		return ranges
	}
	moved := slices.Clone(ranges)
	for i := range moved {
		if scaleWord && i == len(moved)-1 {
			break
		}
		at := float64(moved[i].Addr) + by
		if at < 0 || at+float64(moved[i].Count) > 65536 {
			f.fail("at", "at: %s repeated by %s leaves the addresses, 0..65535", moved[i], number(by))
			return ranges
		}
		moved[i].Addr = uint16(at)
		for _, hole := range l.p.Line.Holes {
			if hole.Overlaps(moved[i]) {
				f.fail("at", "at: %s of %s lies in the hole %s", moved[i], p.Key, HoleText(hole))
			}
		}
	}
	return moved
}

// named returns the expression with letters replaced in its names.
func (e expression) named(r *strings.Replacer) expression {
	own := slices.Clone(e)
	for i, p := range own {
		own[i].names = slices.Clone(p.names)
		for k, name := range p.names {
			own[i].names[k] = r.Replace(name)
		}
	}
	return own
}

func turnsNamed(turns []Turn, r *strings.Replacer) []Turn {
	own := slices.Clone(turns)
	for i, t := range own {
		own[i].Key = r.Replace(t.Key)
	}
	return own
}
