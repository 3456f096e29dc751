package main

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"solarhub/devices/profile/facts"
)

// probe is one point that stands for a row.
type probe struct {
	row    facts.Row
	layer  int
	when   string
	loose  bool // only a part of what the row says is there to compare
	fields point
}

// add writes a row as a point, or as one for each bit if the bits can be written.
func (f *form) add(r facts.Row) {
	if d := r.Decoding(); d.Kind == facts.Bits && r.Write && len(d.Options) > 0 {
		for _, o := range d.Options {
			one := r
			one.Options, one.Type, one.Mask = nil, "u16", 1<<(o.Raw%64)
			f.one(one, true)
		}
		return
	}
	if r.Words() > 4 && r.Type == "bits" { // more than a number holds: a set for each register
		for i, a := range r.Addrs {
			one := r
			one.Addrs, one.Options, one.Order, one.Listed = []uint16{a}, wordOf(r.Options, i), "", false
			f.one(one, true)
		}
		return
	}
	f.one(r, false)
}

// wordOf returns the options of the i-th word of a set of bits.
func wordOf(options []facts.Option, i int) []facts.Option {
	var own []facts.Option
	for _, o := range options {
		if o.Raw/16 == uint64(i) {
			own = append(own, facts.Option{Raw: o.Raw % 16, Name: o.Name})
		}
	}
	return own
}

func (f *form) one(r facts.Row, loose bool) {
	if strings.HasPrefix(r.Type, "datetime") || r.Type == "block" || r.Odd != "" && r.Words() > 1 {
		// One number for each register says all that the table does; the first stands for them.
		r.Type, r.Addrs, r.Order, r.Listed, r.Options, loose = "u16", r.Addrs[:1], "", false, nil, true
	}
	r.Options = within(r)
	p := point{}
	p.add("key", rowKey(len(f.probes)))
	p.add("name", fmt.Sprintf("Row %d", len(f.probes)))
	b := probe{row: r, loose: loose, layer: f.layer(r)}
	if r.Gate != "" && r.Model == 0 {
		trait, word := gateTrait(f.gateOf(r.Gate))
		b.when = trait + " = " + word
	}
	p.add("at", address(r))
	f.decode(&p, r)
	f.write(&p, r)
	p.add("entity", "false")
	b.fields = p
	f.probes = append(f.probes, b)
}

// within returns the options that the register can hold.
func within(r facts.Row) []facts.Option {
	width := 16 * r.Words()
	if r.Mask != 0 {
		width = bits.OnesCount64(r.Mask)
	}
	return slices.DeleteFunc(slices.Clone(r.Options), func(o facts.Option) bool {
		return r.Type == "bits" && o.Raw >= uint64(16*r.Words()) || r.Type != "bits" && width < 64 && o.Raw >= 1<<width
	})
}

func (f *form) gateOf(gate string) int {
	i := slices.Index(f.gates, gate)
	if i < 0 {
		i, f.gates = len(f.gates), append(f.gates, gate)
	}
	return i
}

// layer returns the first layer in which no other row is about the same bits, if one of the two is written. A table has
// such rows where one source names a register twice, or in part.
func (f *form) layer(r facts.Row) int {
	for layer := 0; ; layer++ {
		if !slices.ContainsFunc(f.probes, func(o probe) bool {
			return o.layer == layer && (r.Write || o.row.Write) && !f.exclusive(r.Gate, o.row.Gate) && clash(r, o.row)
		}) || layer > 60 {
			return layer
		}
	}
}

// exclusive reports whether no device has both gates: they are words of one trait.
func (f *form) exclusive(a, b string) bool {
	if a == b || a == "" || b == "" {
		return false
	}
	x, _ := gateTrait(f.gateOf(a))
	y, _ := gateTrait(f.gateOf(b))
	return x == y
}

func clash(a, b facts.Row) bool {
	if a.Table != b.Table && (!a.Write || !b.Write) || a.Model != b.Model {
		return false
	}
	shared := slices.ContainsFunc(a.Addrs, func(x uint16) bool { return slices.Contains(b.Addrs, x) })
	return shared && (a.Mask == 0 || b.Mask == 0 || a.Mask&b.Mask != 0)
}

func (f *form) decode(p *point, r facts.Row) {
	d := r.Decoding()
	r.Unit, r.Limits = "", facts.Limits{}
	d.Unit, d.Factor, d.Scale = "", 1, d.Plain
	switch {
	case r.Table == "coil" || r.Table == "discrete":
	case r.Type == "u8" || r.Type == "s8":
		p.add("type", r.Type)
		if r.Mask == 0xFF00 {
			p.add("byte", "high")
		}
		p.scale(r, d)
	case strings.HasPrefix(r.Type, "acc") && r.Model == 0:
		p.add("type", "u"+r.Type[3:])
		p.add("no_value", "[0]")
	case r.Type == "sunssf":
		p.add("type", "s16")
	case d.Kind == facts.Bits && len(d.Options) == 0:
		p.add("type", fmt.Sprint("u", 16*len(r.Addrs)))
	default:
		r.ScaleAt = "" // its address is another row
		p.decoding(reading{[]statement{{row: r}}}, f.low)
	}
}

// write adds what may be written. Where the row has no limits the register gives them.
func (f *form) write(p *point, r facts.Row) {
	if !r.Write {
		return
	}
	at := ""
	if r.Table == "input" {
		at = fmt.Sprintf("at: %d", r.Addrs[0])
	}
	d := r.Decoding()
	if r.Table == "coil" || p.has("options") || p.has("bool") || p.has("time") || d.Kind == facts.Text {
		p.add("write", "{"+at+"}")
		return
	}
	limits := f.limitsOf(r, d)
	if at != "" {
		limits += ", " + at
	}
	p.add("write", "{"+limits+"}")
	p.add("source", "s")
}

func (f *form) limitsOf(r facts.Row, d facts.Decoding) string {
	step := grid(d)
	if text := r.Limits.Max; strings.HasPrefix(text, "reg:") {
		register, _, _ := strings.Cut(text[4:], "+")
		if !slices.Contains(f.limits, register) {
			f.limits = append(f.limits, register)
		}
		return fmt.Sprintf("min: 0, max: %s, step: %s", limitTrait(register), number10(step))
	}
	offset := *zero(d.Offset)
	natLow, natHigh := natural(d)
	low, high, ok := r.Limits.Numbers()
	low = clean(math.Ceil((low-offset)/step-1e-6)*step + offset)
	high = clean(math.Floor((high-offset)/step+1e-6)*step + offset)
	if !ok || low >= high || low < natLow || high > natHigh { // none, or the table's own slip
		low, high = offset, clean(offset+step*math.Min(100, (natHigh-natLow)/step))
	}
	return fmt.Sprintf("min: %s, max: %s, step: %s", number10(low), number10(high), number10(step))
}

func limitTrait(register string) string { return "limit_" + plainKey(register) }

// grid returns the step of the register.
func grid(d facts.Decoding) float64 {
	if d.Plain == nil || *d.Plain == 0 {
		return 1
	}
	return math.Abs(*d.Plain)
}

// natural returns what the register can hold.
func natural(d facts.Decoding) (low, high float64) {
	width := float64(min(16*len(d.Addrs), 48))
	if d.Mask != 0 {
		width = float64(bits.OnesCount64(d.Mask))
	}
	top := math.Exp2(width) - 1
	if d.Signed != nil && *d.Signed && d.Mask == 0 {
		top = math.Exp2(width-1) - 1
		low = -top
	}
	if d.Kind == facts.Float {
		low, top = -1e9, 1e9
	}
	scale, offset := grid(d), *zero(d.Offset)
	return low*scale + offset, top*scale + offset
}
