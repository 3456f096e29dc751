package profile

import (
	"strconv"
	"strings"
)

// number reads a number of a point that may follow from traits. What follows from traits is worked out for each device;
// the number returned is that of the typical one.
func (l *loader) number(f fields, key string, fallback float64) float64 {
	v, e := l.numberOrFormula(f, key, fallback)
	if e != nil && l.current != nil {
		l.current.numbers = append(l.current.numbers, numberFrom{key, e})
	}
	return v
}

// numberOrFormula reads a number, or an expression over traits that are numbers.
func (l *loader) numberOrFormula(f fields, key string, fallback float64) (float64, expression) {
	n := f.get(key)
	text := n.Raw()
	if _, err := strconv.ParseFloat(text, 64); n == nil || err == nil || !strings.ContainsAny(text, letters) ||
		strings.HasPrefix(text, "0x") || l.current == nil && key != "stride" {
		return f.number(key, fallback), nil
	}
	e, err := parseExpression(text)
	if err != nil {
		n.Fail("%s: %v", key, err)
		return fallback, nil
	}
	for _, name := range e.names() {
		if t, ok := l.p.Trait(name); !ok || !t.IsNumber() {
			n.Fail("%s: %q is neither a number nor a trait that is one", key, name)
			return fallback, nil
		}
	}
	v := e.at(l.typical())
	if v == 0 && key == "scale" {
		v = 1
	}
	return v, e
}

const letters = "abcdefghijklmnopqrstuvwxyz"

// typical returns the traits of the typical device.
func (l *loader) typical() Traits {
	t := Traits{}
	for _, one := range l.p.Traits {
		t[one.Name] = one.Typical
	}
	return t
}

// scaled reports whether the grid of the point follows from traits.
func (t *template) scaled() bool {
	for _, n := range t.numbers {
		if n.key == "scale" || n.key == "offset" {
			return true
		}
	}
	return false
}
