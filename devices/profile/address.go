package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

var tables = []protocol.Table{protocol.HoldingRegister, protocol.InputRegister, protocol.Coil, protocol.DiscreteInput}

// parseAddress reads "587", "0x024B", "holding 587", "input 4945", "coil 3" or "discrete 3".
func parseAddress(text string) (protocol.Table, uint16, error) {
	table, number := protocol.HoldingRegister, text
	if word, rest, found := strings.Cut(text, " "); found {
		t, err := parseTable(word)
		if err != nil {
			return 0, 0, err
		}
		table, number = t, strings.TrimSpace(rest)
	}
	addr, err := parseRegister(number)
	return table, addr, err
}

// ParseHole reads "holding 700..709" or "holding 700".
func ParseHole(text string) (protocol.Range, error) {
	first, last, several := strings.Cut(text, "..")
	table, from, err := parseAddress(first)
	if err != nil {
		return protocol.Range{}, err
	}
	to := from
	if several {
		if to, err = parseRegister(last); err != nil {
			return protocol.Range{}, err
		}
	}
	if to < from || to-from == 65535 {
		return protocol.Range{}, fmt.Errorf("%q: the last address must lie behind the first, and not be the whole "+
			"table", text)
	}
	return protocol.Range{Table: table, Addr: from, Count: to - from + 1}, nil
}

// HoleText writes what ParseHole reads.
func HoleText(r protocol.Range) string {
	if r.Count == 1 {
		return fmt.Sprintf("%s %d", r.Table, r.Addr)
	}
	return fmt.Sprintf("%s %d..%d", r.Table, r.Addr, r.End()-1)
}

// HolesText writes a list of holes as a file has it: [holding 700..709, holding 720].
func HolesText(holes []protocol.Range) string {
	var texts []string
	for _, h := range holes {
		texts = append(texts, HoleText(h))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// SubtractRanges returns the parts of a hole that do not overlap the ranges, which have to be read.
func SubtractRanges(hole protocol.Range, read ...protocol.Range) []protocol.Range {
	left := []protocol.Range{hole}
	for _, r := range read {
		var rest []protocol.Range
		for _, h := range left {
			if !h.Overlaps(r) {
				rest = append(rest, h)
				continue
			}
			if h.Addr < r.Addr {
				rest = append(rest, protocol.Range{Table: h.Table, Addr: h.Addr, Count: r.Addr - h.Addr})
			}
			if r.End() < h.End() {
				rest = append(rest, protocol.Range{Table: h.Table, Addr: uint16(r.End()),
					Count: uint16(h.End() - r.End())})
			}
		}
		left = rest
	}
	return left
}

func parseTable(word string) (protocol.Table, error) {
	for _, t := range tables {
		if t.String() == word {
			return t, nil
		}
	}
	return 0, fmt.Errorf("table %q is not one of holding, input, coil, discrete", word)
}

// parseRegister reads a decimal or hexadecimal address. It refuses a leading zero, which some readers take for octal.
func parseRegister(text string) (uint16, error) {
	n, err := parseNatural(text)
	if err != nil || n > 65535 {
		return 0, fmt.Errorf("address %q is not a whole number from 0 to 65535", text)
	}
	return uint16(n), nil
}

// parseNatural reads a decimal number without leading zeros, or a hexadecimal number after 0x.
func parseNatural(text string) (uint64, error) {
	if hex, found := strings.CutPrefix(text, "0x"); found {
		return strconv.ParseUint(hex, 16, 64)
	}
	if len(text) > 1 && text[0] == '0' || strings.HasPrefix(text, "+") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(text, 10, 64)
}

// ranges reads the addresses of a point: one, or a list of registers that are not neighbours. Each place of a list
// holds the same number of words.
func (l *loader) ranges(f fields, key string, words int, in *Place) []protocol.Range {
	if in != nil {
		return []protocol.Range{{Addr: in.Offset, Count: uint16(words)}}
	}
	places := f.list(key)
	if len(places) == 0 {
		return nil
	}
	if words%len(places) != 0 {
		f.fail(key, "at: %d places cannot share %d words evenly", len(places), words)
		return nil
	}
	var ranges []protocol.Range
	for _, n := range places {
		table, addr, err := parseAddress(textOf(n))
		r := protocol.Range{Table: table, Addr: addr, Count: uint16(words / len(places))}
		switch {
		case err != nil:
			n.Fail("at: %v", err)
			continue
		case r.End() > 65536:
			n.Fail("at: %s ends behind the last address, 65535", r)
			continue
		case table.Bits() && len(places) > 1:
			n.Fail("at: a coil or discrete input is one bit and in one place")
			continue
		}
		l.checkRange(n, r, ranges)
		ranges = append(ranges, r)
	}
	return ranges
}

func (l *loader) checkRange(n *strict.Node, r protocol.Range, earlier []protocol.Range) {
	for _, o := range earlier {
		if o.Overlaps(r) {
			n.Fail("at: %s and %s of one point overlap", o, r)
		}
		if o.Table != r.Table {
			n.Fail("at: %s and %s lie in different tables", o, r)
		}
	}
	if k := len(earlier); k > 0 && earlier[k-1].Table == r.Table && earlier[k-1].End() == uint32(r.Addr) {
		n.Fail("at: %s follows %s: give only the first address", r, earlier[k-1])
	}
	for _, hole := range l.p.Line.Holes {
		switch {
		case !hole.Overlaps(r):
		case slices.Contains(l.p.Line.Never, hole):
			n.Fail("at: %s lies in %s, which nothing may ever touch", r, HoleText(hole))
		default:
			n.Fail("at: %s lies in the hole %s: the nearest that works are the holes %s", r, HoleText(hole),
				HolesText(SubtractRanges(hole, r)))
		}
	}
	if most := cmp.Or(l.p.Line.MaxRegisters, protocol.MaxReadRegisters); r.Count > most {
		n.Fail("at: %s is longer than max_registers, %d: the nearest that works is %d", r, most, r.Count)
	}
}

// isBit reports whether the point lies in a table of single bits.
func (l *loader) isBit(f fields) bool {
	if f.get("at").IsMap() {
		return false
	}
	places := f.list("at")
	if len(places) == 0 {
		return false
	}
	table, _, err := parseAddress(textOf(places[0]))
	return err == nil && table.Bits()
}
