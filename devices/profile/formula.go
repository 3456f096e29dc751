package profile

import (
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
)

// checkFormulas adds a finding for each derived value that follows from what is not there, or from itself.
func (l *loader) checkFormulas() {
	if l.full() {
		return
	}
	numbers := map[string]bool{} // by key: whether it is a number
	for _, e := range l.p.entries {
		numbers[e.point.Key] = numeric(e.point) || e.point.IsClock()
	}
	follows := map[string][]string{}
	for i, e := range l.p.entries {
		if e.formula == nil {
			continue
		}
		for _, p := range e.formula {
			for _, name := range p.names {
				follows[e.point.Key] = append(follows[e.point.Key], l.operand(i, name, p.sum, numbers)...)
			}
		}
		for _, t := range e.turn {
			if _, ok := numbers[t.Key]; !ok {
				l.nodes[i].Fail("negative: there is no point %q%s", t.Key, strict.Meant(t.Key, keysOf(numbers)))
			}
		}
	}
	seen := map[string]walk{}
	for i, e := range l.p.entries {
		if e.formula != nil && goesRound(follows, e.point.Key, seen) {
			l.nodes[i].Fail("value: %s follows from itself", e.point.Key)
		}
	}
}

// operand returns the points that a name stands for.
func (l *loader) operand(i int, name string, sum bool, numbers map[string]bool) []string {
	if !sum {
		if number, ok := numbers[name]; !ok {
			l.nodes[i].Fail("value: there is no point %q%s", name, strict.Meant(name, keysOf(numbers)))
		} else if !number {
			l.nodes[i].Fail("value: %s is no number", name)
		}
		return []string{name}
	}
	var found []string
	if known, ok := l.sums[name]; ok {
		return known
	}
	for key, number := range numbers {
		if number && matches(name, key) {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	l.sums[name] = found
	if !letterForm.MatchString(name) {
		l.nodes[i].Fail("value: sum(%s) is of no point: say it with a letter, sum(pv_{n}_power)", name)
	} else if len(found) == 0 {
		l.nodes[i].Fail("value: sum(%s): there is no number with such a key", name)
	}
	return found
}

// walk is how far the search for round trips has come with a point.
type walk uint8

const (
	under walk = iota + 1 // the search is in what it follows from
	sound
	round
)

// goesRound reports whether a point follows from itself, or from one that does.
func goesRound(follows map[string][]string, key string, seen map[string]walk) bool {
	if w := seen[key]; w != 0 {
		return w != sound
	}
	seen[key] = under
	for _, from := range follows[key] {
		if goesRound(follows, from, seen) {
			seen[key] = round
			return true
		}
	}
	seen[key] = sound
	return false
}

// keysOf returns the keys, without those that a sum could mean.
func keysOf(points map[string]bool) (keys []string) {
	for key := range points {
		if !strings.Contains(key, "{") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
