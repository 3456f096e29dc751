package profile

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"solarhub/protocol/codec"
)

var iconForm = form{regexp.MustCompile(`^mdi:[a-z0-9-]+$`), "the name of an icon, such as mdi:battery"}

// besideASlider is how many letters of a name Home Assistant shows beside a slider on a device's page.
const besideASlider = 14

// entityHints reads how a host shows the point, and chooses what the profile leaves out.
func (l *loader) entityHints(f fields, t *template) {
	p := &t.point
	h := &p.Entity
	h.Platform = platform(*p, isButton(f))
	p.Hidden = f.has("entity") && !f.boolean("entity")
	l.enabled(f, t)
	if h.Icon = f.text("icon"); f.has("icon") && !iconForm.MatchString(h.Icon) {
		f.fail("icon", "icon %q is not %s", h.Icon, iconForm)
	}
	if f.has("mode") {
		h.Mode = []string{"box", "slider"}[f.choice("mode", []string{"box", "slider"}, 0)]
		if h.Platform != "number" {
			f.fail("mode", "mode: only a writable number has one")
		}
	} else if h.Platform == "number" && len(p.Name) > besideASlider {
		h.Mode = "box"
	}
	if f.has("is") {
		if p.Quantity != "" {
			l.asQuantity(f, t)
		}
		return
	}
	l.category(f, p)
	l.precision(f, p)
	l.class(f, p)
}

// enabled decides whether the point is on at first.
func (l *loader) enabled(f fields, t *template) {
	h := &t.point.Entity
	armed := t.point.Write != nil && t.point.Write.Arm
	h.Enabled = f.boolean("show")
	switch {
	case h.Enabled && f.has("is"):
		f.fail("show", "show: the vocabulary says whether a quantity is on at first; show: false turns it off")
	case h.Enabled && armed:
		f.fail("show", "show: what needs arming ships off")
	case h.Enabled && t.point.Hidden:
		f.fail("show", "show: it is no entity")
	}
	if f.has("is") && !f.has("show") {
		h.Enabled = t.shown > 0 && !armed && !t.point.Hidden
		if level := l.p.Level(t.point.Source); !h.Enabled && !armed && !t.point.Hidden && confirmed(level) {
			h.Spare = t.quantity.Spare
		}
	}
}

// formKeys says what makes a point that of a quantity of the form.
var formKeys = map[string]string{
	"text":   ": give it options, bits or type: text",
	"bool":   ": give it bool: {on: 1, off: 0}",
	"time":   ": give it a time",
	"button": ": give it platform: button",
}

// asQuantity takes from the vocabulary how the point is shown.
func (l *loader) asQuantity(f fields, t *template) {
	p, q := &t.point, t.quantity
	h := &p.Entity
	if form := formOf(*p); q.Form != form && q.Form != "any" {
		f.fail("is", "%s is a %s, and this point is a %s%s", q.Key, q.Form, form, formKeys[q.Form])
	}
	h.Icon = q.Icon
	switch h.Category = q.Category; {
	case (p.Write == nil || p.IsClock()) && h.Category == "config":
		h.Category = "diagnostic"
	case p.Write != nil && h.Category == "":
		h.Category = "config"
	}
	h.Precision = -1
	switch {
	case numeric(*p):
		h.DeviceClass = q.DeviceClass
		if l.precision(f, p); q.Precision >= 0 && (h.Precision < 0 || h.Precision > q.Precision) {
			h.Precision = q.Precision
		}
		if h.Platform == "sensor" && p.Interval != Once {
			h.StateClass = q.StateClass
		}
		return
	case h.Platform == "sensor" && p.Spec.Form == codec.OptionForm:
		h.DeviceClass = "enum"
	case slices.Contains(flags[h.Platform], q.DeviceClass):
		h.DeviceClass = q.DeviceClass
	}
	p.Unit = ""
}

// formOf returns the form of a point, in the words of the vocabulary.
func formOf(p Point) string {
	switch {
	case p.Button():
		return "button"
	case numeric(p):
		return "number"
	case p.Spec.Form == codec.BoolForm:
		return "bool"
	case slices.Contains(timeForms, p.Spec.Form):
		return "time"
	}
	return "text"
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
	case p.IsClock():
		return "sensor" // it is set by a button of its own
	case p.Spec.Type == codec.Text && p.Spec.Form == codec.Plain:
		return pick("sensor", "text")
	case p.Spec.Form == codec.OptionForm:
		return pick("sensor", "select")
	case p.Spec.Form == codec.BoolForm:
		return pick("binary_sensor", "switch")
	case slices.Contains(timeForms, p.Spec.Form):
		return pick("sensor", "time")
	case p.Spec.Form != codec.Plain:
		return "sensor"
	}
	return pick("sensor", "number")
}
