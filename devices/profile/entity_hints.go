package profile

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"solarhub/protocol/codec"
)

var iconForm = regexp.MustCompile(`^mdi:[a-z0-9-]+$`)

// entityHints reads how a host shows the point, and chooses what the profile leaves out.
func (l *loader) entityHints(f fields, p *Point) {
	h := &p.Entity
	h.Platform = platform(*p, isButton(f))
	h.Enabled = f.boolean("show")
	if h.Enabled && p.Write != nil && p.Write.Arm {
		f.fail("show", "show: what needs arming ships off")
	}
	if h.Icon = f.text("icon"); f.has("icon") && !iconForm.MatchString(h.Icon) {
		f.fail("icon", "icon %q is not of the form %s", h.Icon, iconForm)
	}
	if f.has("mode") {
		h.Mode = []string{"box", "slider"}[f.choice("mode", []string{"box", "slider"}, 0)]
		if h.Platform != "number" {
			f.fail("mode", "mode: only a writable number has one")
		}
	}
	l.category(f, p)
	l.precision(f, p)
	l.class(f, p)
}

var categories = []string{"none", "config", "diagnostic"}

func (l *loader) category(f fields, p *Point) {
	fallback := 0
	if p.Write != nil {
		fallback = 1
	}
	c := f.choice("category", categories, fallback)
	p.Entity.Category = []string{"", "config", "diagnostic"}[c]
	if categories[c] == "config" && p.Write == nil {
		f.fail("category", "category: config is for what can be written")
	}
}

func (l *loader) precision(f fields, p *Point) {
	p.Entity.Precision = -1
	if !numeric(*p) {
		return
	}
	if !p.Spec.Type.Float() {
		p.Entity.Precision = min(p.Spec.Decimals(), maxPrecision)
	}
	if f.has("precision") {
		p.Entity.Precision = int(f.natural("precision", 0, maxPrecision, 0))
	}
}

// maxPrecision is the largest number of decimals that an owner can choose in the host.
const maxPrecision = 6

// class reads the device class and the state class, and checks that they fit each other, the unit and the platform.
func (l *loader) class(f fields, p *Point) {
	h := &p.Entity
	h.DeviceClass = f.text("class")
	switch {
	case numeric(*p):
		l.quantity(f, p)
	case h.Platform == "sensor" && p.Spec.Form == codec.OptionForm:
		f.refuse("options have the class enum by themselves", "class")
		h.DeviceClass = "enum"
	case f.has("class") && !slices.Contains(flags[h.Platform], h.DeviceClass):
		f.fail("class", "class %q is not one of a %s: %s", h.DeviceClass, h.Platform, joinWords(flags[h.Platform]))
	}
}

func (l *loader) quantity(f fields, p *Point) {
	h := &p.Entity
	q, known := quantities[h.DeviceClass]
	switch {
	case h.DeviceClass == "":
		q.states = stateClasses
		if classes := classesWith(p.Unit); len(classes) > 0 {
			f.fail("unit", "unit %s without a class: say class: %s", p.Unit, strings.Join(classes, " or "))
		}
	case !known:
		f.fail("class", "class %q is not one of %s", h.DeviceClass, joinWords(slices.Sorted(maps.Keys(quantities))))
		return
	case !slices.Contains(q.units, p.Unit):
		f.fail("class", "class %s has the units %s, not %q", h.DeviceClass,
			strings.TrimPrefix(joinWords(q.units), ", "), p.Unit)
	}
	if h.Platform != "sensor" {
		f.refuse("only a reading has one", "state")
		return
	}
	h.StateClass = q.states[0]
	if h.DeviceClass == "" && p.Unit == "" || p.Interval == Once {
		h.StateClass = ""
	}
	if f.has("state") {
		h.StateClass = stateClasses[f.choice("state", stateClasses, 0)]
		if !slices.Contains(q.states, h.StateClass) {
			f.fail("state", "state %s does not fit class %s: %s", h.StateClass, h.DeviceClass, joinWords(q.states))
		}
	}
	if h.StateClass == totalIncreasing && (p.Spec.Type.Signed() || p.Spec.Scale < 0) {
		f.fail("type", "a counter of %s at scale %s can fall below 0, where total_increasing fails: say state: total",
			p.Spec.Type, number(p.Spec.Scale))
	}
}

// numeric reports whether the point's value is a number.
func numeric(p Point) bool {
	return p.Spec.IsNumber() && !p.Button()
}

// platform chooses the platform of a point from the form of its value and from whether it can be written.
func platform(p Point, button bool) string {
	pick := func(reading, setting string) string {
		if p.Write == nil {
			return reading
		}
		return setting
	}
	switch {
	case button:
		return "button"
	case p.Spec.Type == codec.Text:
		return pick("sensor", "text")
	case p.Spec.Form == codec.OptionForm:
		return pick("sensor", "select")
	case p.Spec.Form == codec.BoolForm:
		return pick("binary_sensor", "switch")
	case p.Spec.Form == codec.TimePacked, p.Spec.Form == codec.TimeDecimal:
		return pick("sensor", "time")
	case p.Spec.Form == codec.BitsForm:
		return "sensor"
	}
	return pick("sensor", "number")
}
