// Package plausible tells readings that can be true from those that cannot: a value outside of the range of its
// quantity, a counter that falls, a step that the device cannot make. It is pure: it knows no line and no clock.
package plausible

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"solarhub/devices/profile"
)

// Kind says how a number may change.
type Kind uint8

// The kinds of numbers.
const (
	Free     Kind = iota // it rises and falls
	Lifetime             // a counter that never falls
	Period               // a counter that begins again: each day, month or year, or when its owner resets it
)

// Rule is what is known of the values of a point.
type Rule struct {
	Kind      Kind
	Name      string // of the point, for the reasons
	Unit      string
	Low, High float64 // where Low < High: no value is beyond

	// Of a counter.
	Step   float64        // of the register; 0 for a float
	Noise  float64        // a step back of so little is how devices round
	Whole  float64        // where the registers begin again from 0: -0.3 reads as Whole-0.3. 0: they hold a sign
	Energy float64        // how many units a kilowatt hour has; 0 where it counts something else
	Zone   *time.Location // whose days count; nil: those of the machine
}

// Steps back that were seen: 0.004 kWh of a meter that holds a float, 0.1 to 0.3 kWh of inverters.
const (
	noiseEnergy = 0.5 // kWh
	noiseSteps  = 3   // of the register, for what is no energy
)

// negative is how far below 0 a counter is known to go, in steps of the register: 0xFFFD is -3.
const negative = 256

// periods end the keys of counters that begin again, see quantities.yaml.
var periods = []string{"_today", "_month", "_year", "_resettable"}

// RuleOf returns the rule of a point, and whether there is one.
func RuleOf(p profile.Point, zone *time.Location) (Rule, bool) {
	if !p.Spec.IsNumber() || p.Button() {
		return Rule{}, false
	}
	r := Rule{Name: p.Name, Unit: p.Unit, Low: p.Range.Low, High: p.Range.High, Zone: zone}
	if r.Kind = kindOf(p); r.Kind != Free {
		r.Step = p.Spec.Grid()
		r.Energy = perKilowattHour[p.Unit]
		r.Noise = noiseSteps * r.Step
		if r.Energy > 0 {
			r.Noise = max(noiseEnergy*r.Energy, r.Step)
		}
		if r.Step > 0 && !p.Spec.Type.Signed() && !p.Spec.Partial() && p.Formula == nil && p.Spec.Offset == 0 {
			r.Whole = (float64(p.Spec.AllBits()) + 1) * r.Step
		}
	}
	return r, r.Kind != Free || r.Low < r.High
}

var perKilowattHour = map[string]float64{"mWh": 1e6, "Wh": 1e3, "kWh": 1, "MWh": 1e-3, "GWh": 1e-6, "TWh": 1e-9}

// kindOf tells counters from other numbers. One that can be below 0 is a balance, which may fall.
func kindOf(p profile.Point) Kind {
	if !strings.HasPrefix(p.Entity.StateClass, "total") || p.Write != nil || isBalance(p) ||
		strings.HasSuffix(p.Key, "_yesterday") {
		return Free
	}
	for _, end := range periods {
		if strings.HasSuffix(p.Key, end) {
			return Period
		}
	}
	if p.Quantity == "" && p.Entity.StateClass != "total" && !strings.Contains(p.Key, "total") {
		return Period // it may begin again: FORMAT.md lets a counter of the day say no more than total_increasing
	}
	return Lifetime
}

// isBalance reports whether a total can be below 0: by its range or, where it names itself, by what it is made of.
func isBalance(p profile.Point) bool {
	switch {
	case p.Range.Low < 0:
		return true
	case p.Quantity != "":
		return false
	case p.Formula == nil:
		return p.Spec.Type.Signed()
	}
	below := len(p.Formula.Turn) > 0 || slices.ContainsFunc(p.Formula.Terms, func(t profile.Term) bool {
		return t.Factor < 0
	})
	return below && p.Entity.StateClass == "total"
}

// isNegative reports whether a reading stands for a number below 0. A counter that has come there by itself does not.
func (r Rule) isNegative(m Mark, v float64) bool {
	return v < 0 || r.Whole > 0 && v >= r.Whole-negative*r.Step && (!m.Known || m.Value < r.Whole/2)
}

// text returns a number with its unit, without the noise of floats.
func (r Rule) text(v float64) string {
	const digits = 12
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	text := strconv.FormatFloat(short, 'f', -1, 64)
	return strings.TrimSuffix(text+" "+r.Unit, " ")
}
