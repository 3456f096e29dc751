package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
)

// diff says what the tables would change in a profile: what they know and the profile does not, as lines of a draft;
// what is decoded otherwise, though the why does not name the source; and limits wider than those of the sources.
func diff(out io.Writer, args []string) error {
	if len(args) != 1 {
		return usage()
	}
	p, err := profile.Open(args[0])
	if err != nil {
		return err
	}
	tables, mapNames, err := tablesOf(p.ID)
	if err != nil {
		return err
	}
	held, err := pointsOf(p)
	if err != nil {
		return err
	}
	for _, m := range mapNames {
		writeDiff(out, held, facts.Of(tables, m))
	}
	return nil
}

// pointsOf returns the points of every case of a profile, by table and first register.
func pointsOf(p *profile.Profile) (map[string][]profile.Point, error) {
	held := map[string][]profile.Point{}
	for _, traits := range p.Cases() {
		points, err := p.Resolve(traits)
		if err != nil {
			return nil, err
		}
		for _, point := range points {
			if len(point.Ranges) == 0 {
				continue
			}
			at := placeOf(point.Ranges[0].Table.String(), slices.Min(facts.PointDecoding(point).Addrs))
			held[at] = append(held[at], point)
		}
	}
	return held, nil
}

func placeOf(table string, addr uint16) string { return fmt.Sprintf("%s %d", table, addr) }

func writeDiff(out io.Writer, held map[string][]profile.Point, tables []facts.Table) {
	lowFirst, meter := mostly(tables), isMeter(tables)
	for _, r := range merge(tables) {
		points := slices.DeleteFunc(slices.Clone(held[placeOf(r.table, r.addr)]), func(p profile.Point) bool {
			return r.mask != 0 && p.Spec.Mask != 0 && r.mask&p.Spec.Mask == 0
		})
		if len(points) == 0 {
			fmt.Fprint(out, "+", newPoint(r, lowFirst, meter).line(" "))
			continue
		}
		for _, change := range changes(r, points) {
			fmt.Fprintln(out, "~", change)
		}
	}
}

// changes says what the best reading of a register has otherwise than every point that reads it.
func changes(r register, points []profile.Point) []string {
	lead := r.readings[0]
	theirs := lead.said[0].row.Decoding()
	_, sources := lead.level()
	var found []string
	for i, p := range points {
		differences := facts.Compare(facts.PointDecoding(p), theirs)
		if len(differences) == 0 {
			return wider(r, p)
		}
		if i > 0 || slices.ContainsFunc(sources, func(s string) bool { return facts.Names(p.Why, s) }) {
			continue
		}
		for _, d := range differences {
			found = append(found, fmt.Sprintf("%s: %s %s, where %s has %s", p.Key, d.What, d.A,
				strings.Join(sources, ", "), d.B))
		}
	}
	return found
}

// wider says whether a point may be written beyond what its sources allow.
func wider(r register, p profile.Point) []string {
	var writers []statement
	for _, s := range r.readings[0].said {
		if s.row.Write {
			writers = append(writers, s)
		}
	}
	low, high, wrong := narrowest(writers, r.readings[0].said[0].row.Decoding())
	if wrong != "" || p.Write == nil || !p.Spec.IsNumber() || p.Write.Min >= low && p.Write.Max <= high || p.Why != "" {
		return nil
	}
	return []string{fmt.Sprintf("%s: limits %s..%s, where the sources have %s..%s", p.Key, number10(p.Write.Min),
		number10(p.Write.Max), number10(low), number10(high))}
}
