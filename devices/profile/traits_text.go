package profile

import (
	"fmt"
	"slices"
	"strings"
)

// TraitsText returns the traits as people write them: "lv, phases 3, meter, not pump". A word needs no name, because it
// belongs to one trait alone. NamedTraits reads it.
func (p *Profile) TraitsText(traits Traits) string {
	var texts []string
	for _, t := range p.Traits {
		word, ok := traits[t.Name]
		switch {
		case !ok:
		case word == "yes":
			texts = append(texts, t.Name)
		case word == "no":
			texts = append(texts, "not "+t.Name)
		case t.IsNumber() || t.From == FromChain:
			texts = append(texts, t.Name+" "+word)
		default:
			texts = append(texts, word)
		}
	}
	return strings.Join(texts, ", ")
}

// NamedTraits reads what TraitsText writes. A trait that is not named is as in the typical device. The empty text is
// the typical device.
func (p *Profile) NamedTraits(text string) (Traits, error) {
	named := p.Cases()[0]
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		name, word, ok := p.namedTrait(item)
		if !ok {
			return nil, fmt.Errorf("profile %s: %q is not one of %s", p.ID, item, joinWords(p.traitWords()))
		}
		named[name] = word
	}
	return named, nil
}

// namedTrait returns the trait and the word that an item of TraitsText names.
func (p *Profile) namedTrait(item string) (name, word string, ok bool) {
	first, rest, _ := strings.Cut(item, " ")
	for _, t := range p.Traits {
		switch {
		case item == t.Name && slices.Contains(t.Words, "yes"):
			return t.Name, "yes", true
		case first == "not" && rest == t.Name && slices.Contains(t.Words, "no"):
			return t.Name, "no", true
		case first == t.Name && t.Check(rest) == nil:
			return t.Name, rest, true
		case slices.Contains(t.Words, item) && item != "yes" && item != "no":
			return t.Name, item, true
		}
	}
	return "", "", false
}

// traitWords lists what NamedTraits understands.
func (p *Profile) traitWords() (all []string) {
	for _, t := range p.Traits {
		switch {
		case t.From == FromChain:
		case t.IsNumber():
			all = append(all, fmt.Sprintf("%s %d..%d", t.Name, t.Low, t.High))
		case slices.Contains(t.Words, "yes"):
			all = append(all, t.Name, "not "+t.Name)
		default:
			all = append(all, t.Words...)
		}
	}
	return all
}

// ResolveNamed is Resolve for traits as NamedTraits reads them.
func (p *Profile) ResolveNamed(text string) ([]Point, error) {
	traits, err := p.NamedTraits(text)
	if err != nil {
		return nil, err
	}
	return p.Resolve(traits)
}
