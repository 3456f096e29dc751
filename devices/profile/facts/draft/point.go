package main

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
)

// point is one point of a draft.
type point struct {
	register register
	key      string // of the vocabulary or our own
	n        string // the number in the key, or empty
	quantity profile.Quantity
	named    bool // by the vocabulary
	fields   []field
	why      []string
}

// field is one entry of the point in the file.
type field struct{ key, value string }

func (p *point) add(key, value string) { p.fields = append(p.fields, field{key, value}) }

// line returns the point as the file has it.
func (p point) line(indent string) string {
	var texts []string
	for _, f := range p.fields {
		texts = append(texts, f.key+": "+f.value)
	}
	if len(p.why) > 0 {
		texts = append(texts, "why: "+quote(strings.Join(p.why, "; ")))
	}
	return indent + "- {" + strings.Join(texts, ", ") + "}\n"
}

// newPoint drafts the point of a register. lowFirst is what the map does as a rule, meter whether it is an energy
// meter.
func newPoint(r register, lowFirst, meter bool) point {
	p := point{register: r}
	lead := r.readings[0]
	row := lead.said[0].row
	p.name(lead, meter)
	p.add("at", address(row))
	p.decoding(lead, lowFirst)
	level, sources := lead.level()
	p.write(lead, level)
	p.add("source", quote(strings.Join(sources, ", ")))
	p.why = append(p.why, r.against()...)
	if level == "one" || level == "original" {
		p.why = append(p.why, "one source")
		if p.named && p.quantity.Shown > 0 {
			p.fields = slices.Insert(p.fields, len(p.fields)-1, field{"show", "false"})
		}
	}
	if gates := lead.gates(); len(gates) > 0 {
		p.why = append(p.why, "only: "+strings.Join(gates, " / "))
	}
	return p
}

// name takes the quantity that most resembles what a source calls it, or the key of the source.
func (p *point) name(r reading, meter bool) {
	var best guess
	for _, s := range r.said {
		if g, ok := quantityOf(s.row, meter); ok && g.score > best.score {
			best = g
		}
	}
	row := r.said[0].row
	if best.score == 0 {
		p.key = plainKey(row.Key)
		p.add("key", p.key)
		p.add("name", quote(sentence(row.Key)))
		return
	}
	p.named, p.quantity, p.n = true, best.quantity, best.n
	p.key = best.quantity.At(cmp.Or(best.n, "1")).Key
	p.add("is", p.key)
	if best.score < 1 {
		p.why = append(p.why, "quantity? "+row.Key)
	}
	if best.quantity.Sign != "" && !slices.ContainsFunc(r.said, func(s statement) bool {
		return s.row.Scale != nil && *s.row.Scale < 0
	}) {
		p.why = append(p.why, best.quantity.Sign+"?")
	}
}

func plainKey(key string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToLower(key)), "_")
}

// sentence makes a name of a key: "dc_bus_voltage" is "DC bus voltage".
func sentence(key string) string {
	words := strings.FieldsFunc(key, func(r rune) bool { return r == '_' || r == ' ' })
	for i, w := range words {
		if short[w] {
			words[i] = strings.ToUpper(w)
		} else if long, ok := spelledOut[w]; ok {
			words[i] = long
		}
	}
	text := strings.Join(words, " ")
	if text == "" {
		return "Value"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// short are words that people write in capitals; spelledOut are those that they do not know.
var (
	short = map[string]bool{"dc": true, "ac": true, "pv": true, "mppt": true, "va": true, "bms": true, "id": true,
		"l1": true, "l2": true, "l3": true, "led": true, "usb": true, "rs485": true, "ct": true}
	spelledOut = map[string]string{"pf": "power factor", "soc": "state of charge", "soh": "state of health",
		"max": "maximum", "min": "minimum", "temp": "temperature", "pct": "percent", "volt": "voltage",
		"watts": "power", "watt": "power", "freq": "frequency", "chg": "charge", "dischg": "discharge",
		"bat": "battery", "batt": "battery", "num": "number", "ongrid": "on grid", "offgrid": "off grid",
		"rtg": "rating", "tms": "time", "rvrt": "reversion", "amps": "current", "hz": "frequency"}
)

func address(r facts.Row) string {
	text := facts.AddressText(r.Addrs)
	if r.Model != 0 {
		return fmt.Sprintf("{model: %d, offset: %d}", r.Model, r.Addrs[0])
	}
	if r.Table == "holding" {
		return text
	}
	if list, several := strings.CutPrefix(text, "["); several {
		return "[" + r.Table + " " + strings.ReplaceAll(list, ", ", ", "+r.Table+" ")
	}
	return r.Table + " " + text
}

// decoding adds type, order, scale, and what the numbers mean.
func (p *point) decoding(r reading, lowFirst bool) {
	row := r.said[0].row
	d := row.Decoding()
	switch d.Kind {
	case facts.Text:
		p.add("type", "text")
		p.add("length", fmt.Sprint(len(row.Addrs)))
		return
	case facts.Clock:
		p.add("time", clocks[row.Type])
		if d.Mask != 0 {
			p.add("mask", fmt.Sprintf("0x%04X", d.Mask))
		}
		switch clocks[row.Type] {
		case "hour_minute":
			p.add("type", "u32")
		case "ascii":
			p.add("type", "text")
			p.add("length", fmt.Sprint(len(row.Addrs)))
		}
		return
	case facts.Block:
		p.why = append(p.why, "several values in one block")
	}
	p.add("type", typeOf(d))
	if low := d.LowFirst != nil && *d.LowFirst || d.Apart(); low != lowFirst && (d.LowFirst != nil || d.Apart()) {
		p.add("order", map[bool]string{false: "abcd", true: "cdab"}[low])
	}
	if d.Mask != 0 {
		p.add("mask", fmt.Sprintf("0x%04X", d.Mask))
	}
	p.numbers(r, d)
	if len(row.NoValue) > 0 {
		p.add("no_value", "["+strings.Join(row.NoValue, ", ")+"]")
	}
}

var clocks = map[string]string{"time_hhmm_packed": "packed", "time_hhmm_dec": "decimal", "time_h_m": "hour_minute",
	"time_hhmm_bcd": "bcd", "time_hhmm_swapped": "swapped", "time_hh_mm_ascii": "ascii"}

func typeOf(d facts.Decoding) string {
	letter := "u"
	switch {
	case d.Kind == facts.Float:
		letter = "f"
	case d.Magnitude:
		letter = "m"
	case d.Signed != nil && *d.Signed:
		letter = "s"
	}
	return fmt.Sprint(letter, 16*len(d.Addrs))
}

// numbers says what the raw numbers mean: options, bits, on and off, or a scale and a unit.
func (p *point) numbers(r reading, d facts.Decoding) {
	options := d.Options
	for _, s := range r.said { // the list that names most
		if o := s.row.Options; len(o) > len(options) && s.row.Decoding().Kind == d.Kind {
			options = o
		}
	}
	on, off, isBool := onOff(options)
	switch {
	case isBool && d.Kind != facts.Bits:
		p.add("bool", fmt.Sprintf("{on: %d, off: %d}", on, off))
	case d.Kind == facts.Bits:
		p.add("bits", optionText(options))
	case len(options) > 0 && d.Scale == nil:
		p.add("options", optionText(options))
	case bits.OnesCount64(d.Mask) == 1:
		p.add("bool", "{on: 1, off: 0}")
	default:
		p.scale(r.said[0].row, d)
	}
}

func (p *point) scale(row facts.Row, d facts.Decoding) {
	scale := 1.0
	if d.Plain != nil {
		scale = *d.Plain
	}
	unit := row.Unit
	if p.named && p.quantity.Unit != "" && unit != "" {
		_, ours := facts.Base(p.quantity.Unit)
		scale = clean(scale * d.Factor / ours)
		unit = ""
	}
	if p.named && p.quantity.Sign != "" {
		scale = math.Abs(scale)
	}
	if scale != 1 {
		p.add("scale", number10(scale))
	}
	if row.Offset != 0 {
		p.add("offset", number10(row.Offset))
	}
	if unit != "" && !p.named {
		p.add("unit", quote(unit))
	}
	if d.Powers {
		p.add("scale_at", quote(row.ScaleAt))
	}
}

func onOff(options []facts.Option) (on, off uint64, ok bool) {
	if len(options) != 2 {
		return 0, 0, false
	}
	a, isA := facts.Sense(options[0].Name)
	b, isB := facts.Sense(options[1].Name)
	if !isA || !isB || a == b {
		return 0, 0, false
	}
	if a {
		return options[0].Raw, options[1].Raw, true
	}
	return options[1].Raw, options[0].Raw, true
}

// optionText writes options. Several numbers with one name are one option.
func optionText(options []facts.Option) string {
	var texts []string
	seen := map[uint64]bool{}
	for _, o := range options {
		slug := cmp.Or(plainKey(o.Name), fmt.Sprintf("number_%d", o.Raw))
		slug = strings.TrimRight(slug[:min(len(slug), longestSlug)], "_")
		if !seen[o.Raw] {
			seen[o.Raw] = true
			texts = append(texts, fmt.Sprintf("%d: {%s: %s}", o.Raw, slug, quote(sentence(slug))))
		}
	}
	return "{" + strings.Join(texts, ", ") + "}"
}

// longestSlug is how long a slug can be in a profile.
const longestSlug = 63
