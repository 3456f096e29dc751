package profile

import "slices"

// chainMaker makes up chains of SunSpec models for cases. Of models that stand for each other a device has one.
type chainMaker struct {
	groups  [][]int        // of models that stand for each other
	lengths map[int]uint16 // which the points of a model need
}

// modelsOf collects the models that points and conditions of the family name.
func (p *Profile) modelsOf() chainMaker {
	m := chainMaker{lengths: map[int]uint16{}}
	place := func(at *Place, f Field) {
		if at == nil {
			return
		}
		m.join(at.Models)
		for _, r := range f.Ranges {
			for _, id := range at.Models {
				m.lengths[id] = max(m.lengths[id], uint16(min(r.End(), 60_000)))
			}
		}
	}
	for _, e := range p.entries {
		place(e.place, Field{Ranges: e.point.Ranges})
		if e.point.Write != nil {
			place(e.place, Field{Ranges: e.point.Write.Ranges})
		}
	}
	id := p.Identify
	for _, f := range append([]Field{id.Model, id.Version}, id.Serials...) {
		place(f.Place, f)
	}
	for _, t := range p.Traits {
		place(t.Field.Place, t.Field)
	}
	for _, id := range p.models {
		m.join([]int{id})
	}
	return m
}

// join puts models into one group.
func (m *chainMaker) join(models []int) {
	group := slices.Clone(models)
	var rest [][]int
	for _, g := range m.groups {
		if slices.ContainsFunc(g, func(id int) bool { return slices.Contains(models, id) }) {
			group = append(group, g...)
		} else {
			rest = append(rest, g)
		}
	}
	slices.Sort(group)
	m.groups = append(rest, slices.Compact(group))
}

// most returns the size of the largest group.
func (m chainMaker) most() int {
	most := 1
	for _, g := range m.groups {
		most = max(most, len(g))
	}
	return most
}

// pick returns the models of the n-th case: one of each group.
func (m chainMaker) pick(n int) map[int]bool {
	picked := map[int]bool{}
	for _, g := range m.groups {
		picked[g[n%len(g)]] = true
	}
	return picked
}

// take puts a model into the place of those that stand for it.
func (m chainMaker) take(models map[int]bool, id int) {
	for _, g := range m.groups {
		if slices.Contains(g, id) {
			for _, other := range g {
				delete(models, other)
			}
		}
	}
	models[id] = true
}

// chain returns the models as a device has them: the common model first, then by number.
func (m chainMaker) chain(s *SunSpec, models map[int]bool) Chain {
	c := Chain{Base: 40000}
	if len(s.Bases) > 0 {
		c.Base = s.Bases[0]
	}
	at := uint32(c.Base) + 2
	ids := make([]int, 0, len(models))
	for id := range models {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		length := max(m.lengths[id], 2) - 2
		if at+2+uint32(length) > 65_534 || len(c.Models) >= maxModels-1 {
			break
		}
		c.Models = append(c.Models, Model{id, uint16(at), length})
		at += 2 + uint32(length)
	}
	return c
}
