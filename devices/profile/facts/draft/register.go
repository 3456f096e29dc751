package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"solarhub/devices/profile/facts"
)

// statement is what one source says of a register.
type statement struct {
	table *facts.Table
	row   facts.Row
}

func (s statement) short() string { return s.table.Source.Short }

// register is one register, or a part of it, with all that is said of it. Its readings contradict each other.
type register struct {
	table    string
	model    uint16
	addr     uint16
	mask     uint64
	readings []reading // the best supported first
}

// reading is one way to decode a register, and who says so.
type reading struct {
	said []statement // the one that says most first
}

// merge puts together what the tables say of each register. The order is that of the addresses.
func merge(tables []facts.Table) []register {
	type place struct {
		table string
		model uint16
		addr  uint16
		mask  uint64
	}
	all := map[place][]statement{}
	for i := range tables {
		for _, row := range tables[i].Rows {
			mask := row.Decoding().Mask
			if row.Type == "sunssf" || strings.HasPrefix(row.Key, "unnamed_part_of") {
				continue
			}
			at := place{row.Table, row.Model, slices.Min(row.Addrs), mask}
			all[at] = append(all[at], statement{&tables[i], row})
		}
	}
	var registers []register
	for at, said := range all {
		registers = append(registers, register{at.table, at.model, at.addr, at.mask, readings(said)})
	}
	slices.SortFunc(registers, func(a, b register) int {
		return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.table, b.table), cmp.Compare(a.addr, b.addr),
			cmp.Compare(a.mask, b.mask))
	})
	return registers
}

// readings sorts statements into those that do not contradict each other.
func readings(said []statement) []reading {
	slices.SortStableFunc(said, func(a, b statement) int {
		return cmp.Or(-cmp.Compare(telling(a.row), telling(b.row)), cmp.Compare(a.short(), b.short()))
	})
	var found []reading
next:
	for _, s := range said {
		for i, r := range found {
			if !slices.ContainsFunc(r.said, func(o statement) bool {
				return len(facts.Compare(o.row.Decoding(), s.row.Decoding())) > 0
			}) {
				found[i].said = append(found[i].said, s)
				continue next
			}
		}
		found = append(found, reading{[]statement{s}})
	}
	slices.SortStableFunc(found, func(a, b reading) int { return -cmp.Compare(a.weight(), b.weight()) })
	return found
}

// telling is how much a row says.
func telling(r facts.Row) int {
	n := 0
	for _, says := range []bool{r.Unit != "", r.Scale != nil, r.Order != "", len(r.Options) > 0, len(r.Marks) == 0,
		r.Write && r.Limits.Max != ""} {
		if says {
			n++
		}
	}
	return n
}

func (r reading) weight() int {
	switch level, sources := r.level(); level {
	case "paper":
		return 100 + len(sources)
	case "original":
		return len(sources)
	default:
		return 10 * len(sources)
	}
}

// level returns the level of the reading: paper, two, one or original, and its sources, the best first.
func (r reading) level() (string, []string) {
	byLevel := map[string][]string{}
	for _, s := range r.said {
		level := s.table.Source.Level
		if !slices.Contains(byLevel[level], s.short()) {
			byLevel[level] = append(byLevel[level], s.short())
		}
	}
	var all []string
	for _, level := range facts.Levels {
		slices.Sort(byLevel[level])
		all = append(all, byLevel[level]...)
	}
	switch {
	case len(byLevel["paper"]) > 0:
		return "paper", all
	case len(byLevel["public"]) > 1:
		return "two", all
	case len(byLevel["public"]) == 1:
		return "one", all
	}
	return "original", all
}

// against says what the others say: "ha-solarman: scale 0.1W, 1W".
func (r register) against() []string {
	var texts []string
	lead := r.readings[0].said[0].row.Decoding()
	for _, other := range r.readings[1:] {
		_, sources := other.level()
		var diffs []string
		for _, d := range facts.Compare(lead, other.said[0].row.Decoding()) {
			diffs = append(diffs, fmt.Sprintf("%s %s, not %s", d.What, d.B, d.A))
		}
		if len(diffs) == 0 {
			diffs = []string{"other statements of its own"}
		}
		texts = append(texts, strings.Join(sources, ", ")+" has "+strings.Join(diffs, ", "))
	}
	return texts
}

// gates returns the devices that the sources of a reading name, in their own terms.
func (r reading) gates() []string {
	var gates []string
	for _, s := range r.said {
		if g := s.row.Gate; g != "" && !slices.Contains(gates, g) {
			gates = append(gates, g)
		}
	}
	return gates
}
