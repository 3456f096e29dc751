package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/facts"
)

// entry is a point of the draft, or several that repeat.
type entry struct {
	points  []point // of n = 1 .. len(points); one that does not repeat
	offsets []int   // of each from the first
}

// repeats puts points together that differ in their number only.
func repeats(points []point) []entry {
	byPattern := map[string][]point{}
	for _, p := range points {
		if pattern, _ := p.pattern(); pattern != "" {
			byPattern[pattern] = append(byPattern[pattern], p)
		}
	}
	var entries []entry
	done := map[string]bool{}
	for _, p := range points {
		pattern, _ := p.pattern()
		series := byPattern[pattern]
		offsets, ok := offsetsOf(series)
		switch {
		case pattern == "" || !ok:
			entries = append(entries, entry{points: []point{p}})
		case !done[pattern]:
			done[pattern] = true
			slices.SortFunc(series, byNumber)
			entries = append(entries, entry{series, offsets})
		}
	}
	return entries
}

func byNumber(a, b point) int {
	_, m := a.pattern()
	_, n := b.pattern()
	return cmp.Compare(m, n)
}

// pattern returns the key with {n} in the place of its number, and the number. It is empty if there is none.
func (p point) pattern() (string, int) {
	text := p.n
	if text == "" {
		text = number.FindString(p.key)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 99 {
		return "", 0
	}
	pattern := p.quantity.Key
	if !p.named {
		pattern = strings.Replace(p.key, text, "{n}", 1)
	}
	return fmt.Sprintf("%s %s %x", pattern, p.register.table, p.register.mask), n
}

// offsetsOf returns how far the points of a series lie from the first: 1, 2, 3, ... without a gap, decoded alike.
func offsetsOf(series []point) ([]int, bool) {
	series = slices.Clone(series)
	slices.SortFunc(series, byNumber)
	var offsets []int
	for i, p := range series {
		offset := int(p.register.addr) - int(series[0].register.addr)
		if _, n := p.pattern(); n != i+1 || offset < 0 || i > 0 && !decodedAlike(series[0], p, offset) {
			return nil, false
		}
		offsets = append(offsets, offset)
	}
	return offsets, len(series) > 1
}

// spacing writes the offsets: a stride if they are equal.
func spacing(offsets []int) string {
	for i, o := range offsets {
		if o != i*offsets[1] {
			return "offsets: " + strings.ReplaceAll(fmt.Sprint(offsets), " ", ", ")
		}
	}
	return fmt.Sprintf("stride: %d", offsets[1])
}

func decodedAlike(a, b point, shift int) bool {
	x, y := a.register.readings[0].said[0].row, b.register.readings[0].said[0].row
	moved := slices.Clone(y.Addrs)
	for i := range moved {
		moved[i] -= uint16(shift)
	}
	y.Addrs = moved
	return x.Type == y.Type && len(facts.Compare(x.Decoding(), y.Decoding())) == 0
}

// text writes entries: neighbours with the same number and stride become one group.
func text(entries []entry, indent string) string {
	var b strings.Builder
	for i := 0; i < len(entries); i++ {
		e := entries[i]
		if len(e.points) == 1 {
			b.WriteString(e.points[0].line(indent))
			continue
		}
		same := 0
		for _, o := range entries[i:] {
			if !slices.Equal(o.offsets, e.offsets) {
				break
			}
			same++
		}
		fmt.Fprintf(&b, "%s- group:\n%s    repeat: {n: 1..%d, %s}\n%s    points:\n", indent, indent, len(e.points),
			spacing(e.offsets), indent)
		for _, o := range entries[i : i+same] {
			b.WriteString(o.numbered().line(indent + "      "))
		}
		i += same - 1
	}
	return b.String()
}

// numbered returns the first point with {n} in its names.
func (e entry) numbered() point {
	p := e.points[0]
	fields := slices.Clone(p.fields)
	for i, f := range fields {
		switch {
		case f.key == "is":
			fields[i].value = quote(p.quantity.Key)
		case f.key == "key" || f.key == "name":
			fields[i].value = quote(strings.Replace(strings.Trim(f.value, `"`), "1", "{n}", 1))
		}
	}
	p.fields = fields
	return p
}
