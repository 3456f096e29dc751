package profile

import (
	"fmt"
	"path"
	"slices"

	"solarhub/devices/profile/strict"
)

// maxBases is how many profiles can stand on each other.
const maxBases = 4

// read reads the file of a profile and those of its bases, the last of them first.
func (l *loader) read(name string, data []byte, open opener) {
	root, report := strict.Parse(name, data)
	l.reports = append(l.reports, report)
	l.files = slices.Insert(l.files, 0, &file{name: name, root: root})
	if root == nil || !root.IsMap() {
		root.Entries() // reports it
		return
	}
	for _, e := range root.Entries() {
		if e.Key.Raw() != "base" {
			continue
		}
		id := textOf(e.Value)
		base, data, err := open(id)
		switch {
		case err != nil:
			e.Value.Fail("base: %v", err)
		case slices.ContainsFunc(l.files, func(f *file) bool { return path.Base(f.name) == path.Base(base) }):
			e.Value.Fail("base: %s stands on itself, through %s", id, name)
		case len(l.files) >= maxBases:
			e.Value.Fail("base: more than %d profiles stand on each other", maxBases)
		default:
			l.read(base, data, open)
		}
	}
}

// openShipped returns the file of a profile that comes with the program.
func openShipped(id string) (string, []byte, error) {
	if !slices.Contains(Names(), id) {
		return "", nil, fmt.Errorf("profile %q is not one of %s%s", id, joinWords(Names()), strict.Meant(id, Names()))
	}
	name := path.Join("maps", id+".yaml")
	data, err := shipped.ReadFile(name)
	return name, data, err
}

// merged are the keys of a head whose mappings a file shares with its base, entry by entry.
var merged = []string{"sources", "line", "identify", "traits", "tables", "parts", "around", "write_groups"}

// head returns the head of the profile: the keys of the file over those of its bases. It returns nil if there is none.
func (l *loader) head() *strict.Node {
	var head *strict.Node
	for _, f := range l.files {
		if !f.root.IsMap() {
			return nil
		}
		head = mergedHead(head, f.root)
	}
	return head
}

func mergedHead(base, own *strict.Node) *strict.Node {
	if base == nil {
		return own
	}
	all := strict.Merged(base, own)
	for _, key := range merged {
		all = all.With(key, strict.Merged(base.At(key), own.At(key)))
	}
	return all
}
