package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/facts"
)

// write makes the point writable if the sources allow it: two of them, or a paper, and limits for a number. The
// narrower limits are taken.
func (p *point) write(r reading, level string) {
	var writers []statement
	paper := false
	shorts := map[string]bool{}
	for _, s := range r.said {
		if s.row.Write {
			writers = append(writers, s)
			shorts[s.short()] = true
			paper = paper || s.table.Source.Level == "paper"
		}
	}
	if len(writers) == 0 {
		return
	}
	if level == "one" || level == "original" || !paper && len(shorts) < 2 {
		p.why = append(p.why, "not writable: one source writes it")
		return
	}
	d := r.said[0].row.Decoding()
	if d.Kind != facts.Number && d.Kind != facts.Float || p.has("options") || p.has("bool") {
		p.add("write", "{}")
		return
	}
	low, high, wrong := narrowest(writers, d)
	if wrong != "" {
		p.why = append(p.why, "not writable: "+wrong)
		return
	}
	p.add("write", fmt.Sprintf("{min: %s, max: %s}", number10(low), number10(high)))
}

func (p *point) has(key string) bool {
	for _, f := range p.fields {
		if f.key == key {
			return true
		}
	}
	return false
}

// narrowest returns the limits that all sources allow, or why there are none.
func narrowest(writers []statement, d facts.Decoding) (low, high float64, wrong string) {
	low, high = math.Inf(-1), math.Inf(1)
	var registers []string
	for _, s := range writers {
		if text := s.row.Limits.Max; strings.HasPrefix(text, "reg:") {
			registers = append(registers, s.short()+": max is register "+text[4:])
		}
		if a, b, ok := s.row.Limits.Numbers(); ok {
			low, high = max(low, a), min(high, b)
		}
	}
	switch {
	case len(registers) > 0 && math.IsInf(low, 0):
		return 0, 0, strings.Join(registers, ", ")
	case math.IsInf(low, 0):
		return 0, 0, "no source has both limits"
	case low >= high:
		return 0, 0, "the limits of the sources do not overlap"
	case d.Plain == nil || d.Kind == facts.Float:
		return low, high, ""
	}
	scale, offset := *d.Plain, *zero(d.Offset)
	top := math.Exp2(float64(16*len(d.Addrs))) - 1
	bottom := 0.0
	if d.Signed != nil && *d.Signed {
		top, bottom = (top-1)/2, -(top+1)/2
	}
	a, b := (low-offset)/scale, (high-offset)/scale
	if min(a, b) < bottom || max(a, b) > top {
		return 0, 0, "a limit does not fit the type"
	}
	if math.Abs(math.Round(a)-a) > 1e-6 || math.Abs(math.Round(b)-b) > 1e-6 {
		return 0, 0, "the limits are not on the grid of the register"
	}
	return low, high, ""
}

func zero(f *float64) *float64 {
	if f == nil {
		return new(float64)
	}
	return f
}

// clean takes the noise of binary fractions away.
func clean(f float64) float64 {
	f, _ = strconv.ParseFloat(number10(f), 64)
	return f
}

func number10(f float64) string { return strconv.FormatFloat(f, 'g', 10, 64) }

// quote puts a text in quotes where YAML needs them.
func quote(text string) string {
	odd := text == "" || strings.ContainsAny(text, ":#,{}[]&*!|>%@`\"'=?") ||
		strings.ContainsAny(text[:1], "-0123456789 ")
	if !odd && !slices.Contains([]string{"on", "off", "yes", "no", "true", "false", "null"}, text) {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
}
