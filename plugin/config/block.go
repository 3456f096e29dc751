package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

type unitID = protocol.UnitID

// NewDevice is what a configuration says of a device that was found.
type NewDevice struct {
	Profile *profile.Profile
	Unit    protocol.UnitID
	Name    string          // empty: the family's
	ID      string          // of a device that gives no serial number, else empty
	Gap     time.Duration   // that it was found to need; written if its family does not bring it
	Traits  profile.Traits  // that the owner must settle
	Asks    []profile.Trait // what only the owner can tell
}

// Block returns the lines of a configuration with these devices, to be pasted: "lines:" and what stands below.
func Block(additions []Addition) (string, error) {
	text, _, err := Add("", nil, additions)
	if err != nil {
		return "", err
	}
	_, block, _ := strings.Cut(string(text), "\nlines:\n")
	return "lines:\n" + block, nil
}

// lineText returns a line with its one device as an item of lines.
func (a Addition) lineText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s: %s\n", a.Line.Transport, quoted(a.Line.Address))
	if s := a.Line.Serial; a.Line.Transport.OnPort() {
		fmt.Fprintf(&b, "  baud: %d\n", s.Baud)
		if delivered := a.Device.Profile.Line.Serial; s.Parity != delivered.Parity {
			fmt.Fprintf(&b, "  parity: %s\n", ParityName(s.Parity))
		}
	}
	b.WriteString(quirksText(a.Line.Quirks, a.Device.Profile.Line.Quirks))
	b.WriteString("  devices:\n" + indent(a.deviceText(), "    ", "\n"))
	return b.String()
}

// quirksText returns the settings of a connection that its device alone does not need.
func quirksText(found, needed protocol.Quirks) (text string) {
	for _, k := range profile.Settings {
		value := k.Text(profile.LineSettings{Quirks: found})
		if k.Shared && value != k.Default() && value != k.Text(profile.LineSettings{Quirks: needed}) {
			text += fmt.Sprintf("  %s: %s\n", k.Key, value)
		}
	}
	return text
}

// deviceText returns the device as an item of devices.
func (a Addition) deviceText() string {
	var b strings.Builder
	d := a.Device
	if a.Comment != "" {
		fmt.Fprintf(&b, "# %s\n", a.Comment)
	}
	for _, t := range d.Asks {
		fmt.Fprintf(&b, "# %s Say it as here: traits: {%s: %s}\n", t.Ask, t.Name, t.Typical)
		fmt.Fprintf(&b, "#   It is one of %s\n", t.Domain())
	}
	fmt.Fprintf(&b, "- profile: %s\n  unit: %d\n", d.Profile.ID, d.Unit)
	if d.Name != "" {
		fmt.Fprintf(&b, "  name: %s\n", quoted(d.Name))
	}
	if d.ID != "" {
		fmt.Fprintf(&b, "  id: %s   # it gives no serial number; its entities belong to this id\n", d.ID)
	}
	if d.Gap > d.Profile.Line.Pace.Gap {
		fmt.Fprintf(&b, "  gap: %s\n", strict.Span(d.Gap))
	}
	if len(d.Traits) > 0 {
		var words []string
		for _, name := range slices.Sorted(maps.Keys(d.Traits)) {
			words = append(words, name+": "+quoted(d.Traits[name]))
		}
		fmt.Fprintf(&b, "  traits: {%s}\n", strings.Join(words, ", "))
	}
	return b.String()
}

// quoted returns a text as YAML has it.
func quoted(text string) string {
	root, report := strict.Parse("", []byte("x: "+text+"\n"))
	if report.Err() == nil && value(root, "x").Raw() == text && !strings.ContainsAny(text, "#{}[]&*!|>'\"%@`,") &&
		!slices.Contains([]string{"yes", "no", "true", "false", "null", "~", ""}, strings.ToLower(text)) {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// freeID returns an id that no device of the file has: the one that is wanted, or with a number behind it.
func (f adding) freeID(wanted string) string {
	return free(wanted, f.said("id"), "-")
}

// freeName returns a name for the device that no other of the file has: none if it may be called as its family is.
func (f adding) freeName(d NewDevice) string {
	if d.Name != "" {
		return free(d.Name, f.said("name"), " ")
	}
	taken := f.said("name")
	for _, line := range items(f.lines) {
		for _, other := range items(value(line, "devices")) {
			if p, err := profile.Open(value(other, "profile").Raw()); err == nil && value(other, "name") == nil {
				taken = append(taken, p.Name)
			}
		}
	}
	if name := free(d.Profile.Name, taken, " "); name != d.Profile.Name {
		return name
	}
	return ""
}

// said returns what the devices of the file say under a key.
func (f adding) said(key string) (all []string) {
	for _, line := range items(f.lines) {
		for _, d := range items(value(line, "devices")) {
			if n := value(d, key); n != nil {
				all = append(all, n.Raw())
			}
		}
	}
	return all
}

func free(wanted string, taken []string, between string) string {
	name := wanted
	for n := 2; wanted != "" && slices.Contains(taken, name); n++ {
		name = fmt.Sprintf("%s%s%d", wanted, between, n)
	}
	return name
}
