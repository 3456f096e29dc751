package profile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol/codec"
)

// maxWords is how many words a trait can have, and maxTraits how many traits a family can have.
const (
	maxWords  = 64
	maxTraits = 40
)

// readTraits reads in what the devices of the family differ.
func (l *loader) readTraits(f fields) {
	if l.p.SunSpec != nil {
		l.p.Traits = append(l.p.Traits, Trait{Name: ChainTrait, From: FromChain})
	}
	for _, e := range f.entries("traits") {
		name := e.Key.Raw()
		if !wordForm.MatchString(name) || slices.Contains([]string{"model", "not", "and", ChainTrait}, name) {
			e.Key.Fail("trait %q is not %s, or is a word of the format", name, wordForm)
			continue
		}
		if len(l.p.Traits) >= maxTraits {
			e.Key.Fail("at most %d traits are read", maxTraits)
			return
		}
		t := Trait{Name: name}
		l.trait(l.fields(e.Value, "trait"), &t)
		l.p.Traits = append(l.p.Traits, t)
		l.learnWords(e.Key, t)
	}
}

// learnWords makes the words of a trait known, so that a point can give a value for each.
func (l *loader) learnWords(at *strict.Node, t Trait) {
	if len(t.Words) > maxWords {
		at.Fail("trait %s has %d words; at most %d are read", t.Name, len(t.Words), maxWords)
	}
	for _, w := range t.Words {
		if w == "yes" || w == "no" {
			continue
		}
		if other, taken := l.words[w]; taken {
			at.Fail("word %q belongs to the trait %s already", w, other)
		} else if !wordForm.MatchString(w) || reserved(w) {
			at.Fail("word %q is not %s, or is a word of the format", w, wordForm)
			continue
		}
		l.words[w] = t.Name
	}
}

func (l *loader) trait(f fields, t *Trait) {
	t.When = l.when(f)
	t.Ask = f.text("ask")
	if f.exists() {
		t.Source = l.source(f, cmp.Or(l.p.Identify.Source, l.defaults.source))
	}
	switch {
	case f.has("serial"):
		t.From = FromSerial
		l.prefixes(f, "serial", t)
	case f.has("model"):
		t.From = FromModel
		l.prefixes(f, "model", t)
	case f.has("version"):
		t.From = FromVersion
		l.prefixes(f, "version", t)
	case f.has("choice"):
		t.From = FromOwner
		l.choices(f, t)
	case f.has("answers"):
		t.From, t.Words = FromAnswer, []string{"yes", "no"}
		t.Field = l.field(fields{f.reader, strict.Renamed(f.Fields, "answers", "at")})
	case f.has("at"):
		l.register(f, t)
	case f.exists():
		f.fail("", "a trait needs one of at, answers, serial, model, version, choice")
	}
	l.otherwise(f, t)
}

// register reads a trait that a register tells: words by number, or a number in a range.
func (l *loader) register(f fields, t *Trait) {
	t.Field = l.field(f)
	if f.has("number") {
		if span, ok := spanOf(f.get("number")); ok {
			t.Low, t.High = int64(span.Low), int64(span.High)
		}
		f.refuse("a trait has words or is a number", "values")
		return
	}
	f.need("values")
	for _, e := range f.entries("values") {
		t.word(e.Key.Raw())
		for _, n := range items(e.Value) {
			span, ok := spanOf(n)
			if !ok {
				continue
			}
			taken := func(o wordSpan) bool { return o.Low <= span.High && span.Low <= o.High }
			if i := slices.IndexFunc(t.values, taken); i >= 0 {
				n.Fail("%s stands here for %s and for %s", n.Raw(), t.values[i].word, e.Key.Raw())
			}
			t.values = append(t.values, wordSpan{span, e.Key.Raw()})
		}
	}
	slices.SortStableFunc(t.values, func(a, b wordSpan) int { return cmp.Compare(a.Low, b.Low) })
	if t.Words == nil {
		f.fail("values", "values: at least one word is needed")
		t.Words = []string{"none"}
	}
	if t.Field.Spec.Type == codec.Text || t.Field.Spec.Form != codec.Plain {
		f.fail("at", "a trait is read from a plain number")
	}
}

// word adds a word, if the trait does not have it yet.
func (t *Trait) word(w string) {
	if !slices.Contains(t.Words, w) {
		t.Words = append(t.Words, w)
	}
}

// prefixes reads words by the beginning of a text, or by a tag that stands anywhere in it: {H34: g4, tag MAX: max}.
func (l *loader) prefixes(f fields, key string, t *Trait) {
	for _, e := range f.entries(key) {
		prefix := wordPrefix{prefix: e.Key.Raw(), word: textOf(e.Value)}
		if tag, ok := cutTag(prefix.prefix); ok {
			prefix.prefix, prefix.tag = tag, true
		}
		if prefix.word != "" {
			t.word(prefix.word)
			t.prefixes = append(t.prefixes, prefix)
		}
	}
	if t.Words == nil {
		f.fail(key, "%s: at least one prefix is needed", key)
		t.Words = []string{"none"}
	}
}

func (l *loader) choices(f fields, t *Trait) {
	for _, e := range f.entries("choice") {
		t.word(e.Key.Raw())
		t.Choices = append(t.Choices, Choice{e.Key.Raw(), textOf(e.Value)})
	}
	f.need("ask")
	if !t.When.Always() {
		f.need("otherwise")
	}
	if t.Words == nil {
		f.fail("choice", "choice: at least one word is needed")
		t.Words = []string{"none"}
	}
}

// otherwise reads what counts for a device that tells nothing, and what is typical. A word that no register tells can
// be one of the trait all the same.
func (l *loader) otherwise(f fields, t *Trait) {
	for _, key := range []string{"otherwise", "typical"} {
		if !f.has(key) {
			continue
		}
		word := textOf(f.get(key))
		if key == "otherwise" && !t.IsNumber() && t.From != FromOwner && t.From != FromAnswer {
			t.word(word)
		}
		if err := t.Check(word); err != nil {
			f.fail(key, "%s: %v", key, err)
			continue
		}
		if key == "otherwise" {
			t.Otherwise = word
		} else {
			t.Typical = word
		}
	}
	if t.From == FromAnswer && t.Otherwise == "" {
		t.Otherwise = "no"
	}
	if t.Typical == "" {
		t.Typical = t.guessTypical()
	}
}

// guessTypical returns what most devices may have, where a profile does not say it.
func (t Trait) guessTypical() string {
	switch {
	case !t.IsNumber():
		return t.Words[0]
	case t.Otherwise != "" && t.Otherwise != "0":
		return t.Otherwise
	}
	return strconv.FormatInt(min(t.High, max(t.Low, 1)), 10)
}

// cutTag reads "tag MAX".
func cutTag(text string) (tag string, ok bool) {
	if tag, ok = strings.CutPrefix(text, "tag "); ok {
		return strings.TrimSpace(tag), true
	}
	return text, false
}
