package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is where a profile knows facts from.
type Source struct {
	Level string   // paper: of the maker; public: a public source; original: the table of the first SolarHub
	Text  string   // what it is, and where
	All   []string // the short names for which it stands, if it stands for several; then it has no level and text
}

// The levels of sources and points.
const (
	LevelPaper    = "paper"    // the maker's own document
	LevelTwo      = "two"      // two sources agree; one can be the table of the first SolarHub, which ran on a device
	LevelOne      = "one"      // one public source
	LevelOriginal = "original" // the table of the first SolarHub alone
)

var sourceLevels = []string{LevelPaper, "public", LevelOriginal}

// Level returns how well a fact is known that rests on these sources, as Point.Source names them.
func (p *Profile) Level(source string) string {
	public, original := map[string]bool{}, false
	for _, name := range p.singleSources(source) {
		switch p.Sources[name].Level {
		case LevelPaper:
			return LevelPaper
		case "public":
			public[name] = true
		default:
			original = true
		}
	}
	switch {
	case len(public) == 0:
		return LevelOriginal
	case len(public) == 1 && !original:
		return LevelOne
	}
	return LevelTwo
}

// confirmed reports whether a fact of this level is more than one source's word.
func confirmed(level string) bool { return level == LevelPaper || level == LevelTwo }

// singleSources returns the short names in a text, with those that a short name stands for.
func (p *Profile) singleSources(source string) (all []string) {
	for _, name := range sourceNames(source) {
		if several := p.Sources[name].All; several != nil {
			all = append(all, several...)
		} else {
			all = append(all, name)
		}
	}
	return all
}

// sources reads what the short names of sources stand for. A plain text is a public source.
func (l *loader) sources(f fields) {
	l.p.Sources = map[string]Source{}
	for _, e := range f.entries("sources") {
		name := e.Key.Raw()
		if !sourceForm.MatchString(name) {
			e.Key.Fail("source %q is not %s", name, sourceForm)
		}
		var s Source
		switch {
		case e.Value.IsMap():
			one := l.fields(e.Value, "source")
			s = Source{Level: sourceLevels[one.choice("level", sourceLevels, 1)], Text: one.text("text")}
		case e.Value.IsList():
			for _, n := range e.Value.Items() {
				s.All = append(s.All, textOf(n))
			}
		default:
			s = Source{Level: "public", Text: textOf(e.Value)}
		}
		l.p.Sources[name] = s
	}
	for _, e := range f.entries("sources") {
		for _, name := range l.p.Sources[e.Key.Raw()].All {
			if s, ok := l.p.Sources[name]; !ok || s.All != nil {
				e.Value.Fail("source %q is not one of %s", name, joinWords(slices.Sorted(maps.Keys(l.p.Sources))))
			}
		}
	}
}

// source returns the text of the key source, or the fallback. Each name in it must be one of Profile.Sources; text in
// brackets is a remark.
func (l *loader) source(f fields, fallback string) string {
	if !f.has("source") {
		if fallback == "" && f.exists() {
			f.fail("", "source is missing: say where this is known from")
		}
		return fallback
	}
	text := f.text("source")
	for _, name := range sourceNames(text) {
		if _, ok := l.p.Sources[name]; !ok {
			f.fail("source", "source %q is not one of %s", name, joinWords(slices.Sorted(maps.Keys(l.p.Sources))))
		}
	}
	return text
}

// sourceNames splits "a, b (the lower one), c" into a, b and c.
func sourceNames(text string) []string {
	var plain strings.Builder
	depth := 0
	for _, r := range text {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case depth <= 0:
			plain.WriteRune(r)
		}
	}
	names := strings.Split(plain.String(), ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}

// SourceText returns what a short name stands for, for people.
func (p *Profile) SourceText(name string) string {
	s := p.Sources[name]
	if s.All != nil {
		return joinWords(s.All)
	}
	return fmt.Sprintf("%s (%s)", s.Text, s.Level)
}
