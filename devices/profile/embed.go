package profile

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode"

	"solarhub/devices/profile/strict"
)

//go:embed maps/*.yaml
var shipped embed.FS

// Embedded returns the profiles that come with the program, sorted by id. The error is strict.Findings of the first
// profile that does not load; a test makes sure that all do.
func Embedded() ([]*Profile, error) {
	var profiles []*Profile
	for _, id := range Names() {
		p, err := Get(id)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}

// Names returns the ids of the profiles that come with the program, sorted.
func Names() []string {
	entries, err := shipped.ReadDir("maps")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// loaded are the shipped profiles that somebody has asked for, by id: each is loaded once, and the others never.
var loaded sync.Map

// Get returns the profile with the id or the alias that comes with the program. All callers share it.
func Get(name string) (*Profile, error) {
	ids := []string{name}
	if !slices.Contains(Names(), name) {
		ids = aliases()[name]
	}
	switch len(ids) {
	case 0:
		return nil, fmt.Errorf("profile %q is neither a family that `solarhub devices` lists, nor a file that ends in "+
			".yaml%s", name, meant(name))
	case 1:
		load, _ := loaded.LoadOrStore(ids[0], sync.OnceValues(func() (*Profile, error) { return get(ids[0]) }))
		return load.(func() (*Profile, error))()
	}
	return nil, fmt.Errorf("profile %q stands for several families: say %s", name, strings.Join(ids, " or "))
}

// meant guesses which family somebody has in mind who names none: one that is spelt alike but for dots and the like,
// else those of a maker, name or model that begins so, else one whose name is misspelt.
func meant(name string) string {
	known := slices.Sorted(maps.Keys(aliases()))
	known = slices.Concat(Names(), known)
	bare := bareLetters(name)
	if i := slices.IndexFunc(known, func(k string) bool { return bareLetters(k) == bare }); i >= 0 {
		return "; did you mean " + known[i] + "?"
	}
	if profiles, err := Embedded(); err == nil && len(bare) >= 3 {
		var found []string
		for _, p := range profiles {
			words := append([]string{p.Manufacturer, p.Name}, p.Models...)
			if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(bareLetters(w), bare) }) {
				found = append(found, p.ID)
			}
		}
		switch more := len(found) - 8; {
		case more > 1:
			return fmt.Sprintf("; by maker or model it may be %s or one of %d more", strings.Join(found[:8], ", "),
				more)
		case len(found) > 0:
			return "; by maker or model it may be " + strings.Join(found, " or ")
		}
	}
	return strict.Meant(name, known)
}

// bareLetters leaves out what people write in one way or another: Q.CELLS, q-cells and qcells.
func bareLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func get(id string) (*Profile, error) {
	if p, err := readCompiled(id); err == nil {
		return p, nil
	}
	return loadShipped(id)
}

func loadShipped(id string) (*Profile, error) {
	file := path.Join("maps", id+".yaml")
	data, err := shipped.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Load(file, data)
}

// headWord returns what stands behind a key at the top of a shipped profile. It is found without loading the profile; a
// test makes sure that the loader finds the same.
func headWord(data []byte, key string) string {
	_, rest, _ := bytes.Cut(data, []byte("\n"+key+": "))
	word, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(word)
}

// aliases returns the ids that each alias stands for.
var aliases = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for _, id := range Names() {
		data, err := shipped.ReadFile(path.Join("maps", id+".yaml"))
		if err != nil {
			panic(err) // the file is part of the binary
		}
		words := strings.Trim(headWord(data, "aliases"), "[]")
		for _, alias := range strings.FieldsFunc(words, func(r rune) bool { return r == ',' || r == ' ' }) {
			all[alias] = append(all[alias], id)
		}
	}
	return all
})

// Open returns the profile that a configuration names: the file of that path if the name ends in .yaml or .yml,
// otherwise the profile with that id or alias that comes with the program.
func Open(name string) (*Profile, error) {
	if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" {
		return Get(name)
	}
	data, err := strict.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return Load(name, data)
}
