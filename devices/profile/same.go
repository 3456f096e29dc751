package profile

import "reflect"

// Same reports whether two families say the same of devices, as those of a file do that was read twice.
func (p *Profile) Same(q *Profile) bool {
	if p == q {
		return true
	}
	a, b := *p, *q
	a.cases, b.cases = nil, nil // they follow from the rest
	return reflect.DeepEqual(a, b)
}

// SameOverrides reports whether an owner says the same of both, see With.
func (p *Profile) SameOverrides(q *Profile) bool { return reflect.DeepEqual(p.overrides, q.overrides) }
