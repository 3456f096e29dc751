package facts

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"solarhub/devices/profile"
)

// Source is where a table comes from.
type Source struct {
	Short   string // the short name in the sources: of a profile
	Level   string // paper, public, original
	Held    string // what it is, and the repository that holds it
	Version string // commit or release
	Licence string
}

// Levels are the levels of a source, the best first.
var Levels = []string{"paper", "public", "original"}

// Sources reads sources.csv, by map and tag.
func Sources(folder fs.FS) (map[[2]string]Source, error) {
	lines, err := readList(folder, "sources.csv", "map,source,short,level,held,version,licence")
	if err != nil {
		return nil, err
	}
	sources := map[[2]string]Source{}
	for i, l := range lines {
		if !slices.Contains(Levels, l[3]) {
			return nil, fmt.Errorf("sources.csv:%d: level %q is not one of %s", i+2, l[3], strings.Join(Levels, ", "))
		}
		sources[[2]string{l[0], l[1]}] = Source{Short: l[2], Level: l[3], Held: l[4], Version: l[5], Licence: l[6]}
	}
	return sources, nil
}

// Family says that a register map belongs to a profile.
type Family struct {
	Profile, Map string
	Trait        string         // the map holds for devices with this trait only; empty: for all
	Words        []string       // of the trait
	Pins         profile.Traits // held fast while its tables are compared
}

// Families reads families.csv in its order.
func Families() ([]Family, error) {
	lines, err := readList(shipped, "families.csv", "profile,map,when,pins")
	if err != nil {
		return nil, err
	}
	var families []Family
	for i, l := range lines {
		f := Family{Profile: l[0], Map: l[1], Pins: profile.Traits{}}
		if l[2] != "" {
			trait, words, ok := strings.Cut(l[2], "=")
			if !ok {
				return nil, fmt.Errorf("families.csv:%d: when %q is not of the form trait=word|word", i+2, l[2])
			}
			f.Trait, f.Words = strings.TrimSpace(trait), strings.Split(strings.ReplaceAll(words, " ", ""), "|")
		}
		for _, pin := range strings.FieldsFunc(l[3], func(r rune) bool { return r == ';' }) {
			trait, word, _ := strings.Cut(pin, "=")
			f.Pins[strings.TrimSpace(trait)] = strings.TrimSpace(word)
		}
		families = append(families, f)
	}
	return families, nil
}

// Fits reports whether the map holds for a device with the traits.
func (f Family) Fits(traits profile.Traits) bool {
	return f.Trait == "" || slices.Contains(f.Words, traits[f.Trait])
}
