package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"solarhub/protocol"
)

// WriteGroup is registers that a device takes only together, in one request with function 16: points, constants, and
// what lies between them, which is written as it was read just before.
type WriteGroup struct {
	Key       string
	Name      string   // for people
	Members   []string // keys of the points that can be written, by address
	Range     protocol.Range
	Constants map[uint16]uint16 // by address
	Around    *Around           // what goes before and after; nil: nothing
}

// WriteGroups returns the keys of the groups of some points, each once.
func WriteGroups(points []Point) (keys []string) {
	for _, p := range points {
		if p.Write != nil && p.Write.Group != nil && !slices.Contains(keys, p.Write.Group.Key) {
			keys = append(keys, p.Write.Group.Key)
		}
	}
	return keys
}

// groupTemplate is a group as the file has it. Its addresses are those of the first of a repetition.
type groupTemplate struct {
	key, name string
	together  []string // patterns of keys: window_{n}_start
	constants map[uint16]uint16
	fill      []protocol.Range
	stride    int
	first     int // the number of the first
	around    *Around
}

// grouped tells the points of a device which of them are written together. A device that lacks one of the points does
// not have the group.
func (p *Profile) grouped(points []Point) []Point {
	for _, t := range p.groups {
		for _, point := range points {
			if letters, ok := numbersOf(t.together[0], point.Key); ok {
				t.join(points, letters)
			}
		}
	}
	return points
}

// join makes the group of the points that have those numbers.
func (t groupTemplate) join(points []Point, letters []string) {
	at := make([]int, len(t.together))
	members := make([]Point, len(t.together))
	for i, key := range t.keys(letters) {
		if at[i] = slices.IndexFunc(points, func(p Point) bool { return p.Key == key }); at[i] < 0 {
			return
		}
		members[i] = points[at[i]]
	}
	group, wrong := t.of(members, letters)
	if wrong != nil {
		return
	}
	for _, i := range at {
		if w := points[i].Write; w != nil {
			own := *w
			own.Group, own.Single, own.Around = group, false, group.Around
			points[i].Write = &own
		}
	}
}

// keys returns the keys of the points that have those numbers.
func (t groupTemplate) keys(letters []string) []string {
	named, keys := strings.NewReplacer(letters...), make([]string, len(t.together))
	for i, pattern := range t.together {
		keys[i] = named.Replace(pattern)
	}
	return keys
}

// of returns the group of some points, or what is wrong with it.
func (t groupTemplate) of(members []Point, letters []string) (*WriteGroup, []Problem) {
	named := strings.NewReplacer(letters...)
	g := &WriteGroup{Key: named.Replace(t.key), Name: named.Replace(t.name), Around: t.around,
		Constants: map[uint16]uint16{}}
	var wrong []Problem
	fail := func(key, format string, args ...any) {
		wrong = append(wrong, Problem{key, key + ": " + fmt.Sprintf(format, args...)})
	}
	slices.SortStableFunc(members, func(a, b Point) int { return cmp.Compare(a.writtenAt().Addr, b.writtenAt().Addr) })
	var parts []protocol.Range
	for _, m := range members {
		r := m.writtenAt()
		if parts = append(parts, r); m.Write != nil {
			g.Members = append(g.Members, m.Key)
			g.Around = cmp.Or(g.Around, m.Write.Around)
		}
		if r.Table != protocol.HoldingRegister {
			fail("together", "%s is %s: only holding registers are written together", m.Key, r)
		}
	}
	by := 0
	if t.stride != 0 && len(letters) == 2 {
		n, _ := strconv.Atoi(letters[1])
		by = t.stride * (n - t.first)
	}
	if last := t.last() + by; last > 65535 {
		fail("stride", "the group %s leaves the addresses, 0..65535", g.Key)
		return g, wrong
	}
	for _, addr := range slices.Sorted(maps.Keys(t.constants)) {
		at := protocol.Range{Addr: uint16(int(addr) + by), Count: 1}
		if i := slices.IndexFunc(members, func(m Point) bool { return m.writtenAt().Overlaps(at) }); i >= 0 {
			fail("constants", "%s belongs to %s", at, members[i].Key)
		}
		parts, g.Constants[at.Addr] = append(parts, at), t.constants[addr]
	}
	for _, r := range t.fill {
		r.Addr = uint16(int(r.Addr) + by)
		parts = append(parts, r)
	}
	whole, gap := joined(parts)
	if g.Range = whole; gap != "" {
		fail("together", "%s: say fill for what lies between and is written as it is read", gap)
	}
	if whole.Count > protocol.MaxWriteRegisters {
		fail("together", "%s is longer than one request writes, %d", whole, protocol.MaxWriteRegisters)
	}
	return g, wrong
}

// last returns the highest address of a constant or of what is filled.
func (t groupTemplate) last() (last int) {
	for addr := range t.constants {
		last = max(last, int(addr))
	}
	for _, r := range t.fill {
		last = max(last, int(r.End())-1)
	}
	return last
}

// writtenAt returns the registers that are written, or those of a point that is only read.
func (p Point) writtenAt() protocol.Range {
	ranges := p.Ranges
	if p.Write != nil {
		ranges, _ = p.WriteTo()
	}
	if len(ranges) == 0 {
		return protocol.Range{}
	}
	return ranges[0]
}

// joined returns the range that the parts make up, and which registers are missing in it.
func joined(parts []protocol.Range) (whole protocol.Range, gap string) {
	slices.SortFunc(parts, func(a, b protocol.Range) int { return cmp.Compare(a.Addr, b.Addr) })
	whole = parts[0]
	for _, r := range parts[1:] {
		if uint32(r.Addr) > whole.End() {
			gap = HoleText(protocol.Range{Addr: uint16(whole.End()), Count: uint16(uint32(r.Addr) - whole.End())}) +
				" belongs to none of them"
		}
		whole.Count = uint16(max(whole.End(), r.End()) - uint32(whole.Addr))
	}
	return whole, gap
}

// numbersOf returns the numbers that a key has in the places of the letters of a pattern, each behind its letter:
// window_2_start is of window_{n}_start with {n} 2.
func numbersOf(pattern, key string) (letters []string, ok bool) {
	at := letterForm.FindStringIndex(pattern)
	if at == nil {
		return nil, pattern == key
	}
	rest, ok := strings.CutPrefix(key, pattern[:at[0]])
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if !ok || digits == 0 {
		return nil, false
	}
	more, ok := numbersOf(pattern[at[1]:], rest[digits:])
	return append([]string{pattern[at[0]:at[1]], rest[:digits]}, more...), ok
}
