package demo

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
)

// Binding says which points of a device family show which quantities of a house, and which ones set it. Each family has
// a file of its own in bindings.
type Binding struct {
	Shows []Shown
	Takes []Taken
	First map[string]string // what points hold at first, as a person writes it
}

// Shown is a point that shows a quantity.
type Shown struct {
	Key      string
	Quantity string  // one of Quantities
	Times    float64 // share of the quantity, negative where the family counts the other way. Defaults to 1
}

// Taken is a point that sets the house.
type Taken struct {
	Key     string
	Setting string          // one of settings
	Modes   map[string]Mode // for the mode: by option of the point
}

//go:embed bindings/*.yaml
var shipped embed.FS

// BindingOf returns the binding of a family that comes with the program.
func BindingOf(profile string) (Binding, error) {
	file := "bindings/" + profile + ".yaml"
	data, err := shipped.ReadFile(file)
	if err != nil {
		return Binding{}, fmt.Errorf("there is no house for %q", profile)
	}
	return parse(file, data)
}

// parse reads a binding; the error is strict.Findings with all that is wrong.
func parse(file string, data []byte) (Binding, error) {
	root, report := strict.Parse(file, data)
	b := Binding{First: map[string]string{}}
	if root != nil {
		f := root.Fields("shows", "takes", "first")
		for _, n := range items(f.Need("shows")) {
			b.Shows = append(b.Shows, parseShown(n))
		}
		for _, n := range items(f.Get("takes")) {
			b.Takes = append(b.Takes, parseTaken(n))
		}
		if n := f.Get("first"); n != nil {
			for _, e := range n.Entries() {
				b.First[e.Key.Raw()], _ = e.Value.Text()
			}
		}
	}
	return b, report.Err()
}

func items(n *strict.Node) []*strict.Node {
	if n == nil {
		return nil
	}
	return n.Items()
}

func parseShown(n *strict.Node) Shown {
	f := n.Fields("key", "quantity", "times")
	s := Shown{Times: 1}
	s.Key, _ = f.Need("key").Text()
	if at := f.Need("quantity"); at != nil {
		s.Quantity, _ = at.Text()
		if _, known := quantities[s.Quantity]; s.Quantity != "" && !known {
			at.Fail("quantity %q is none of %s", s.Quantity, strings.Join(Quantities(), ", "))
		}
	}
	if at := f.Get("times"); at != nil {
		s.Times, _ = at.Float()
	}
	return s
}

func parseTaken(n *strict.Node) Taken {
	f := n.Fields("key", "setting", "modes")
	var t Taken
	t.Key, _ = f.Need("key").Text()
	if i, ok := f.Need("setting").OneOf(settingNames()...); ok {
		t.Setting = settingNames()[i]
	}
	if at := f.Get("modes"); at != nil && t.Setting == modeSetting {
		t.Modes = parseModes(at)
	} else if (at != nil) != (t.Setting == modeSetting) {
		f.At.Fail("modes belong to the setting %s, and it needs them", modeSetting)
	}
	return t
}

func parseModes(n *strict.Node) map[string]Mode {
	modes := map[string]Mode{}
	words := []string{string(SelfUse), string(FeedIn), string(Backup), string(Discharge)}
	for _, e := range n.Entries() {
		if i, ok := e.Value.OneOf(words...); ok {
			modes[e.Key.Raw()] = Mode(words[i])
		}
	}
	return modes
}

// modeSetting is the setting that is a mode; the others are in setters.
const modeSetting = "mode"

func settingNames() []string {
	names := []string{modeSetting}
	for name := range setters {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
