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
	f := newForm(t)
	p, err := profile.Load("probe.yaml", []byte(f.text()))
	if findings, ok := err.(strict.Findings); ok {
		lost := f.lost
		for _, finding := range findings {
			lost = append(lost, finding.What)
		}
		return lost
	} else if err != nil {
		return append(f.lost, err.Error())
	}
	found := map[string]profile.Point{}
	for _, traits := range f.cases() {
		points, err := p.Resolve(traits)
		if err != nil {
			return append(f.lost, err.Error())
		}
		for _, point := range points {
			found[point.Key] = point
		}
	}
	lost := f.lost
	for i, b := range f.probes {
		if point, ok := found[rowKey(i)]; !ok {
			lost = append(lost, "the point is not there")
		} else if d := differs(point, b); d != "" {
			lost = append(lost, d)
		}
	}
	return lost
}

// differs says what of a row its point does not hold.
func differs(p profile.Point, b probe) string {
	theirs := b.row.Decoding()
	theirs.Unit, theirs.Scale = "", theirs.Plain // the probes have no units
	if b.row.Model == 0 && !b.loose {
		for _, d := range facts.Compare(facts.PointDecoding(p), theirs) {
			return "it is read otherwise: " + d.What
		}
	}
	switch {
	case theirs.Kind == facts.Clock && theirs.Mask != 0 && p.Spec.Mask == 0:
		return "a time of day in a part of a register"
	case b.row.Write && p.Write == nil:
		return "it cannot be written"
	case len(p.Spec.Options) > 0 && numbers(b.row.Options) > len(p.Spec.Options):
		return "it lacks options"
	}
	return ""
}

// numbers counts the raw numbers that have a name.
func numbers(options []facts.Option) int {
	raws := map[uint64]bool{}
	for _, o := range options {
		raws[o.Raw] = true
	}
	return len(raws)
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
	probes []probe
	gates  []string // in the order of their words
	limits []string // registers that are limits
	lost   []string
	low    bool
	chain  string
}

func newForm(t facts.Table) *form {
	f := &form{low: mostly([]facts.Table{t})}
	if len(t.Rows) > 0 && t.Rows[0].Model != 0 {
		f.chain = chainOf(t.Rows)
	}
	seen := map[string]bool{}
	for _, r := range t.Rows {
		id := fmt.Sprint(r.Table, r.Model, r.Addrs, r.Mask, r.Gate, r.Type, r.Order, r.Offset, r.Options, r.Write) +
			fmt.Sprint(*cmp.Or(r.Scale, new(float64)))
		if noValue := []string{"reserved", "pad", "internal"}; slices.Contains(noValue, r.Type) || seen[id] {
			continue
		}
		seen[id] = true
		if len(r.Addrs) == 0 {
			f.lost = append(f.lost, r.Odd)
			continue
		}
		f.add(r)
	}
	return f
}

// gateTrait returns the trait and the word of a gate. A trait has at most 60 of them.
func gateTrait(i int) (trait, word string) { return fmt.Sprintf("gate%d", i/60), fmt.Sprintf("g%d", i) }

// cases are traits with which every probe is there.
func (f *form) cases() []profile.Traits {
	var all []profile.Traits
	for gate := range max(len(f.gates), 1) {
		for layer := range f.layers() {
			traits := profile.Traits{}
			if len(f.gates) > 0 {
				trait, word := gateTrait(gate)
				traits[trait] = word
			}
			if f.layers() > 1 {
				traits["layer"] = fmt.Sprintf("l%d", layer)
			}
			if f.chain != "" {
				traits[profile.ChainTrait] = f.chain
			}
			all = append(all, traits)
		}
	}
	return all
}

func (f *form) layers() int {
	most := 0
	for _, b := range f.probes {
		most = max(most, b.layer)
	}
	return most + 1
}

// text returns the profile.
func (f *form) text() string {
	var b strings.Builder
	b.WriteString("profile: probe\nname: Probe\nmanufacturer: Probe\nsources:\n  s: {level: paper, text: s}\n")
	if f.chain != "" {
		b.WriteString("sunspec: {bases: [40000]}\n")
	}
	b.WriteString("line: {unit: 1, source: s}\nidentify:\n  serial: {at: 0, type: text, length: 1}\n  source: s\n")
	fmt.Fprintf(&b, "defaults: {order: %s, write: multiple, source: s}\n",
		map[bool]string{false: "abcd", true: "cdab"}[f.low])
	b.WriteString(f.traits())
	b.WriteString("points:\n")
	layers := f.layers()
	for _, p := range f.probes {
		when := []string{p.when}
		if layers > 1 {
			when = append(when, fmt.Sprintf("layer = l%d", p.layer))
		}
		if text := strings.TrimPrefix(strings.Join(when, " and "), " and "); text != "" {
			p.fields.add("when", text)
		}
		b.WriteString(p.fields.line("  "))
	}
	return b.String()
}

func (f *form) traits() string {
	words := map[string][]string{}
	for i := range f.gates {
		trait, word := gateTrait(i)
		words[trait] = append(words[trait], word)
	}
	for layer := range f.layers() {
		if f.layers() > 1 {
			words["layer"] = append(words["layer"], fmt.Sprintf("l%d", layer))
		}
	}
	if len(words)+len(f.limits) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("traits:\n")
	for _, trait := range slices.Sorted(maps.Keys(words)) {
		none := "no_" + trait
		var choices []string
		for _, word := range append(words[trait], none) {
			choices = append(choices, word+": "+word)
		}
		fmt.Fprintf(&b, "  %s: {choice: {%s}, otherwise: %s, ask: Which?, source: s}\n", trait,
			strings.Join(choices, ", "), none)
	}
	for _, l := range f.limits {
		fmt.Fprintf(&b, "  %s: {at: %s, number: 1..60000, otherwise: 1, source: s}\n", limitTrait(l),
			strings.ReplaceAll(l, ":", " "))
	}
	return b.String()
}
