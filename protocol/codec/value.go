package codec

// Kind says which field of a Value counts.
type Kind uint8

// The kinds. The zero Value is no value without a reason.
const (
	KindNone   Kind = iota // no value; Str says why
	KindNumber             // Num
	KindText               // Str; also a set of bits, joined by ", "
	KindOption             // Str is the option's name
	KindBool               // On
	KindTime               // Minutes since midnight, 0..1439
)

// Value is what a person sees of a point: a number, a text, an option, on or off, a time of day - or explicitly no value
// with a reason, which is never 0. Values are compared with ==.
type Value struct {
	Kind    Kind
	Num     float64
	Str     string
	On      bool
	Minutes int
}
