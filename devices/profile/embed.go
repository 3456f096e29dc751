package profile

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"solarhub/devices/profile/strict"
	"strings"
	"sync"
)

//go:embed maps/*.yaml
var shipped embed.FS

// Embedded returns the profiles that come with the program, sorted by id. The first call loads them, and all callers
// share them. The error is strict.Findings of the first profile that does not load; a test makes sure that all do.
func Embedded() ([]*Profile, error) { return loadShipped() }

var loadShipped = sync.OnceValues(func() ([]*Profile, error) {
	var profiles []*Profile
	for _, id := range Names() {
		file := path.Join("maps", id+".yaml")
		data, err := shipped.ReadFile(file)
		if err != nil {
			return nil, err
		}
		p, err := Load(file, data)
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
})

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

// Get returns the profile with the id that comes with the program.
func Get(id string) (*Profile, error) {
	profiles, err := Embedded()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(profiles, func(p *Profile) bool { return p.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("profile %q is not one of %s, nor a file that ends in .yaml", id, joinWords(Names()))
	}
	return profiles[i], nil
}

// Open returns the profile that a configuration names: the file of that path if the name ends in .yaml or .yml,
// otherwise the profile with that id that comes with the program.
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
