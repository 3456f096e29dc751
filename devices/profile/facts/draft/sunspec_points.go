package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
)

// writer writes the points of one family of models.
type writer struct {
	family family
	rows   []facts.Row
	names  []sunspecName
}

// block is the points that repeat alike.
type block struct {
	repeat string // as the file has it; empty: once
	lines  []string
}

func (w writer) text() string {
	var blocks []block
	done := map[string]bool{}
	for _, r := range w.rows {
		if !slices.Contains(w.family.models, int(r.Model)) || r.Addrs[0] < 2 || r.Type == "sunssf" || done[same(r)] {
			continue
		}
		done[same(r)] = true
		r = w.newest(r)
		repeat, ok := w.repeat(r)
		if !ok {
			continue
		}
		if len(blocks) == 0 || blocks[len(blocks)-1].repeat != repeat {
			blocks = append(blocks, block{repeat: repeat})
		}
		b := &blocks[len(blocks)-1]
		b.lines = append(b.lines, w.lines(r, repeat)...)
	}
	title := fmt.Sprintf("\n  # --- Model %s ---\n", joinNumbers(w.family.models, ", "))
	return title + w.groups(blocks)
}

// newest returns the row as the last model of the family has it, whose words are the tidiest.
func (w writer) newest(r facts.Row) facts.Row {
	for _, o := range w.rows {
		if o.Model == uint16(w.family.models[len(w.family.models)-1]) && same(o) == same(r) {
			return o
		}
	}
	return r
}

// same is what makes rows of two models of a family one point.
func same(r facts.Row) string {
	return fmt.Sprint(r.Addrs[0], r.Type, r.Unit, r.ScaleAt, r.Key)
}

func (w writer) groups(blocks []block) string {
	var text strings.Builder
	for _, b := range blocks {
		indent := "  "
		if b.repeat != "" {
			fmt.Fprintf(&text, "  - group:\n      repeat: %s\n      points:\n", b.repeat)
			indent = "        "
		}
		for _, l := range b.lines {
			text.WriteString(indent + l + "\n")
		}
	}
	return text.String()
}

// repeat returns how often the row is there. What lies behind something of a length that the device tells is left out,
// as its address is not known: only the first curve is read, and only up to its first list of points.
func (w writer) repeat(r facts.Row) (string, bool) {
	if r.Gate == "" || strings.HasPrefix(r.Gate, "PFW") {
		return "", true
	}
	if strings.Contains(r.Gate, "*") {
		switch {
		case strings.Contains(r.Gate, "MayTrip") || strings.Contains(r.Gate, "MomCess"):
			return "", false
		case !strings.Contains(r.Gate, "Pt:"):
			return "", true
		}
		stride := r.Gate[strings.LastIndex(r.Gate, "stride=")+len("stride="):]
		return fmt.Sprintf("{n: 1..points_%d, most: %d, stride: %s}", r.Model, mostPoints, stride), true
	}
	fixed := uint16(0)
	for _, o := range w.rows {
		if o.Model == r.Model && o.Gate == r.Gate {
			fixed = o.Addrs[0]
			break
		}
	}
	_, stride, _ := strings.Cut(r.Gate, "stride=")
	return fmt.Sprintf("{n: 1..%d, model: %d, fixed: %d, stride: %s}", mostBlocks[r.Model], r.Model, fixed, stride), true
}

// mostBlocks is how many repeated blocks of a model are read.
var mostBlocks = map[uint16]int{160: 20, 711: 3, 714: 8, 803: 16}

// lines returns the points of a row: one, or one for each condition.
func (w writer) lines(r facts.Row, repeat string) []string {
	var lines []string
	for _, n := range w.names {
		if n.group == w.family.name && n.key == r.Key && (repeat == "" || strings.Contains(n.is, "{n}") || n.is == "") &&
			(repeat != "" || !strings.Contains(n.is, "{n}")) {
			lines = append(lines, w.point(r, n, repeat))
		}
	}
	if lines == nil {
		lines = append(lines, w.point(r, sunspecName{}, repeat))
	}
	return lines
}

func (w writer) point(r facts.Row, n sunspecName, repeat string) string {
	p := point{}
	when := conditions[n.when]
	if len(w.family.before) > 0 && !strings.Contains(when, noModel(w.family.before)) {
		when = strings.TrimSuffix(noModel(w.family.before)+" and "+when, " and ")
	}
	_, _, isQuantity := profile.QuantityOf(n.is)
	if isQuantity {
		p.add("is", quote(n.is))
	} else {
		key, name := r.Key, sentence(r.Key)
		if repeat != "" {
			key, name = key+"_{n}", name+" {n}"
		}
		p.add("key", quote(w.family.name+"_"+key))
		p.add("name", quote(name))
		if w.family.part != "" {
			p.add("part", w.family.name)
		}
	}
	if when != "" {
		p.add("when", when)
	}
	p.add("at", w.place(r.Addrs[0]))
	w.sunspecType(&p, r)
	if n.scale != "" {
		p.add("scale", n.scale)
	}
	if r.ScaleAt != "" {
		if at, ok := w.find(r.Model, r.ScaleAt); ok {
			p.add("scale_at", w.place(at))
		}
	}
	if !isQuantity && isNumber(r) && units[r.Unit] != "" {
		p.add("unit", quote(units[r.Unit]))
	}
	w.writable(&p, r, n)
	if !isQuantity {
		p.add("every", cmp.Or(map[bool]string{true: "once"}[r.Type == "str"], "slow"))
		p.add("entity", "false")
	}
	return strings.TrimSuffix(p.line(""), "\n")
}

func isNumber(r facts.Row) bool { return r.Type != "str" && r.Type != "enum" && r.Type != "bits" }

// units are the units of the standard that a host knows.
var units = map[string]string{"W": "W", "VA": "VA", "var": "var", "Wh": "Wh", "VAh": "VAh", "varh": "varh", "V": "V",
	"A": "A", "Hz": "Hz", "%": "%", "°C": "°C", "s": "s", "Ah": "Ah", "ohm": "Ω", "kWh": "kWh"}

// place writes an address in the models of the family.
func (w writer) place(offset uint16) string {
	if len(w.family.models) == 1 {
		return fmt.Sprintf("{model: %d, offset: %d}", w.family.models[0], offset)
	}
	return fmt.Sprintf("{model: [%s], offset: %d}", joinNumbers(w.family.models, ", "), offset)
}

// find returns the offset of the scale register with the key.
func (w writer) find(model uint16, key string) (uint16, bool) {
	for _, r := range w.rows {
		if r.Model == model && r.Key == key && r.Type == "sunssf" {
			return r.Addrs[0], true
		}
	}
	return 0, false
}

func (w writer) sunspecType(p *point, r facts.Row) {
	switch {
	case r.Type == "str":
		p.add("type", "text")
		p.add("length", fmt.Sprint(len(r.Addrs)))
	case r.Type == "enum" || r.Type == "bits":
		p.add("type", fmt.Sprint("u", 16*len(r.Addrs)))
		w.meaning(p, r)
	default:
		p.add("type", r.Type)
	}
}

func (w writer) meaning(p *point, r facts.Row) {
	key := map[bool]string{true: "bits", false: "options"}[r.Type == "bits"]
	on, off, isBool := onOff(r.Options)
	switch {
	case len(r.Options) == 0:
	case isBool:
		p.add("bool", fmt.Sprintf("{on: %d, off: %d}", on, off))
	default:
		p.add(key, optionText(r.Options))
	}
}

// writable says what may be written: limits, or yes; arm for what changes how the device behaves on the grid.
func (w writer) writable(p *point, r facts.Row, n sunspecName) {
	low, high, limits := strings.Cut(n.write, "..")
	switch {
	case n.write == "yes":
		p.add("write", "{}")
	case n.write == "arm":
		p.add("write", "{arm: true}")
	case limits:
		step := "1"
		if high == "1" {
			step = "0.01"
		}
		p.add("write", fmt.Sprintf("{min: %s, max: %s, step: %s}", low, high, step))
	}
}
