package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"solarhub/devices/profile/facts"
)

// add writes a row as a point.
func (f *form) add(r facts.Row) {
	p := point{}
	p.add("key", rowKey(len(f.rows)))
	p.add("name", fmt.Sprintf("Row %d", len(f.rows)))
	if r.Gate != "" && r.Model == 0 {
		i := slices.Index(f.gates, r.Gate)
		if i < 0 {
			i, f.gates = len(f.gates), append(f.gates, r.Gate)
		}
		p.add("when", fmt.Sprintf("gate = g%d", i))
	}
	if strings.HasPrefix(r.Type, "datetime") { // one number for each register
		r.Type, r.Addrs, r.Order = "u16", r.Addrs[:1], ""
	}
	p.add("at", address(r))
	f.decode(&p, r)
	f.write(&p, r)
	p.add("entity", "false")
	f.rows = append(f.rows, r)
	f.lines = append(f.lines, p.line("  "))
}

func (f *form) decode(p *point, r facts.Row) {
	d := r.Decoding()
	d.Unit, d.Factor, d.Scale = "", 1, d.Plain
	r.Unit = ""
	switch {
	case r.Type == "u8" || r.Type == "s8":
		p.add("type", r.Type)
		if r.Mask == 0xFF00 {
			p.add("byte", "high")
		}
		p.scale(r, d)
	case strings.HasPrefix(r.Type, "acc"):
		p.add("type", "u"+r.Type[3:])
		p.add("no_value", "[0]")
	case r.Type == "m16" || r.Type == "m32":
		p.add("type", r.Type)
	default:
		p.decoding(reading{[]statement{{row: r}}}, f.low)
	}
}

// write adds what may be written. Where the row has no limits the register gives them.
func (f *form) write(p *point, r facts.Row) {
	if !r.Write {
		return
	}
	d := r.Decoding()
	if p.has("bits") {
		f.lost = append(f.lost, "a set of bits that is written as one")
		return
	}
	if p.has("options") || p.has("bool") || p.has("time") || d.Kind == facts.Text {
		p.add("write", "{}")
		return
	}
	if text := r.Limits.Max; strings.HasPrefix(text, "reg:") {
		register, _, _ := strings.Cut(text[4:], "+")
		if !slices.Contains(f.limits, register) {
			f.limits = append(f.limits, register)
		}
		p.add("write", fmt.Sprintf("{min: 0, max: limit_%s, step: %s}", register, number10(grid(d))))
		return
	}
	low, high, ok := r.Limits.Numbers()
	if !ok || low >= high {
		low, high = natural(d)
	}
	step := grid(d)
	offset := *zero(d.Offset)
	low = clean(math.Ceil((low-offset)/step-1e-6)*step + offset)
	high = clean(math.Floor((high-offset)/step+1e-6)*step + offset)
	p.add("write", fmt.Sprintf("{min: %s, max: %s, step: %s}", number10(low), number10(high), number10(step)))
}

// grid returns the step of the register.
func grid(d facts.Decoding) float64 {
	if d.Plain == nil || *d.Plain == 0 {
		return 1
	}
	return math.Abs(*d.Plain)
}

// natural returns limits that the register can hold.
func natural(d facts.Decoding) (low, high float64) {
	high = 1
	if d.Mask == 0 || d.Mask > 3 {
		high = 3
	}
	scale, offset := grid(d), *zero(d.Offset)
	return offset, high*scale + offset
}
