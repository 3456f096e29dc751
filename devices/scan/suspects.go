package scan

import (
	"cmp"
	"slices"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// suspect is a family that the unit may be of.
type suspect struct {
	family *profile.Profile
	never  []protocol.Range // that could harm a device of the family, as long as it is not known to be one
	needs  []need           // that may hold
	held   []need           // that do
	proof  *need            // what is looked at where all needs hold, and may be missing; nil: nothing, or it was
	weight float64          // how likely the family is compared with others
}

// judge moves what holds from needs to held. It reports false if something does not hold.
func (s *suspect) judge(e evidence) bool {
	if s.proof != nil {
		if v, _ := s.proof.judge(e); v != open {
			if v == held {
				s.held = append(s.held, *s.proof)
			}
			s.proof = nil
		}
	}
	failing := false
	s.needs = slices.DeleteFunc(s.needs, func(n need) bool {
		v, _ := n.judge(e)
		if v == held {
			s.held = append(s.held, n)
		}
		failing = failing || v == failed
		return v == held
	})
	return !failing
}

// bits returns how surprising it is that all this holds by chance.
func (s *suspect) bits() (sum float64) {
	for _, n := range s.held {
		sum += n.bits
	}
	return sum
}

// strong is the surprise, in bits, at a family with all that it needs behind which those are not looked for any more of
// which nothing at all was found.
const strong = 10

// isProven reports whether the unit has everything that the family needs, and that is much. The text of SunSpec proves
// no family: many have it.
func (s *suspect) isProven() bool {
	return len(s.needs) == 0 && s.bits() >= strong && s.family.SunSpec == nil
}

// open returns what is still to be looked at.
func (s *suspect) open() []need {
	if len(s.needs) == 0 && s.proof != nil {
		return []need{*s.proof}
	}
	return s.needs
}

// care puts a family first whose devices may take harm from a read of registers that they do not have, and not only of
// those that are known to be harmful (a Growatt SPF drops its output: 0xAHA Growatt_ModbusTCP #88); of several the one
// that forbids the most.
func (s *suspect) care() (addresses float64) {
	if !s.family.Line.NamedOnly {
		return 0
	}
	for _, r := range s.family.Line.Never {
		addresses += float64(r.Count)
	}
	return addresses
}

// probe returns the read that whoever looks for units asks each for: of holding registers, because some devices ignore
// function 4 (jmccrohan/pysolarmanv5 #60), and of those of the family that needs the most care.
func (s suspects) probe() protocol.Range {
	most := slices.MaxFunc(s, func(a, b *suspect) int { return cmp.Compare(a.care(), b.care()) })
	needs := most.needs
	if most.proof != nil {
		needs = append(slices.Clone(needs), *most.proof)
	}
	for _, n := range needs {
		for _, r := range n.questions(newEvidence()) {
			if r.Table == protocol.HoldingRegister && most.care() > 0 {
				return r
			}
		}
	}
	r, _ := s.next(newEvidence())
	return r
}

// manySources double the weight of a family: what many have written about is met more often.
const manySources = 4

// progress favours a family of which something holds: it may end the search.
func (s *suspect) progress() float64 { return 1 + s.bits() }

// suspects are the families that are left.
type suspects []*suspect

// suspectsOf returns all families. Those that are delivered with a unit id and a serial setting are the likeliest.
func suspectsOf(families []*profile.Profile, at Place) (all suspects) {
	for _, p := range families {
		s := &suspect{family: p, never: slices.Concat(p.Line.Never, p.Identify.Never),
			weight: 1 + float64(len(p.Sources))/manySources}
		s.needs, s.proof = needsOf(p)
		if max(p.Line.Unit, 1) == at.Unit {
			s.weight++
		}
		if p.Line.Serial == at.Serial {
			s.weight++
		}
		if len(s.needs) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// left drops the families that the evidence rules out. Behind one that is proven it drops those of which nothing holds.
func (s suspects) left(e evidence) suspects {
	s = slices.DeleteFunc(s, func(one *suspect) bool { return !one.judge(e) })
	if !slices.ContainsFunc(s, (*suspect).isProven) {
		return s
	}
	return slices.DeleteFunc(s, func(one *suspect) bool { return len(one.held) == 0 })
}

// never returns what may not be read as long as these families are suspected, but for one of them.
func (s suspects) never(but *profile.Profile) (all []protocol.Range) {
	for _, one := range s {
		if one.family != but {
			all = append(all, one.never...)
		}
	}
	return all
}

// question is a read, and how much it is worth: the families that it says something of.
type question struct {
	over  protocol.Range
	worth float64
}

// next returns the read that says most, among those that no family forbids. It is not ok where no such read is left.
func (s suspects) next(e evidence) (protocol.Range, bool) {
	all := map[protocol.Range]float64{}
	blocked := map[*suspect]float64{} // by what a family forbids
	for _, one := range s {
		for _, n := range one.open() {
			for _, r := range n.questions(e) {
				if by := s.forbidding(r); by != nil {
					blocked[by] += one.weight
				} else {
					all[r] += one.weight*one.progress() + one.care()
				}
			}
		}
	}
	for by, worth := range blocked { // what tells that it is not such a family lets the others be asked about
		for _, n := range by.open() {
			for _, r := range n.questions(e) {
				if _, allowed := all[r]; allowed {
					all[r] += worth
				}
			}
		}
	}
	return best(all)
}

// best returns the question that is worth most, of several the shortest.
func best(all map[protocol.Range]float64) (protocol.Range, bool) {
	var most question
	for r, worth := range all {
		q := question{r, worth}
		if most.over.Count == 0 || q.compare(most) > 0 {
			most = q
		}
	}
	return most.over, most.over.Count > 0
}

func (q question) compare(o question) int {
	return cmp.Or(cmp.Compare(q.worth, o.worth), cmp.Compare(o.over.Table, q.over.Table),
		cmp.Compare(o.over.Count, q.over.Count), cmp.Compare(o.over.Addr, q.over.Addr))
}

// forbidding returns a family that forbids a read.
func (s suspects) forbidding(r protocol.Range) *suspect {
	for _, one := range s {
		if slices.ContainsFunc(one.never, r.Overlaps) {
			return one
		}
	}
	return nil
}
