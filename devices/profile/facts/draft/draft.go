package main

import (
	"fmt"
	"io"
	"slices"

	"solarhub/devices/profile/facts"
)

// draft writes the draft of a profile. FAMILY is a profile of families.csv, or a register map.
func draft(out io.Writer, args []string) error {
	if len(args) != 1 {
		return usage()
	}
	tables, maps, err := tablesOf(args[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "# A draft from the register facts: every why is a decision for a person.\n")
	fmt.Fprintf(out, "profile: %s\nsources:\n", args[0])
	var seen []string
	for _, t := range tables {
		if s := t.Source; !slices.Contains(seen, s.Short) {
			seen = append(seen, s.Short)
			fmt.Fprintf(out, "  %s: {level: %s, text: %q}\n", s.Short, s.Level, s.Held+" "+s.Version)
		}
	}
	for i, m := range maps {
		mine := facts.Of(tables, m)
		lowFirst := mostly(mine)
		if i == 0 {
			fmt.Fprintf(out, "defaults: {order: %s}\npoints:\n", map[bool]string{false: "abcd", true: "cdab"}[lowFirst])
		}
		fmt.Fprintf(out, "\n  # --- %s ---\n", m)
		io.WriteString(out, text(repeats(points(mine, lowFirst)), "  "))
	}
	return nil
}

// tablesOf returns the tables of a profile or a map, and the names of the maps.
func tablesOf(family string) ([]facts.Table, []string, error) {
	families, err := facts.Families()
	if err != nil {
		return nil, nil, err
	}
	var maps []string
	for _, f := range families {
		if f.Profile == family && !slices.Contains(maps, f.Map) {
			maps = append(maps, f.Map)
		}
	}
	if maps == nil {
		maps = []string{family}
	}
	tables, err := facts.Tables(maps...)
	if err == nil && len(tables) == 0 {
		err = fmt.Errorf("%s is no profile of families.csv, and no register map", family)
	}
	return tables, maps, err
}

// mostly reports whether the low word of a value comes first, as a rule.
func mostly(tables []facts.Table) bool {
	low, all := 0, 0
	for _, t := range tables {
		for _, r := range t.Rows {
			if d := r.Decoding(); d.LowFirst != nil {
				all++
				if *d.LowFirst {
					low++
				}
			}
		}
	}
	return low*2 > all
}

// points drafts every register, and makes their keys unique: the point that resembles its quantity most keeps the key.
func points(tables []facts.Table, lowFirst bool) []point {
	meter := isMeter(tables)
	var all []point
	taken := map[string]int{}
	for _, r := range merge(tables) {
		p := newPoint(r, lowFirst, meter)
		if taken[p.key]++; taken[p.key] > 1 {
			p.second(taken[p.key])
		}
		all = append(all, p)
	}
	return all
}

// second names a point whose key is taken.
func (p *point) second(times int) {
	row := p.register.readings[0].said[0].row
	was := p.key
	p.key = fmt.Sprintf("%s_at_%d", plainKey(row.Key), p.register.addr)
	if times > 2 || p.register.mask != 0 {
		p.key += fmt.Sprintf("_%d", times)
	}
	p.why = append(p.why, "a second "+was)
	rest := slices.DeleteFunc(p.fields, func(f field) bool {
		return f.key == "is" || f.key == "key" || f.key == "name"
	})
	p.fields = append([]field{{"key", p.key}, {"name", quote(sentence(row.Key))}}, rest...)
	if p.named && row.Unit != "" && !p.has("unit") {
		p.add("unit", quote(p.quantity.Unit))
	}
	p.named, p.n = false, ""
}
