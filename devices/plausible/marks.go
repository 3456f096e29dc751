package plausible

import (
	"cmp"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Marks are those of all points of one device. It is for one goroutine at a time.
type Marks struct {
	Rated float64 // power in kilowatts; 0: not known

	points map[string]*point
	odd    int    // lifetime counters whose last reading was not believed
	counts int    // lifetime counters that have counted something
	total  uint64 // readings that were not believed
}

type point struct {
	rule   Rule
	mark   Mark
	reason string // why the last reading was not believed
}

// Kept is a value of a counter from an earlier run.
type Kept struct {
	Value float64
	At    time.Time
}

// Watch says which points there are. The marks of those that stay are kept.
func (m *Marks) Watch(points []profile.Point, zone *time.Location) {
	before := m.points
	m.points = make(map[string]*point, len(points))
	for _, p := range points {
		if rule, ok := RuleOf(p, zone); ok {
			one := &point{rule: rule}
			if known := before[p.Key]; known != nil {
				one.mark = known.mark
			}
			m.points[p.Key] = one
		}
	}
	m.count()
}

// Recall takes what an earlier run has kept of counters.
func (m *Marks) Recall(kept map[string]Kept) {
	for key, k := range kept {
		if p := m.points[key]; p != nil && p.rule.Kind != Free && !p.mark.Known {
			p.mark = Mark{Known: true, Value: k.Value, At: k.At, Reset: k.At.Add(-dayBegins)}
		}
	}
	m.count()
}

// Forget drops all marks: another device answers, or one with other scales.
func (m *Marks) Forget() {
	for _, p := range m.points {
		p.mark = Mark{}
	}
	m.count()
}

// count counts anew what Take keeps count of.
func (m *Marks) count() {
	m.odd, m.counts = 0, 0
	for _, p := range m.points {
		m.add(p, 1)
	}
}

func (m *Marks) add(p *point, n int) {
	if p.rule.Kind != Lifetime {
		return
	}
	if p.mark.Odd() {
		m.odd += n
	}
	if p.mark.Value > 0 {
		m.counts += n
	}
}

// Take judges a reading. It returns the value to show, unless the reading is to be left out: then the verdict is Held.
func (m *Marks) Take(key string, v codec.Value, at time.Time) (codec.Value, Finding) {
	p := m.points[key]
	if p == nil || v.Kind != codec.KindNumber {
		return v, Finding{}
	}
	m.add(p, -1)
	mark, f := p.rule.Judge(p.mark, v.Num, at, Circumstances{Rated: m.Rated, Odd: m.odd > 0, Counts: m.counts > 0})
	p.mark = mark
	m.add(p, 1)
	switch f.Verdict {
	case Noise:
		v = codec.Number(mark.Value)
	case Unknown:
		v = codec.None(f.Reason)
	}
	if f.Verdict >= Held {
		m.total++
		p.reason = f.Reason
	}
	return v, f
}

// Doubt returns why the last reading of a point was not believed; empty if it was.
func (m *Marks) Doubt(key string) string {
	if p := m.points[key]; p != nil && p.mark.Odd() {
		return p.reason
	}
	return ""
}

// Total returns how many readings were not believed.
func (m *Marks) Total() uint64 { return m.total }

// Odd is a point whose last reading was not believed.
type Odd struct {
	Key    string
	Reason string
	Since  time.Time
}

// Odd returns the points whose last reading was not believed, by their keys.
func (m *Marks) Odd() (odd []Odd) {
	for key, p := range m.points {
		if p.mark.Odd() {
			odd = append(odd, Odd{Key: key, Reason: p.reason, Since: p.mark.odd})
		}
	}
	slices.SortFunc(odd, func(a, b Odd) int { return cmp.Compare(a.Key, b.Key) })
	return odd
}
