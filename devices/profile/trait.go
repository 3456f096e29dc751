package profile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"solarhub/protocol/codec"
)

// Traits are what was settled of a device, by the names of the traits of its family: a word, or a whole number in
// decimal. A trait that is there or not has the words yes and no.
type Traits map[string]string

// Trait is one thing in which the devices of a family differ, such as the voltage of the battery.
type Trait struct {
	Name      string
	Words     []string // in the order of the file; nil where the trait is a whole number
	Low, High int64    // of a number
	Otherwise string   // taken where the device tells no word of it; empty: such a device is another device
	Typical   string   // what most devices have: the first of Profile.Cases
	From      From
	Field     Field     // of FromRegister, and of FromAnswer
	Choices   []Choice  // of FromOwner
	Ask       string    // the question to the owner
	When      Condition // it is read only where this holds of the traits before it; elsewhere it is as Otherwise says
	Source    string    // short names of Profile.Sources

	values   []wordSpan   // of FromRegister, if the trait has words
	prefixes []wordPrefix // of FromSerial, FromModel and FromVersion
}

// From says what a trait follows from.
type From uint8

// What a trait can follow from.
const (
	FromRegister From = iota // the number in Field
	FromAnswer               // whether a read of Field is answered
	FromSerial               // the serial number
	FromModel                // the text of the model
	FromVersion              // the text of the version
	FromOwner                // the configuration
	FromChain                // the models of SunSpec that the device has
)

// Choice is a word among which an owner chooses.
type Choice struct{ Word, Label string }

// wordSpan gives a word to the numbers of a span.
type wordSpan struct {
	Span
	word string
}

// wordPrefix gives a word to texts that begin with a prefix, or that have it anywhere if it is a tag.
type wordPrefix struct {
	prefix string
	tag    bool
	word   string
}

// Span are the numbers from Low to High, both included.
type Span struct{ Low, High float64 }

// String returns the span as a file has it: 5, or 6..8.
func (s Span) String() string {
	if s.Low == s.High {
		return number(s.Low)
	}
	return number(s.Low) + ".." + number(s.High)
}

// inSpans reports whether one of the spans has the number.
func inSpans(spans []Span, v float64) bool {
	return slices.ContainsFunc(spans, func(s Span) bool { return s.Low <= v && v <= s.High })
}

// IsNumber reports whether the trait is a whole number instead of a word.
func (t Trait) IsNumber() bool { return t.Words == nil && t.From != FromChain }

// Word returns what a value says of the trait: the number of its register, the text of the serial number, model or
// version, or on and off for whether the device answers. It is not ok if the value says nothing of it; Otherwise counts
// then.
func (t Trait) Word(v codec.Value) (word string, ok bool) {
	switch t.From {
	case FromAnswer:
		return yesOrNo(v.On), v.Kind == codec.KindBool
	case FromSerial, FromModel, FromVersion:
		return t.wordOfText(v.Str)
	case FromOwner, FromChain:
		return v.Str, t.Check(v.Str) == nil
	}
	if v.Kind != codec.KindNumber {
		return "", false
	}
	if t.IsNumber() {
		n := strconv.FormatFloat(v.Num, 'f', 0, 64)
		return n, float64(t.Low) <= v.Num && v.Num <= float64(t.High)
	}
	for _, s := range t.values {
		if s.Low <= v.Num && v.Num <= s.High {
			return s.word, true
		}
	}
	return "", false
}

func yesOrNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// wordOfText returns the word of the longest prefix or tag that the text has.
func (t Trait) wordOfText(text string) (word string, ok bool) {
	longest := -1
	for _, p := range t.prefixes {
		fits := strings.HasPrefix(text, p.prefix) || p.tag && strings.Contains(text, p.prefix)
		if fits && len(p.prefix) > longest {
			word, longest, ok = p.word, len(p.prefix), true
		}
	}
	return word, ok
}

// Sample returns a value that says the word, for a simulated device.
func (t Trait) Sample(word string) (codec.Value, bool) {
	switch t.From {
	case FromAnswer:
		return codec.BoolOf(word == "yes"), true
	case FromOwner, FromChain:
		return codec.TextOf(word), true
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil && t.IsNumber() {
		return codec.Number(float64(n)), true
	}
	for _, p := range t.prefixes {
		if p.word == word {
			return codec.TextOf(p.prefix), true
		}
	}
	for _, s := range t.values {
		if s.word == word {
			return codec.Number(s.Low), true
		}
	}
	return codec.Value{}, false
}

// Check returns why the trait cannot be fixed to a word.
func (t Trait) Check(word string) error {
	switch n, err := strconv.ParseInt(word, 10, 64); {
	case t.From == FromChain:
		_, err := ParseChain(word)
		return err
	case !t.IsNumber() && !slices.Contains(t.Words, word):
		return fmt.Errorf("%s %q is not one of %s", t.Name, word, strings.Join(t.Words, ", "))
	case t.IsNumber() && (err != nil || n < t.Low || n > t.High):
		return fmt.Errorf("%s %q is not a whole number from %d to %d", t.Name, word, t.Low, t.High)
	}
	return nil
}

// Spans returns the numbers in the register of the trait that say something of it.
func (t Trait) Spans() (all []Span) {
	for _, s := range t.values {
		all = append(all, s.Span)
	}
	if t.IsNumber() {
		all = append(all, Span{float64(t.Low), float64(t.High)})
	}
	return all
}

// Accepted lists what a device may say of the trait, for a sentence.
func (t Trait) Accepted() string {
	var texts []string
	for _, s := range t.Spans() {
		texts = append(texts, s.String())
	}
	for _, p := range t.prefixes {
		texts = append(texts, p.prefix)
	}
	return strings.Join(texts, ", ")
}

// Trait returns the trait with the name.
func (p *Profile) Trait(name string) (t Trait, ok bool) {
	i := slices.IndexFunc(p.Traits, func(t Trait) bool { return t.Name == name })
	if i < 0 {
		return Trait{}, false
	}
	return p.Traits[i], true
}

// Domain lists what the trait can be, for people: "lv | hv", "1..3".
func (t Trait) Domain() string {
	if t.IsNumber() {
		return Span{float64(t.Low), float64(t.High)}.String()
	}
	return strings.Join(t.Words, " | ")
}

// complete returns the traits with what is missing among them. An unknown trait or word is an error.
func (p *Profile) complete(given Traits) (Traits, error) {
	full := Traits{}
	for _, t := range p.Traits {
		word, ok := given[t.Name]
		if !ok {
			word = t.Otherwise
		}
		if err := t.Check(word); err != nil {
			return nil, fmt.Errorf("profile %s: %w", p.ID, err)
		}
		full[t.Name] = word
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := full[name]; !ok {
			return nil, fmt.Errorf("profile %s: it has no trait %q", p.ID, name)
		}
	}
	return full, nil
}

// IdentityField is a field that identification reads.
type IdentityField struct {
	Key string // SerialKey, model, version, Expect.Key or Trait.Key
	Field
}

// IdentityFields returns what identification reads of a device of the family with the traits that are known before,
// but for the traits that are read later because they have a condition.
func (p *Profile) IdentityFields(known Traits) []IdentityField {
	id := p.Identify
	fields := []IdentityField{{"model", id.Model}, {"version", id.Version}}
	for i, s := range id.Serials {
		fields = append(fields, IdentityField{SerialKey(i), s})
	}
	for _, e := range id.Expect {
		fields = append(fields, IdentityField{e.Key(), e.Field})
	}
	for _, t := range p.Traits {
		if t.When.Always() {
			fields = append(fields, IdentityField{t.Key(), t.Field})
		}
	}
	return placed(fields, known)
}

// NextTraits returns the traits that can be read once those in known are settled: their condition does not depend on
// any other. Where it does not hold they are as Otherwise says.
func (p *Profile) NextTraits(known Traits) (next []Trait) {
	for _, t := range p.Traits {
		if _, settled := known[t.Name]; !settled && !t.When.dependsOn(func(name string) bool {
			_, is := known[name]
			return !is && !strings.HasPrefix(name, "model ")
		}) {
			next = append(next, t)
		}
	}
	return next
}

// Applies reports whether the condition of a trait holds of the traits that are settled.
func (p *Profile) Applies(t Trait, known Traits) bool {
	own := maps.Clone(known)
	chain, _ := ParseChain(known[ChainTrait])
	t.When.dependsOn(func(name string) bool {
		if id, is := strings.CutPrefix(name, "model "); is {
			n, _ := strconv.Atoi(id)
			own.withModels(chain, []int{n})
		}
		return false
	})
	return t.When.Holds(own)
}

// dependsOn reports whether one of the traits that the condition compares is such.
func (c Condition) dependsOn(such func(trait string) bool) bool {
	return slices.ContainsFunc(c.any, func(all []term) bool {
		return slices.ContainsFunc(all, func(t term) bool { return such(t.trait) })
	})
}

// placed returns the fields where they lie in a device with the traits, without those that it has not.
func placed(fields []IdentityField, known Traits) []IdentityField {
	for i, f := range fields {
		fields[i].Field = f.In(known)
	}
	return slices.DeleteFunc(fields, func(f IdentityField) bool { return !f.Present() })
}

// SerialKey returns the key under which IdentityFields lists the i-th candidate for the serial number.
func SerialKey(i int) string { return fmt.Sprintf("serial %d", i) }

// Serial returns the first candidate for the serial number; not present if the family has none.
func (id Identify) Serial() Field {
	if len(id.Serials) == 0 {
		return Field{}
	}
	return id.Serials[0]
}

// Key returns the key under which IdentityFields lists the trait's register.
func (t Trait) Key() string { return "trait " + t.Name }

// Expect is what must hold of a device of the family.
type Expect struct {
	Name   string   // what is looked at, as people say: "kind"
	Serial []string // beginnings of the serial number, one of which it has; or
	Model  []string // those of the model; or
	Field  Field
	Values []Span // of the number in Field
}

// Key returns the key under which IdentityFields lists it.
func (e Expect) Key() string { return "expect " + e.Name }

// Holds reports whether a value of the field, of the serial number or of the model is what is expected.
func (e Expect) Holds(v codec.Value) bool {
	for _, prefix := range slices.Concat(e.Serial, e.Model) {
		if v.Known() && strings.HasPrefix(v.Str, prefix) {
			return true
		}
	}
	return v.Kind == codec.KindNumber && inSpans(e.Values, v.Num)
}

// Accepted lists what is expected, for a sentence.
func (e Expect) Accepted() string {
	texts := slices.Concat(e.Serial, e.Model)
	for _, s := range e.Values {
		texts = append(texts, s.String())
	}
	return strings.Join(texts, ", ")
}
