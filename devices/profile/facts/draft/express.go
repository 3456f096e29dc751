package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
	"solarhub/devices/profile/strict"
)

// express says which register maps of a folder of tables the format can hold. It writes every table as a profile, one
// point a row, loads it, and compares how each point is read and written with its row.
func express(out io.Writer, args []string) error {
	if len(args) != 1 {
		return usage()
	}
	tables, err := facts.ReadTables(os.DirFS(args[0]), ".", true)
	if err != nil {
		return err
	}
	byMap := map[string]map[string]int{} // reasons and how many rows have them
	rows := map[string]int{}
	for _, t := range tables {
		if byMap[t.Map] == nil {
			byMap[t.Map] = map[string]int{}
		}
		rows[t.Map] += len(t.Rows)
		for _, lost := range lossOf(t) {
			byMap[t.Map][lost]++
		}
	}
	whole := 0
	for _, name := range slices.Sorted(maps.Keys(byMap)) {
		if len(byMap[name]) == 0 {
			whole++
			continue
		}
		fmt.Fprintf(out, "%s (%d rows):\n", name, rows[name])
		for _, reason := range slices.Sorted(maps.Keys(byMap[name])) {
			fmt.Fprintf(out, "  %d rows: %s\n", byMap[name][reason], reason)
		}
	}
	fmt.Fprintf(out, "%d of %d register maps can be held without loss\n", whole, len(byMap))
	return nil
}

// lossOf returns what the format cannot say of the rows of a table: one reason a row.
func lossOf(t facts.Table) []string {
	var lost []string
	f := newForm(t)
	p, err := profile.Load("probe.yaml", []byte(f.text()))
	if findings, ok := err.(strict.Findings); ok {
		for _, finding := range findings {
			lost = append(lost, finding.What)
		}
		return append(lost, f.lost...)
	} else if err != nil {
		return append(f.lost, err.Error())
	}
	lost = f.lost
	found := map[string]profile.Point{}
	for _, word := range append([]string{""}, f.gateWords()...) {
		traits := profile.Traits{}
		if word != "" {
			traits["gate"] = word
		}
		if t.Rows[0].Model != 0 {
			traits["sunspec"] = chainOf(t.Rows)
		}
		points, err := p.Resolve(traits)
		if err != nil {
			return append(lost, err.Error())
		}
		for _, point := range points {
			found[point.Key] = point
		}
	}
	for i, row := range f.rows {
		if point, ok := found[rowKey(i)]; !ok {
			lost = append(lost, "the point is not there")
		} else if d := differs(point, row); d != "" {
			lost = append(lost, d)
		}
	}
	return lost
}

// differs says what of a row its point does not hold.
func differs(p profile.Point, row facts.Row) string {
	theirs := row.Decoding()
	theirs.Unit, theirs.Scale = "", theirs.Plain // the probes have no units
	if row.Model == 0 {
		for _, d := range facts.Compare(facts.PointDecoding(p), theirs) {
			return d.What
		}
	}
	switch {
	case row.Write && p.Write == nil:
		return "it can be written"
	case len(row.Options) > len(p.Spec.Options) && len(p.Spec.Options) > 0:
		return "options"
	}
	return ""
}

func rowKey(i int) string { return fmt.Sprintf("row_%d", i) }

// chainOf returns a chain with every model of the rows, each long enough.
func chainOf(rows []facts.Row) string {
	length := map[uint16]int{}
	for _, r := range rows {
		length[r.Model] = max(length[r.Model], int(slices.Max(r.Addrs))-1)
	}
	text := "40000"
	for _, model := range slices.Sorted(maps.Keys(length)) {
		text += fmt.Sprintf(" %d:%d", model, length[model])
	}
	return text
}

// form writes a table as a profile.
type form struct {
	rows   []facts.Row
	gates  []string // in the order of their words
	limits []string // registers that are limits
	lost   []string
	low    bool
	lines  []string
}

func newForm(t facts.Table) *form {
	f := &form{low: mostly([]facts.Table{t})}
	read := map[string]bool{}
	for _, r := range t.Rows {
		read[fmt.Sprint(r.Table, r.Model, r.Addrs)] = read[fmt.Sprint(r.Table, r.Model, r.Addrs)] || r.Read
	}
	seen := map[string]bool{}
	for _, r := range t.Rows {
		id := fmt.Sprint(r.Table, r.Model, r.Addrs, r.Mask, r.Gate, r.Type, r.Order, r.Offset, r.Options) +
			fmt.Sprint(cmp.Or(r.Scale, new(float64)))
		switch {
		case r.Odd != "":
			f.lost = append(f.lost, r.Odd)
		case r.Type == "block":
			f.lost = append(f.lost, "a block of several values, whose structure the table does not have")
		case seen[id]:
		default:
			seen[id] = true
			f.add(r)
		}
	}
	return f
}

func (f *form) gateWords() []string {
	var words []string
	for i := range f.gates {
		words = append(words, fmt.Sprintf("g%d", i))
	}
	return words
}

// text returns the profile.
func (f *form) text() string {
	var b strings.Builder
	b.WriteString("profile: probe\nname: Probe\nmanufacturer: Probe\nsources:\n  s: {level: paper, text: s}\n")
	if len(f.rows) > 0 && f.rows[0].Model != 0 {
		b.WriteString("sunspec: {bases: [40000]}\n")
	}
	b.WriteString("line: {unit: 1, source: s}\nidentify:\n  serial: {at: 0, type: text, length: 1}\n  source: s\n")
	fmt.Fprintf(&b, "defaults: {order: %s, write: multiple, source: s}\n",
		map[bool]string{false: "abcd", true: "cdab"}[f.low])
	if len(f.gates)+len(f.limits) > 0 {
		b.WriteString("traits:\n")
	}
	if len(f.gates) > 0 {
		var choices []string
		for _, word := range append(f.gateWords(), "none") {
			choices = append(choices, word+": "+word)
		}
		fmt.Fprintf(&b, "  gate: {choice: {%s}, otherwise: none, ask: Which?, source: s}\n", strings.Join(choices, ", "))
	}
	for _, l := range f.limits {
		fmt.Fprintf(&b, "  limit_%s: {at: %s, number: 1..60000, otherwise: 1, source: s}\n", l, l)
	}
	b.WriteString("points:\n")
	for _, l := range f.lines {
		b.WriteString(l)
	}
	return b.String()
}
