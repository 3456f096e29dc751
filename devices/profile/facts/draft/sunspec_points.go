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
	outer, inner string // repetitions, as the file has them; empty: once
	lines        []string
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
		outer, inner, ok := w.repeat(r)
		if !ok {
			continue
		}
		if last := len(blocks) - 1; last < 0 || blocks[last].outer != outer || blocks[last].inner != inner {
			blocks = append(blocks, block{outer: outer, inner: inner})
		}
		b := &blocks[len(blocks)-1]
		b.lines = append(b.lines, w.lines(r, outer, inner)...)
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
		for _, repeat := range []string{b.outer, b.inner} {
			if repeat != "" {
				fmt.Fprintf(&text, "%s- group:\n%[1]s    repeat: %[2]s\n%[1]s    points:\n", indent, repeat)
				indent += "      "
			}
		}
		for _, l := range b.lines {
			text.WriteString(indent + l + "\n")
		}
	}
	return text.String()
}

// repeat returns how often the row is there: of a block, and of the points of a curve in it. What lies behind a list of
// points in its block is left out, as its place in the block depends on how many there are.
func (w writer) repeat(r facts.Row) (outer, inner string, ok bool) {
	if r.Gate == "" || strings.HasPrefix(r.Gate, "PFW") {
		return "", "", true
	}
	_, stride, _ := strings.Cut(r.Gate, "stride=")
	curve, points, ofPoints := strings.Cut(stride, ";Pt:")
	switch {
	case strings.Contains(r.Gate, "MayTrip") || strings.Contains(r.Gate, "MomCess"):
		return "", "", false
	case strings.Contains(r.Gate, "MustTrip"):
		curve, _, _ = strings.Cut(curve, ";")
		points = r.Gate[strings.LastIndex(r.Gate, "stride="):]
		ofPoints = strings.Contains(r.Gate, "Pt:")
	}
	curve = strings.ReplaceAll(curve, "number_of_points", fmt.Sprintf("points_%d", r.Model))
	outer = fmt.Sprintf("{n: 1..%d, stride: %s}", mostBlocks[r.Model], sum(curve))
	if ofPoints {
		_, stride, _ = strings.Cut(points, "stride=")
		inner = fmt.Sprintf("{i: 1..points_%d, most: %d, stride: %s}", r.Model, mostPoints, stride)
	}
	return outer, inner, true
}

// sum writes 1+1+points_707*3+1 with blanks, as a profile has it.
func sum(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "+", " + "), "*", " * ")
}

// mostBlocks is how many repeated blocks of a model are read.
var mostBlocks = map[uint16]int{160: 12, 705: 2, 706: 2, 707: 2, 708: 2, 709: 2, 710: 2, 711: 2, 712: 2, 714: 6,
	803: 8}

// lines returns the points of a row: one, or one for each condition.
func (w writer) lines(r facts.Row, outer, inner string) []string {
	var lines []string
	for _, n := range w.names {
		repeated := strings.Contains(n.is, "{n}")
		if n.group == w.family.name && n.key == r.Key && (n.is == "" || repeated == (outer != "")) {
			lines = append(lines, w.point(r, n, outer, inner))
		}
	}
	if lines == nil {
		lines = append(lines, w.point(r, sunspecName{}, outer, inner))
	}
	return lines
}

func (w writer) point(r facts.Row, n sunspecName, outer, inner string) string {
	p := point{}
	when := w.family.when(conditions[n.when], w.shared(n))
	_, _, isQuantity := profile.QuantityOf(n.is)
	if isQuantity {
		p.add("is", quote(n.is))
	} else {
		key, name := r.Key, w.named(r)
		if w.twice(r) {
			key, name = key+"_2", name+" 2"
		}
		if outer != "" {
			key, name = key+"_{n}", name+" {n}"
		}
		if inner != "" {
			key, name = key+"_{i}", name+", {i}"
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
		if class := classes[r.Unit]; class != "" {
			p.add("class", class)
		}
	}
	w.writable(&p, r, n)
	if !isQuantity {
		p.add("every", cmp.Or(map[bool]string{true: "once"}[r.Type == "str"], "slow"))
		p.add("entity", "false")
	}
	return strings.TrimSuffix(p.line(""), "\n")
}

// twice reports whether an earlier row of the model has the same key.
func (w writer) twice(r facts.Row) bool {
	return slices.ContainsFunc(w.rows, func(o facts.Row) bool {
		return o.Model == r.Model && o.Key == r.Key && o.Addrs[0] < r.Addrs[0] && o.Type != "sunssf" && o.Gate == r.Gate
	})
}

// shared reports whether models of another family hold the same quantity.
func (w writer) shared(n sunspecName) bool {
	return n.is != "" && slices.ContainsFunc(w.names, func(o sunspecName) bool {
		return o.is == n.is && o.group != n.group
	})
}

// named returns the name of a row, without that of its part and not too long.
func (w writer) named(r facts.Row) string {
	name := strings.TrimPrefix(sentence(r.Key), w.family.part+" ")
	if len(name) > 32 {
		name = strings.NewReplacer("Total ", "", " maximum", "", " setting", "", "Current ", "").Replace(name)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func isNumber(r facts.Row) bool { return r.Type != "str" && r.Type != "enum" && r.Type != "bits" }

// units are the units of the standard that a host knows.
var units = map[string]string{"W": "W", "VA": "VA", "var": "var", "Wh": "Wh", "VAh": "VAh", "varh": "varh", "V": "V",
	"A": "A", "Hz": "Hz", "%": "%", "°C": "°C", "s": "s", "Ah": "Ah", "ohm": "Ω", "kWh": "kWh"}

// classes are the host's words for what a unit measures.
var classes = map[string]string{"W": "power", "VA": "apparent_power", "var": "reactive_power", "Wh": "energy",
	"varh": "reactive_energy", "V": "voltage", "A": "current", "Hz": "frequency", "°C": "temperature", "s": "duration"}

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
	case isBool && r.Type == "enum":
		p.add("bool", fmt.Sprintf("{on: %d, off: %d}", on, off))
	default:
		p.add(key, optionText(r.Options))
	}
}

// writable says what may be written: limits, or yes; arm for what changes how the device behaves on the grid.
func (w writer) writable(p *point, r facts.Row, n sunspecName) {
	low, high, limits := strings.Cut(n.write, "..")
	switch {
	case n.write == "combinations":
		p.fields[len(p.fields)-1] = field{"options", optionText(combinations(r.Options))}
		p.add("write", "{}")
	case n.write == "yes":
		p.add("write", "{}")
	case n.write == "arm":
		p.add("write", "{arm: true}")
	case limits:
		p.add("write", fmt.Sprintf("{min: %s, max: %s, step: 1}", low, high))
		p.add("source", "standard")
	}
}

// combinations are the numbers of a set of bits: none, each, and several.
func combinations(bits []facts.Option) []facts.Option {
	all := []facts.Option{{Raw: 0, Name: "none"}}
	for n := range uint64(1) << len(bits) {
		var names []string
		raw := uint64(0)
		for i, b := range bits {
			if n>>i&1 == 1 {
				names, raw = append(names, b.Name), raw|1<<b.Raw
			}
		}
		if len(names) > 0 {
			all = append(all, facts.Option{Raw: raw, Name: strings.Join(names, "_and_")})
		}
	}
	return all
}
