package profile

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Cases returns traits of devices that together show each word of each trait, the ends of each number, and each point.
// The first is the typical device. There is always one.
func (p *Profile) Cases() []Traits {
	found := p.cases()
	cases := make([]Traits, len(found))
	for i, c := range found {
		cases[i] = maps.Clone(c)
	}
	return cases
}

// maxShown is how many cases a family can have.
const maxShown = 200

// device is a device that a case makes up: its traits, and its models of SunSpec.
type device struct {
	traits Traits
	models map[int]bool
}

// caseFinder works out the cases of a family.
type caseFinder struct {
	*Profile
	maker  chainMaker
	cases  []Traits
	full   []Traits // of each case, with what conditions on models ask for
	chains []Chain  // of each case
}

func (p *Profile) findCases() []Traits {
	f := caseFinder{Profile: p}
	f.find()
	return f.cases
}

func (p *caseFinder) find() {
	m := p.modelsOf()
	p.maker = m
	most := m.most()
	domains := make([][]string, len(p.Traits))
	for i, t := range p.Traits {
		domains[i] = t.domain()
		most = max(most, len(domains[i]))
	}
	for n := range most {
		d := device{Traits{}, m.pick(n)}
		for i, t := range p.Traits {
			d.traits[t.Name] = domains[i][n%len(domains[i])]
		}
		p.addCase(d)
	}
	for _, t := range p.Traits {
		for _, word := range t.domain() {
			if !t.When.Always() && !p.showsWord(t, word) {
				p.addCase(p.deviceWith(entry{when: t.When}, t.Name, word))
			}
		}
	}
	for _, e := range p.entries {
		if (len(e.when.any) > 0 || e.place != nil) && !p.shows(e) {
			p.addCase(p.deviceWith(e, "", ""))
		}
	}
}

// domain returns the words of a trait, or the ends of a number; the typical one is the first.
func (t Trait) domain() []string {
	all := t.Words
	if t.IsNumber() {
		all = []string{strconv.FormatInt(t.Low, 10), strconv.FormatInt(t.High, 10)}
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(w string) bool { return w == t.Typical })
	return append([]string{t.Typical}, rest...)
}

// addCase adds a case, if there is none like it. A trait that is not read of such a device is as it is otherwise.
func (p *caseFinder) addCase(d device) {
	var chain Chain
	full := maps.Clone(d.traits)
	if p.SunSpec != nil {
		chain = p.maker.chain(p.SunSpec, d.models)
		d.traits[ChainTrait] = chain.String()
		full.withModels(chain, p.models)
	}
	for _, t := range p.Traits {
		if !t.When.Holds(full) && t.Otherwise != "" {
			d.traits[t.Name], full[t.Name] = t.Otherwise, t.Otherwise
		}
	}
	known := slices.ContainsFunc(p.cases, func(c Traits) bool { return maps.Equal(c, d.traits) })
	if !known && len(p.cases) < maxShown {
		p.cases = append(p.cases, d.traits)
		p.full, p.chains = append(p.full, full), append(p.chains, chain)
	}
}

func (p *caseFinder) shows(e entry) bool {
	for i, t := range p.full {
		if e.when.Holds(t) {
			if _, ok := e.in(t, p.chains[i]); ok {
				return true
			}
		}
	}
	return false
}

func (p *caseFinder) showsWord(trait Trait, word string) bool {
	return slices.ContainsFunc(p.full, func(t Traits) bool {
		return t[trait.Name] == word && trait.When.Holds(t)
	})
}

// deviceWith returns a device that has the entry, and the word of a trait; typical in all else.
func (p *caseFinder) deviceWith(e entry, trait, word string) device {
	m := p.maker
	d := device{maps.Clone(p.cases[0]), m.pick(0)}
	if e.place != nil && !slices.ContainsFunc(e.place.Models, func(id int) bool { return d.models[id] }) {
		m.take(d.models, e.place.Models[0])
	}
	p.meet(d, e.when, 0)
	if trait != "" {
		d.traits[trait] = word
	}
	return d
}

// meet changes a device so that a condition holds of it, and those of the traits that the condition needs.
func (p *caseFinder) meet(d device, c Condition, depth int) {
	if len(c.any) == 0 || depth > maxTraits {
		return
	}
	for _, t := range c.any[0] {
		trait, ok := p.Trait(t.trait)
		if id, isModel := modelOf(t.trait); isModel {
			if t.words[0] == "yes" {
				p.maker.take(d.models, id)
			} else {
				delete(d.models, id)
			}
			continue
		}
		if !ok || t.holds(d.traits[t.trait]) && trait.When.Holds(d.traits) {
			continue
		}
		p.meet(d, trait.When, depth+1)
		if t.words != nil {
			d.traits[t.trait] = t.words[0]
		} else if low := max(int64(t.spans[0].Low), trait.Low); !t.holds(d.traits[t.trait]) {
			d.traits[t.trait] = strconv.FormatInt(low, 10)
		}
	}
}

// modelOf returns the model of a condition "model 103".
func modelOf(trait string) (id int, ok bool) {
	text, ok := strings.CutPrefix(trait, "model ")
	if !ok {
		return 0, false
	}
	id, err := strconv.Atoi(text)
	return id, err == nil
}
