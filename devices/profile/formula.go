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
		numbers[e.point.Key] = numeric(e.point)
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
	for i, e := range l.p.entries {
		if e.formula != nil && reaches(follows, e.point.Key, e.point.Key, map[string]bool{}) {
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
	for key, number := range numbers {
		if number && matches(name, key) {
			found = append(found, key)
		}
	}
	if !letterForm.MatchString(name) || len(found) == 0 {
		l.nodes[i].Fail("value: sum(%s) is of no point: say it with a letter, sum(pv_{n}_power)", name)
	}
	return found
}

// reaches reports whether a key is among what another follows from.
func reaches(follows map[string][]string, from, wanted string, seen map[string]bool) bool {
	return slices.ContainsFunc(follows[from], func(key string) bool {
		if key == wanted {
			return true
		}
		if seen[key] {
			return false
		}
		seen[key] = true
		return reaches(follows, key, wanted, seen)
	})
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
