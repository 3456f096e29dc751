package profile

import (
	"fmt"
	"math"
	"strconv"

	"solarhub/protocol/codec"
)

// Problem is one thing wrong with the value of a key.
type Problem struct{ Key, Text string }

// checkLimits returns what is wrong with the limits of a writable number: the registers must be able to hold min and
// max, and whole steps must lead from one to the other.
func checkLimits(s codec.Spec, w Write) []Problem {
	var problems []Problem
	for _, limit := range []struct {
		key   string
		value float64
	}{{"min", w.Min}, {"max", w.Max}} {
		if _, err := s.Encode(codec.Number(limit.value), make([]uint16, s.Words())); err != nil {
			problems = append(problems, Problem{limit.key, fmt.Sprintf("%s %v", limit.key, err)})
		}
	}
	if w.Min >= w.Max {
		problems = append(problems,
			Problem{"max", fmt.Sprintf("max %s is not above min %s", number(w.Max), number(w.Min))})
	}
	return append(problems, checkStep(s, w, len(problems) == 0)...)
}

// checkStep returns what is wrong with the step. Steps can lead from min to max only if both are right.
func checkStep(s codec.Spec, w Write, right bool) []Problem {
	if w.Step <= 0 {
		return []Problem{{"step", fmt.Sprintf("step %s is not above 0", number(w.Step))}}
	}
	var problems []Problem
	if g := s.Grid(); g > 0 && !whole(w.Step/g) {
		problems = append(problems, Problem{"step",
			fmt.Sprintf("step %s is not a multiple of the register's own, %s", number(w.Step), number(g))})
	}
	if right && !whole((w.Max-w.Min)/w.Step) {
		problems = append(problems, Problem{"step", fmt.Sprintf("max %s is not reached from min %s in steps of %s",
			number(w.Max), number(w.Min), number(w.Step))})
	}
	return problems
}

// whole reports whether x is a whole number, apart from the noise of decimals: a float does not hold 0.1 exactly.
func whole(x float64) bool {
	return math.Abs(x-math.Round(x)) <= 1e-6+1e-12*math.Abs(x)
}

// number prints a value without the noise of binary fractions.
func number(v float64) string {
	return strconv.FormatFloat(v, 'g', 12, 64)
}
