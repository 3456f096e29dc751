package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Differences is what another configuration has that the one in force has not. The zero value is none.
type Differences struct {
	Host  []string         // keys of host: with another value
	Lines []LineDifference // in the order of the new configuration, those that are gone behind it
}

// LineDifference is what differs on one line.
type LineDifference struct {
	Line string   // its name, as Line.String gives it
	What []string // "poll of Roof", "Cellar is new"; at least one
}

// None reports whether both are the same.
func (d Differences) None() bool { return len(d.Host) == 0 && len(d.Lines) == 0 }

// Touches reports whether a line with that name is another, new, or gone.
func (d Differences) Touches(line string) bool {
	return slices.ContainsFunc(d.Lines, func(one LineDifference) bool { return one.Line == line })
}

// Sentences says each difference for people: "line tcp 192.168.1.50:502: poll of Roof; Cellar is new".
func (d Differences) Sentences() (all []string) {
	if len(d.Host) > 0 {
		all = append(all, fmt.Sprintf("Home Assistant: %s; the connection is made anew", strings.Join(d.Host, ", ")))
	}
	for _, l := range d.Lines {
		all = append(all, fmt.Sprintf("line %s: %s", l.Line, strings.Join(l.What, "; ")))
	}
	return all
}

// Compare returns what differs between the configuration in force and another. The error names what a running program
// cannot take over: what the cache and the host know it by.
func Compare(now, then Config) (Differences, error) {
	var d Differences
	if wrong := errors.Join(fixed("name", now.Name, then.Name), fixed("data", now.Data, then.Data)); wrong != nil {
		return d, wrong
	}
	for _, one := range []struct {
		key  string
		same bool
	}{
		{"url", now.Host.URL == then.Host.URL},
		{"token", now.Host.Token.Reveal() == then.Host.Token.Reveal()},
		{"insecure", now.Host.Insecure == then.Host.Insecure},
	} {
		if !one.same {
			d.Host = append(d.Host, one.key)
		}
	}
	for _, l := range then.Lines {
		what := []string{"new, with " + namesOf(l)}
		if before, known := now.line(l.String()); known {
			what = before.differences(l)
		}
		if len(what) > 0 {
			d.Lines = append(d.Lines, LineDifference{l.String(), what})
		}
	}
	for _, l := range now.Lines {
		if _, stays := then.line(l.String()); !stays {
			d.Lines = append(d.Lines, LineDifference{l.String(), []string{"gone, with " + namesOf(l)}})
		}
	}
	return d, nil
}

func fixed(key, now, then string) error {
	if now == then {
		return nil
	}
	return fmt.Errorf("%s is %q and would be %q: that takes a restart of SolarHub", key, now, then)
}

func (c Config) line(name string) (Line, bool) {
	for _, l := range c.Lines {
		if l.String() == name {
			return l, true
		}
	}
	return Line{}, false
}

func namesOf(l Line) string {
	var names []string
	for _, d := range l.Devices {
		names = append(names, d.Name)
	}
	return strings.Join(names, " and ")
}

// differences returns what another line has in the place of this one. A setting that all devices of a line share is
// told once.
func (l Line) differences(then Line) (what []string) {
	before, after := l, then
	before.Devices, after.Devices, before.Dial, after.Dial = nil, nil, nil, nil
	if !reflect.DeepEqual(before, after) {
		what = append(what, l.settings(then)...)
	}
	for _, d := range then.Devices {
		old, known := l.unit(d)
		if !known {
			what = append(what, d.Name+" is new")
		} else if words := deviceDifferences(old, d); len(words) > 0 {
			what = append(what, fmt.Sprintf("%s of %s", strings.Join(words, ", "), d.Name))
		}
	}
	for _, d := range l.Devices {
		if _, stays := then.unit(d); !stays {
			what = append(what, d.Name+" is gone")
		}
	}
	return what
}

// unit returns the device at the unit id of another.
func (l Line) unit(of devices.Config) (devices.Config, bool) {
	i := slices.IndexFunc(l.Devices, func(d devices.Config) bool { return d.Unit == of.Unit })
	if i < 0 {
		return devices.Config{}, false
	}
	return l.Devices[i], true
}

// settings names what differs beside the devices; there is such a thing.
func (l Line) settings(then Line) (keys []string) {
	if l.Serial != then.Serial {
		keys = append(keys, fmt.Sprintf("%v instead of %v", then.Serial, l.Serial))
	}
	for _, s := range profile.Settings {
		if s.Shared && s.Text(profile.LineSettings{Quirks: l.Quirks}) !=
			s.Text(profile.LineSettings{Quirks: then.Quirks}) {
			keys = append(keys, s.Key)
		}
	}
	if l.WriteWait != then.WriteWait {
		keys = append(keys, "write_wait")
	}
	if len(keys) == 0 { // what this transport alone has
		keys = []string{strings.Join(ways[l.Transport].keys, " or ")}
	}
	return keys
}

// deviceDifferences returns the keys of a device with another value.
func deviceDifferences(now, then devices.Config) (keys []string) {
	if now.Profile.ID != then.Profile.ID {
		return []string{"profile"}
	}
	for _, s := range profile.Settings {
		if !s.Shared && s.Text(now.Line) != s.Text(then.Line) {
			keys = append(keys, s.Key)
		}
	}
	own, family := now.Profile.SameOverrides(then.Profile), now.Profile.Same(then.Profile)
	written := now.Line.With != then.Line.With // which makes another family of it
	for _, one := range []struct {
		key  string
		same bool
	}{
		{"name", now.Name == then.Name},
		{"id", now.ID == then.ID},
		{"poll", maps.Equal(now.Intervals, then.Intervals)},
		{"grace", now.Grace == then.Grace},
		{"read_only", now.ReadOnly == then.ReadOnly},
		{"arm", slices.Equal(now.Arm, then.Arm)},
		{"traits", maps.Equal(now.Traits, then.Traits)},
		{"points or order", slices.Equal(now.Shown, then.Shown) && own},
		{"profile", family || !own || written},
	} {
		if !one.same {
			keys = append(keys, one.key)
		}
	}
	if len(keys) == 0 && !reflect.DeepEqual(bare(now), bare(then)) {
		keys = []string{"settings"}
	}
	return keys
}

// bare returns a device without its family, and without what the line has for all its devices.
func bare(d devices.Config) devices.Config {
	d.Profile, d.Line.Serial, d.Line.Quirks = nil, protocol.Serial{}, protocol.Quirks{}
	return d
}
