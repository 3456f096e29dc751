package profile

import (
	"fmt"
	"math"
	"strconv"

	"solarhub/protocol/codec"
)

// slack is how far a limit may lie beside the register's grid, in raw numbers: decimals like 0.1 are not exact.
const slack = 1e-6

// scaleOf returns the scale with its default.
func scaleOf(s codec.Spec) float64 {
	if s.Scale == 0 {
		return 1
	}
	return s.Scale
}

// grid returns the distance of two neighbouring values that the register can hold; 0 for floats, which have no grid.
func grid(s codec.Spec) float64 {
	if isFloat(s.Type) {
		return 0
	}
	return math.Abs(scaleOf(s))
}

// toRaw returns the raw number of a value, not rounded.
func toRaw(s codec.Spec, value float64) float64 { return (value - s.Offset) / scaleOf(s) }

// whole reports whether x is a whole number but for the noise of decimals.
func whole(x float64) bool {
	return math.Abs(x-math.Round(x)) <= slack+1e-12*math.Abs(x)
}

// Problem is one thing wrong with the value of a key.
type Problem struct{ Key, Text string }

// checkLimits returns what is wrong with the limits of a writable number.
func checkLimits(s codec.Spec, w Write) []Problem {
	var faults []Problem
	for _, limit := range []struct {
		key   string
		value float64
	}{{"min", w.Min}, {"max", w.Max}} {
		if text := checkLimit(s, limit.value); text != "" {
			faults = append(faults, Problem{limit.key, limit.key + " " + text})
		}
	}
	if w.Min >= w.Max {
		faults = append(faults, Problem{"max", fmt.Sprintf("max %s is not above min %s", number(w.Max), number(w.Min))})
	}
	return append(faults, checkStep(s, w, len(faults) == 0)...)
}

// checkLimit returns why the register cannot hold the value, or nothing.
func checkLimit(s codec.Spec, value float64) string {
	raw := toRaw(s, value)
	if isFloat(s.Type) {
		if s.Type == codec.F32 && math.Abs(raw) > math.MaxFloat32 {
			return fmt.Sprintf("%s does not fit f32", number(value))
		}
		return ""
	}
	low, high := rawBounds(s)
	if raw < low-slack || raw > high+slack {
		from, to := low*scaleOf(s)+s.Offset, high*scaleOf(s)+s.Offset
		return fmt.Sprintf("%s does not fit %s, which holds %s to %s", number(value), layout(s), number(min(from, to)), number(max(from, to)))
	}
	if !whole(raw) {
		return fmt.Sprintf("%s is not on the register's grid of %s", number(value), number(grid(s)))
	}
	return ""
}

// checkStep checks the step; whether steps reach max only where min and max are right.
func checkStep(s codec.Spec, w Write, right bool) []Problem {
	if w.Step <= 0 {
		return []Problem{{"step", fmt.Sprintf("step %s is not above 0", number(w.Step))}}
	}
	var faults []Problem
	if g := grid(s); g > 0 && !whole(w.Step/g) {
		faults = append(faults, Problem{"step", fmt.Sprintf("step %s is not a multiple of the register's grid of %s", number(w.Step), number(g))})
	}
	if right && !whole((w.Max-w.Min)/w.Step) {
		faults = append(faults, Problem{"step", fmt.Sprintf("max %s is not reached from min %s in steps of %s", number(w.Max), number(w.Min), number(w.Step))})
	}
	return faults
}

// number prints a value without the noise of binary fractions.
func number(v float64) string {
	return strconv.FormatFloat(v, 'g', 12, 64)
}
