package profile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"solarhub/protocol/codec"
)

// expression is a sum of products of numbers and names: "rated_power * 1.1", "total + 0.001 * total_milli". The names
// are traits for a number of a point, and keys of points for a derived value.
type expression []product

type product struct {
	factor float64
	names  []string
	sum    bool // of the one name, which is the pattern of keys: sum(pv_{n}_power)
}

// maxTerms is how long an expression can be.
const maxTerms = 64

// tokens of an expression: a number, a name or a sum, an operator.
var (
	tokenForm = regexp.MustCompile(
		`^\s*([0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]+)?|sum\([a-z0-9_{}]+\)|[a-z][a-z0-9_{}]*|[-+*])`)
	nameForm = regexp.MustCompile(`^[a-z]`)
)

// parseExpression reads a sum of products.
func parseExpression(text string) (expression, error) {
	var all expression
	one, wanted := product{factor: 1}, true // wanted: a number or a name, not an operator
	for rest := strings.TrimSpace(text); rest != ""; {
		found := tokenForm.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf("%q is no number, name, +, - or *", rest)
		}
		rest = strings.TrimSpace(rest[len(found[0]):])
		token := found[1]
		switch operator := strings.ContainsAny(token[:1], "+-*"); {
		case operator && wanted && token == "-" && len(one.names) == 0:
			one.factor = -one.factor
		case operator == wanted:
			return nil, fmt.Errorf("%q stands where %s is wanted", token, map[bool]string{true: "a number or a name",
				false: "+, - or *"}[wanted])
		case token == "*":
			wanted = true
		case operator:
			all, one, wanted = append(all, one), product{factor: 1}, true
			if token == "-" {
				one.factor = -1
			}
		default:
			one.take(token)
			wanted = false
		}
	}
	if wanted || len(all) >= maxTerms {
		return nil, fmt.Errorf("%q ends too early, or has more than %d terms", text, maxTerms)
	}
	return append(all, one), nil
}

// take multiplies the product by a number, a name or a sum.
func (p *product) take(token string) {
	pattern, isSum := strings.CutPrefix(token, "sum(")
	switch {
	case isSum:
		p.names, p.sum = append(p.names, strings.TrimSuffix(pattern, ")")), true
	case nameForm.MatchString(token):
		p.names = append(p.names, token)
	default:
		n, _ := strconv.ParseFloat(token, 64)
		p.factor *= n
	}
}

// names returns all names of the expression.
func (e expression) names() (all []string) {
	for _, p := range e {
		all = append(all, p.names...)
	}
	return all
}

// at returns the number for traits that are complete.
func (e expression) at(t Traits) float64 {
	total := 0.0
	for _, p := range e {
		value := p.factor
		for _, name := range p.names {
			n, _ := strconv.ParseFloat(t[name], 64)
			value *= n
		}
		total += value
	}
	return total
}

// Formula is the value of a derived point: a sum of products of other points of the device.
type Formula struct {
	Terms []Term
	Turn  []Turn
	keys  []string // of all of them; nil: not listed yet
}

// Term is a factor times the values of some points.
type Term struct {
	Factor float64
	Keys   []string
}

// Turn turns the sign of the value while a point has one of the options.
type Turn struct {
	Key     string
	Options []string
}

// Keys returns the points that the value follows from. The list is shared.
func (f Formula) Keys() (all []string) {
	if f.keys != nil {
		return f.keys
	}
	for _, t := range f.Terms {
		all = append(all, t.Keys...)
	}
	for _, t := range f.Turn {
		all = append(all, t.Key)
	}
	return all
}

// Of returns the value that follows from those of other points; no value if one of them has none. It is not rounded.
func (f Formula) Of(value func(key string) codec.Value) codec.Value {
	total := 0.0
	for _, t := range f.Terms {
		one := t.Factor
		for _, key := range t.Keys {
			v := value(key)
			if v.Kind != codec.KindNumber {
				return codec.None(fmt.Sprintf("%s has no value", key))
			}
			one *= v.Num
		}
		total += one
	}
	for _, t := range f.Turn {
		v := value(t.Key)
		if !v.Known() {
			return codec.None(fmt.Sprintf("%s has no value that is known", t.Key))
		}
		for _, o := range t.Options {
			if v.String() == o {
				total = -total
			}
		}
	}
	return codec.Number(total)
}
