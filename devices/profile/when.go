package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/strict"
)

// when reads the condition behind the key when, if there is one: a text, or a list of which one must hold.
func (l *loader) when(f fields) Condition {
	if !f.has("when") {
		return Condition{}
	}
	var all Condition
	for _, n := range items(f.Get("when")) {
		text, ok := n.Text()
		if !ok {
			continue
		}
		c, err := l.parseCondition(text)
		if err != nil {
			n.Fail("when: %v", err)
			continue
		}
		all.any = append(all.any, c.any...)
	}
	if len(all.any) > maxClauses {
		f.fail("when", "when: more than %d alternatives", maxClauses)
		return Condition{}
	}
	return all
}

// parseCondition reads comparisons that are joined by "and".
func (l *loader) parseCondition(text string) (Condition, error) {
	var all Condition
	for part := range strings.SplitSeq(text, " and ") {
		c, err := l.parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Condition{}, err
		}
		both, ok := all.and(c)
		if !ok {
			return Condition{}, fmt.Errorf("%q can never hold", text)
		}
		all = both
	}
	return all, nil
}

// termForm is a comparison: "battery = lv", "phases >= 2", "generation = g4|g5".
var termForm = regexp.MustCompile(`^([a-z][a-z0-9_]*) *(=|!=|<=|>=|<|>) *([A-Za-z0-9_|. -]+)$`)

// parseTerm reads "meter", "not meter", "model 103", or a comparison.
func (l *loader) parseTerm(text string) (Condition, error) {
	if ids, ok := strings.CutPrefix(text, "model "); ok {
		return l.models(ids, true)
	}
	if ids, ok := strings.CutPrefix(text, "not model "); ok {
		return l.models(ids, false)
	}
	first, rest, _ := strings.Cut(text, " ")
	word := "yes"
	if first == "not" {
		text, word = strings.TrimSpace(rest), "no"
	}
	name, how, values := text, "=", word
	if m := termForm.FindStringSubmatch(text); m != nil && word == "yes" {
		name, how, values = m[1], m[2], m[3]
	}
	t, ok := l.p.Trait(name)
	switch {
	case !ok:
		return Condition{}, fmt.Errorf("trait %q is not one of %s%s", name, joinWords(l.traitNames()),
			strict.Meant(name, l.traitNames()))
	case t.IsNumber():
		return numberTerm(t, how, values)
	}
	return wordTerm(t, how, values)
}

// models returns the condition that a SunSpec device has one of the models, or none of them: "103", "101|102|103".
func (l *loader) models(ids string, has bool) (Condition, error) {
	var any, none Condition
	none.any = [][]term{nil}
	for text := range strings.SplitSeq(ids, "|") {
		id, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || id < 1 || id > 65534 || l.p.SunSpec == nil {
			return Condition{}, fmt.Errorf("model %q is no model of SunSpec, or the profile has no sunspec", text)
		}
		l.askFor(id)
		any.any = append(any.any, is(modelTrait(id), "yes").any...)
		none.any[0] = append(none.any[0], term{trait: modelTrait(id), words: []string{"no"}})
	}
	if has {
		return any, nil
	}
	return none, nil
}

// askFor notes a model that a condition names.
func (l *loader) askFor(model int) {
	if !slices.Contains(l.p.models, model) {
		l.p.models = append(l.p.models, model)
	}
}

func wordTerm(t Trait, how, values string) (Condition, error) {
	var words []string
	for w := range strings.SplitSeq(values, "|") {
		w = strings.TrimSpace(w)
		if err := t.Check(w); err != nil {
			return Condition{}, fmt.Errorf("%w%s", err, strict.Meant(w, t.Words))
		}
		words = append(words, w)
	}
	switch how {
	case "!=":
		words = slices.DeleteFunc(slices.Clone(t.Words), func(w string) bool { return slices.Contains(words, w) })
	case "=":
	default:
		return Condition{}, fmt.Errorf("%s has words, which are equal or not: say %[1]s = ", t.Name)
	}
	if len(words) == 0 {
		return Condition{}, fmt.Errorf("%s has no other word", t.Name)
	}
	return is(t.Name, words...), nil
}

func numberTerm(t Trait, how, values string) (Condition, error) {
	one := term{trait: t.Name}
	texts := strings.Split(values, "|")
	for _, text := range texts {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return Condition{}, fmt.Errorf("%s is a whole number, which %q is not", t.Name, text)
		}
		one.spans = append(one.spans, compared(how, float64(n), float64(t.Low), float64(t.High))...)
	}
	if len(texts) > 1 && how != "=" {
		return Condition{}, fmt.Errorf("several numbers go with = only")
	}
	if len(one.spans) == 0 {
		return Condition{}, fmt.Errorf("%s %s %s never holds: it lies in %d..%d", t.Name, how, values, t.Low, t.High)
	}
	return Condition{any: [][]term{{one}}}, nil
}

func (l *loader) traitNames() []string {
	var names []string
	for _, t := range l.p.Traits {
		names = append(names, t.Name)
	}
	return names
}
