package facts

import (
	"math"
	"math/bits"
	"slices"
	"strings"
)

// Kind is what a value is.
type Kind uint8

// The kinds. A Raw value is a number of which no more is said.
const (
	Number Kind = iota
	Float
	Text
	Bits
	Clock // a time of the day, or a date
	Block
)

// Decoding is how registers become a value, as a source or a profile states it. Two of them can be compared; what one
// of the two does not state is not compared.
type Decoding struct {
	Kind      Kind
	Form      string   // of a Clock: packed, decimal, ...
	Addrs     []uint16 // rising; of words apart: the low word first
	Signed    *bool
	Magnitude bool // of a signed number: behind a bit for its sign, and no complement
	LowFirst  *bool
	Scale     *float64 // into the base unit
	Factor    float64  // of the unit into its base unit
	Plain     *float64 // the scale without the unit
	Unit      string   // the base unit: W for kW
	Offset    *float64
	Mask      uint64 // 0: the whole
	Options   []Option
	Powers    bool // a register holds the power of ten
}

// bases says what a unit is made of.
var bases = map[string]struct {
	unit   string
	factor float64
}{"kW": {"W", 1e3}, "MW": {"W", 1e6}, "kWh": {"Wh", 1e3}, "MWh": {"Wh", 1e6}, "kVA": {"VA", 1e3},
	"kvar": {"var", 1e3}, "kvarh": {"varh", 1e3}, "kVAh": {"VAh", 1e3}, "mV": {"V", 1e-3}, "mA": {"A", 1e-3},
	"ms":  {"s", 1e-3},
	"min": {"s", 60}, "h": {"s", 3600}, "d": {"s", 86400}, "kohm": {"ohm", 1e3}, "Mohm": {"ohm", 1e6},
	"mohm": {"ohm", 1e-3}, "kΩ": {"ohm", 1e3}, "MΩ": {"ohm", 1e6}, "mΩ": {"ohm", 1e-3}, "Ω": {"ohm", 1}}

// Base returns the unit that a unit is made of, and the factor into it.
func Base(unit string) (string, float64) {
	if b, ok := bases[unit]; ok {
		return b.unit, b.factor
	}
	return unit, 1
}

// Decoding returns how the source reads the register.
func (r Row) Decoding() Decoding {
	d := Decoding{Addrs: r.Addrs, Mask: r.Mask, Options: r.Options, Powers: r.ScaleAt != ""}
	d.Unit, d.Factor = Base(r.Unit)
	if r.Mask == allBits(len(r.Addrs)) {
		d.Mask = 0
	}
	switch {
	case r.Type == "str":
		d.Kind = Text
	case r.Type == "block":
		d.Kind = Block
	case strings.HasPrefix(r.Type, "f"):
		d.Kind = Float
	case r.Type == "bits" && r.Mask == 0:
		d.Kind = Bits
	case strings.HasPrefix(r.Type, "time") || strings.HasPrefix(r.Type, "datetime") || r.Type == "epoch":
		d.Kind, d.Form = Clock, strings.TrimPrefix(r.Type, "time_hhmm_")
	}
	if r.Order != "" {
		low := r.Order == "lo"
		d.LowFirst = &low
	}
	d.arrange(r.Listed)
	if d.Kind != Number && d.Kind != Float {
		return d
	}
	d.Signed, d.Magnitude = r.signed(), r.magnitude()
	if !r.Marked("scale_not_stated") && r.ScaleAt == "" && r.Type != "enum" && r.Type != "bits" && r.Type != "bool" {
		plain := 1.0
		if r.Scale != nil {
			plain = *r.Scale
		}
		full := plain * d.Factor
		d.Plain, d.Scale = &plain, &full
		if !r.Marked("offset_not_stated") {
			offset := r.Offset
			d.Offset = &offset
		}
	}
	return d
}

// arrange gives the order of the words one form: that of neighbours is LowFirst, that of words apart is in Addrs, the
// low word first. listed says that the source gives every address, the low word first.
func (d *Decoding) arrange(listed bool) {
	turned := slices.Clone(d.Addrs)
	slices.Reverse(turned)
	switch {
	case len(d.Addrs) < 2:
		d.LowFirst = nil
	case listed && !apart(d.Addrs), listed && !apart(turned):
		low := !apart(d.Addrs)
		d.LowFirst = &low
		d.Addrs = slices.Sorted(slices.Values(d.Addrs))
	case apart(d.Addrs):
		d.LowFirst = nil
	}
}

func allBits(words int) uint64 {
	if words > 3 {
		return math.MaxUint64
	}
	return 1<<(16*words) - 1
}

// Apart reports whether the words are no neighbours. The low word is then the first.
func (d Decoding) Apart() bool { return apart(d.Addrs) }

func apart(addrs []uint16) bool {
	return len(addrs) > 0 && int(addrs[len(addrs)-1])-int(addrs[0]) != len(addrs)-1
}

// signed returns the sign that the source states, or nil. A range of writes that is the same either way states none.
func (r Row) signed() *bool {
	if r.Marked("sign_not_stated") || len(r.Options) > 0 || r.Scale == nil && r.Marked("scale_not_stated") {
		return nil
	}
	signed := strings.HasPrefix(r.Type, "s") && r.Type != "sunssf" || r.magnitude()
	if !signed && !strings.HasPrefix(r.Type, "u") {
		return nil
	}
	if low, high, ok := r.Limits.Numbers(); ok && len(r.Addrs) == 1 && r.Scale != nil && *r.Scale != 0 {
		a, b := (low-r.Offset) / *r.Scale, (high-r.Offset) / *r.Scale
		if min(a, b) >= 0 && max(a, b) <= math.MaxInt16 {
			return nil
		}
	}
	return &signed
}

// magnitude reports whether a bit of its own is the sign.
func (r Row) magnitude() bool { return r.Type == "m16" || r.Type == "m32" }

// bare reports whether no more is said than that a number is there.
func (d Decoding) bare() bool {
	return d.Kind == Number && d.Unit == "" && (d.Plain == nil || *d.Plain == 1) && len(d.Options) == 0 &&
		d.Mask == 0 && len(d.Addrs) == 1
}

// Difference is one thing in which two decodings contradict each other.
type Difference struct{ What, A, B string }

// String returns the difference as one reads it: "scale 0.1 W, 1 W".
func (d Difference) String() string { return d.What + " " + d.A + ", " + d.B }

// Compare returns what contradicts in the decodings of two sources of one register.
func Compare(a, b Decoding) []Difference {
	if a.Kind != b.Kind {
		switch {
		case a.bare() || b.bare():
			return nil
		case a.Kind == Bits && b.Kind == Number:
			return compareBits(a, b, false)
		case a.Kind == Number && b.Kind == Bits:
			return compareBits(b, a, true)
		}
		return []Difference{{"kind", a.kind(), b.kind()}}
	}
	var found []Difference
	if !slices.Equal(a.Addrs, b.Addrs) {
		found = append(found, Difference{"words", addrText(a.Addrs), addrText(b.Addrs)})
	}
	if a.Kind == Text || a.Kind == Block || a.Kind == Bits {
		return found
	}
	if a.Kind == Clock {
		if a.Form != b.Form && a.Form != "" && b.Form != "" {
			found = append(found, Difference{"time", a.Form, b.Form})
		}
		return found
	}
	if a.Mask != b.Mask && !masksAgree(a, b) {
		found = append(found, Difference{"mask", maskText(a.Mask), maskText(b.Mask)})
	}
	if a.Signed != nil && b.Signed != nil && *a.Signed != *b.Signed {
		found = append(found, Difference{"sign", signText(*a.Signed), signText(*b.Signed)})
	} else if a.Signed != nil && b.Signed != nil && a.Magnitude != b.Magnitude {
		found = append(found, Difference{"sign", formText(a.Magnitude), formText(b.Magnitude)})
	}
	if len(a.Addrs) == len(b.Addrs) && a.LowFirst != nil && b.LowFirst != nil && *a.LowFirst != *b.LowFirst {
		found = append(found, Difference{"word order", orderText(*a.LowFirst), orderText(*b.LowFirst)})
	}
	found = append(found, compareScales(a, b)...)
	return append(found, compareSense(a, b)...)
}

// compareBits compares a set of bits with a number in some of its bits.
func compareBits(set, n Decoding, turned bool) []Difference {
	if n.bare() || len(set.Options) == 0 {
		return nil
	}
	if bits.OnesCount64(n.Mask) == 1 {
		bit := uint64(bits.TrailingZeros64(n.Mask))
		if slices.ContainsFunc(set.Options, func(o Option) bool { return o.Raw == bit }) {
			return nil
		}
	} else if n.Mask == 0 && len(n.Options) == 0 || n.Mask != 0 || namesEachBit(n.Options, set.Options) {
		return nil // a part of the set, or the number of all of it
	}
	d := Difference{"mask", "bits", maskText(n.Mask)}
	if turned {
		d.A, d.B = d.B, d.A
	}
	return []Difference{d}
}

// namesEachBit reports whether there is a number for each bit alone, as where the combinations of bits have names.
func namesEachBit(numbers, bits []Option) bool {
	return !slices.ContainsFunc(bits, func(b Option) bool {
		return !slices.ContainsFunc(numbers, func(n Option) bool { return b.Raw < 64 && n.Raw == 1<<b.Raw })
	})
}

// masksAgree reports whether two masks that differ give the same value all the same: the bits that only one of them has
// hold nothing, as far as the two say.
func masksAgree(a, b Decoding) bool {
	wide, narrow := a, b
	if b.Mask == 0 || a.Mask != 0 && bits.OnesCount64(b.Mask) > bits.OnesCount64(a.Mask) {
		wide, narrow = b, a
	}
	if wide.Mask == 0 {
		if bits.TrailingZeros64(narrow.Mask) > 0 {
			return len(wide.Options) == 0 && wide.bare()
		}
		if len(wide.Options) == 0 {
			return wide.bare()
		}
		high := slices.MaxFunc(wide.Options, func(x, y Option) int { return int(x.Raw) - int(y.Raw) })
		return narrow.Mask <= high.Raw|1 && high.Raw < 256 || high.Raw <= narrow.Mask
	}
	first := bits.TrailingZeros64(wide.Mask)
	return first == bits.TrailingZeros64(narrow.Mask) && wide.Mask&narrow.Mask == narrow.Mask &&
		len(wide.Options) == 0 && len(narrow.Options) == 0
}

func compareScales(a, b Decoding) []Difference {
	if a.Unit != "" && b.Unit != "" && a.Unit != b.Unit {
		return []Difference{{"unit", a.Unit, b.Unit}}
	}
	var found []Difference
	if a.Scale != nil && b.Scale != nil {
		x, y := *a.Scale, *b.Scale
		if a.Unit == "" || b.Unit == "" {
			x, y = *a.Plain, *b.Plain
		}
		if !near(math.Abs(x), math.Abs(y)) {
			found = append(found, Difference{"scale", decimal(x) + a.Unit, decimal(y) + b.Unit})
		}
	}
	if a.Offset != nil && b.Offset != nil && !near(*a.Offset, *b.Offset) {
		found = append(found, Difference{"offset", decimal(*a.Offset), decimal(*b.Offset)})
	}
	return found
}

var sense = map[string]bool{"on": true, "enable": true, "enabled": true, "active": true, "yes": true, "true": true,
	"connect": true, "connected": true, "disconnect": false, "disconnected": false,
	"off": false, "disable": false, "disabled": false, "inactive": false, "no": false, "false": false}

// compareSense finds a number that is on for one source and off for the other.
func compareSense(a, b Decoding) []Difference {
	for _, x := range a.Options {
		for _, y := range b.Options {
			m, ok1 := sense[x.Name]
			n, ok2 := sense[y.Name]
			if x.Raw == y.Raw && ok1 && ok2 && m != n {
				return []Difference{{"sense", decimal(float64(x.Raw)) + "=" + x.Name, y.Name}}
			}
		}
	}
	return nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(1e-6, math.Abs(a), math.Abs(b)) }

// Sense reports whether the name of an option says on or off, and which.
func Sense(name string) (on, known bool) {
	on, known = sense[name]
	return on, known
}
