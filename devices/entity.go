package devices

import (
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Entity is what a host may show for a point: a description without any state. Fields that a platform has no use for
// are zero.
type Entity struct {
	ID       string // unique for ever: "<device id>_<key>", for a twin "<device id>_<key>_text"
	Key      string // of the point; twins share it
	Quantity string // of the vocabulary: "pv_{n}_voltage"; empty if the point names itself
	Platform string // sensor, binary_sensor, number, select, switch, time, text, button
	Name     string // without the part's name
	Part     string // key of the part, empty for the device itself
	Category string // "", config, diagnostic
	Enabled  bool   // at first registration
	Icon     string // mdi:..., or empty

	DeviceClass string
	Unit        string
	StateClass  string
	Precision   int      // decimals of a sensor; -1: the host's default
	Options     []string // of a select, and of a sensor with device class enum: what is read and written
	Labels      []string // of the options, for people; nil if they are the options

	Min, Max, Step float64 // of a number
	Mode           string  // of a number: box, slider or empty

	Pattern              string // of a text
	MinLength, MaxLength int    // of a text, in characters
}

// timePattern is what a time of day looks like as a text. A scene hands over unknown or unavailable if there was none
// when it was made: the pattern lets that pass, so that the writer refuses it with a sentence.
const timePattern = `^(([01]\d|2[0-3]):[0-5]\d|24:00|unknown|unavailable)$`

// Entities returns what a host may show, in the order of the profile; nil until the device was identified for the first
// time.
func (d *Device) Entities() []Entity {
	id := d.ID()
	if id == "" {
		return nil
	}
	points := d.Points()
	for i, p := range points {
		if p.Hidden && (slices.Contains(d.cfg.Shown, AllPoints) || slices.Contains(d.cfg.Shown, p.Key)) {
			points[i].Hidden = false
		}
		points[i] = d.held.Widened(points[i])
	}
	return EntitiesOf(id, points)
}

// EntitiesOf returns what a host may show for the points of the device with that id, without the hidden ones. A
// writable time has a twin that is a text: the host's scenes can set a text and cannot set a time.
func EntitiesOf(id string, points []profile.Point) []Entity {
	var all []Entity
	for _, p := range points {
		if p.Hidden {
			continue
		}
		e := entityOf(id, p)
		all = append(all, e)
		if e.Platform == "time" {
			all = append(all, textTwin(e))
		}
		if p.IsClock() && p.Write != nil {
			all = append(all, clockTwin(e))
		}
	}
	return all
}

func entityOf(id string, p profile.Point) Entity {
	h := p.Entity
	e := Entity{
		ID: id + "_" + p.Key, Key: p.Key, Quantity: p.Quantity, Platform: h.Platform, Name: p.Name, Part: p.Part,
		Category: h.Category,
		Enabled:  h.Enabled,
		Icon:     h.Icon, DeviceClass: h.DeviceClass, Precision: -1,
	}
	switch h.Platform {
	case "sensor":
		e.Unit, e.StateClass, e.Precision = p.Unit, h.StateClass, h.Precision
		if p.Spec.Form == codec.OptionForm {
			e.Options, e.Labels = options(p.Spec)
		}
	case "number":
		e.Unit, e.Mode = p.Unit, h.Mode
		e.Min, e.Max, e.Step = p.Write.Min, p.Write.Max, p.Write.Step
	case "select":
		e.Options, e.Labels = options(p.Spec)
	case "text":
		e.MaxLength = min(p.Spec.Bytes(), codec.MaxText)
	}
	return e
}

// options returns the options and their labels, nil where they are the same.
func options(s codec.Spec) (names, labels []string) {
	names, labels = s.OptionNames(), s.OptionLabels()
	if slices.Equal(names, labels) {
		labels = nil
	}
	return names, labels
}

// clockTwin returns the button that sets a clock.
func clockTwin(e Entity) Entity {
	q := profile.SetClock()
	e.ID += strings.TrimPrefix(q.Key, profile.ClockQuantity)
	e.Quantity, e.Platform, e.Name, e.Category, e.Icon = q.Key, "button", q.Name, q.Category, q.Icon
	return e
}

func textTwin(e Entity) Entity {
	e.ID += "_text"
	e.Name += " (text)"
	e.Platform = "text"
	e.Pattern, e.MinLength, e.MaxLength = timePattern, 5, len("unavailable")
	return e
}
