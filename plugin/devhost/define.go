package devhost

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"solarhub/plugin/host"
)

// registration is what the frames of one registration add up to. Bad items are set aside.
type registration struct {
	hash     string
	frames   int // taken so far, so the seq that is expected
	devices  []host.Device
	entities []host.Entity

	known map[string]bool // devices
	used  map[string]bool // entities
}

func newRegistration(hash string) *registration {
	return &registration{hash: hash, known: map[string]bool{}, used: map[string]bool{}}
}

// add takes the items of the next frame and returns those that are refused.
func (r *registration) add(devices, entities []json.RawMessage) []host.Rejection {
	r.frames++
	rejected := []host.Rejection{}
	refuse := func(text json.RawMessage, err error) {
		var item struct{ ID any }
		_ = json.Unmarshal(text, &item) // an object, but perhaps without an id
		id := ""
		if item.ID != nil {
			id = asText(item.ID)
		}
		rejected = append(rejected, host.Rejection{ID: id, Message: err.Error()})
	}
	for _, text := range devices {
		if err := r.device(text); err != nil {
			refuse(text, err)
		}
	}
	for _, text := range entities {
		if err := r.entity(text); err != nil {
			refuse(text, err)
		}
	}
	return rejected
}

func (r *registration) device(text json.RawMessage) error {
	var d host.Device
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	switch {
	case d.ID == "" || d.Name == "":
		return fmt.Errorf("id or name is missing")
	case d.Via == "" && strings.Contains(d.ID, "/"):
		return fmt.Errorf("id is %q; only a part has a / in its id", d.ID)
	case d.Via != "" && d.Via != parentOf(d.ID):
		return fmt.Errorf("id is %q; a part of %q must be named %s/<part>", d.ID, d.Via, d.Via)
	case longest(d.ID, d.Name, d.Manufacturer, d.Model, d.SerialNumber, d.SWVersion, d.HWVersion) > textMax:
		return fmt.Errorf("a text is longer than %d characters", textMax)
	case len(r.devices) >= devicesMax:
		return fmt.Errorf("at most %d devices are allowed", devicesMax)
	case r.known[d.ID]:
		return fmt.Errorf("this device is there twice")
	case d.Via != "" && !r.known[d.Via]:
		return fmt.Errorf("via is %q; no device before this one has that id", d.Via)
	}
	r.known[d.ID] = true
	r.devices = append(r.devices, d)
	return nil
}

func (r *registration) entity(text json.RawMessage) error {
	e, err := parseEntity(text)
	if err != nil {
		return err
	}
	if err := check(e); err != nil {
		return err
	}
	switch {
	case r.used[e.ID]:
		return fmt.Errorf("this entity is there twice")
	case !r.known[e.Device]:
		return fmt.Errorf("device is %q; no device has that id", e.Device)
	case len(r.entities) >= entitiesMax:
		return fmt.Errorf("at most %d entities are allowed", entitiesMax)
	}
	r.used[e.ID] = true
	r.entities = append(r.entities, e)
	return nil
}

// dropForeign drops entities whose ids belong to entities of other devices, and returns them as rejected: the entity
// "A_B_x" may be one of the device "A" or of "A_B".
func (r *registration) dropForeign(known map[string]*entity) (rejected []host.Rejection) {
	r.entities = slices.DeleteFunc(r.entities, func(e host.Entity) bool {
		old := known[e.ID]
		foreign := old != nil && old.root.id != rootOf(e.Device) && !r.known[old.root.id]
		if foreign {
			delete(r.used, e.ID)
			rejected = append(rejected, host.Rejection{ID: e.ID, Message: "this id belongs to " + old.root.id})
		}
		return foreign
	})
	return rejected
}

// Bounds of a registration. Source: PROTOCOL.md, section 3.
const (
	textMax     = 255
	optionsMax  = 1_000
	devicesMax  = 1_000
	entitiesMax = 10_000
)

// longest returns the length of the longest text, in characters.
func longest(texts ...string) (n int) {
	for _, text := range texts {
		n = max(n, utf8.RuneCountInString(text))
	}
	return n
}

// parentOf returns the id of what a part belongs to: "SN1" for "SN1/battery", and "" for what is no part.
func parentOf(part string) string { return part[:max(0, strings.LastIndex(part, "/"))] }

// belongs are the fields that only some platforms have; those of others are ignored, whatever they hold.
var belongs = map[string]string{
	"sensor": "device_class unit state_class precision options", "number": "device_class unit min max step mode",
	"binary_sensor": "device_class", "select": "options", "text": "pattern min_length max_length",
}

func parseEntity(text json.RawMessage) (host.Entity, error) {
	var fields map[string]json.RawMessage
	e := host.Entity{Enabled: true}
	if err := json.Unmarshal(text, &fields); err != nil {
		return e, err
	}
	var platform string
	if err := json.Unmarshal(fields["platform"], &platform); err != nil {
		return e, fmt.Errorf("platform is missing or no text")
	}
	keep := words("id device platform key name category enabled icon " + belongs[platform])
	for name := range fields {
		if !slices.Contains(keep, name) {
			delete(fields, name)
		}
	}
	return e, json.Unmarshal(encoded(fields), &e)
}

var platforms = words("binary_sensor button number select sensor switch text time")

func words(text string) []string { return strings.Fields(text) }

// check says why a definition cannot be taken. The real companion knows the classes of devices and states besides.
func check(d host.Entity) error {
	switch {
	case d.ID == "" || d.Device == "" || d.Key == "" || d.Name == "":
		return fmt.Errorf("id, device, key or name is missing")
	case !strings.HasPrefix(d.ID, rootOf(d.Device)+"_"):
		return fmt.Errorf("id is %q; it must begin with %s_", d.ID, rootOf(d.Device))
	case longest(append([]string{d.ID, d.Device, d.Key, d.Name, d.Icon, d.Unit, d.Pattern}, d.Options...)...) > textMax:
		return fmt.Errorf("a text is longer than %d characters", textMax)
	case len(d.Options) > optionsMax:
		return fmt.Errorf("at most %d options are allowed", optionsMax)
	case !slices.Contains(platforms, d.Platform):
		return oneOf("platform", d.Platform, platforms)
	case d.Category != "" && d.Category != "config" && d.Category != "diagnostic":
		return oneOf("category", d.Category, words("config diagnostic"))
	case d.Category == "config" && (d.Platform == "sensor" || d.Platform == "binary_sensor"):
		return fmt.Errorf("category is config, which a %s cannot have", d.Platform)
	case d.Icon != "" && !strings.Contains(d.Icon, ":"):
		return fmt.Errorf("icon is %q; something like mdi:flash is wanted", d.Icon)
	}
	switch d.Platform {
	case "sensor":
		return checkSensor(d)
	case "number":
		return checkNumber(d)
	case "select":
		return checkOptions(d.Options)
	case "text":
		return checkText(d)
	}
	return nil
}

func oneOf(field, value string, allowed []string) error {
	return fmt.Errorf("%s is %q; allowed are %s", field, value, strings.Join(allowed, ", "))
}

func checkSensor(d host.Entity) error {
	switch {
	case d.Precision != nil && (*d.Precision < 0 || *d.Precision > 12):
		return fmt.Errorf("precision is %d; a whole number from 0 to 12 is wanted", *d.Precision)
	case slices.Contains(words("date enum timestamp"), d.DeviceClass) && (d.Unit != "" || d.StateClass != ""):
		return fmt.Errorf("a sensor of the device class %q has neither unit nor state_class", d.DeviceClass)
	case d.DeviceClass == "enum":
		return checkOptions(d.Options)
	}
	return nil
}

func checkNumber(d host.Entity) error {
	switch {
	case d.Min == nil || d.Max == nil || d.Step == nil:
		return fmt.Errorf("a number needs min, max and step")
	case *d.Min >= *d.Max:
		return fmt.Errorf("min is %v and max %v; min must be lower", *d.Min, *d.Max)
	case *d.Step <= 0 || math.IsNaN(*d.Step):
		return fmt.Errorf("step is %v; it must be above 0", *d.Step)
	case d.Mode != "" && !slices.Contains(words("auto box slider"), d.Mode):
		return oneOf("mode", d.Mode, words("auto box slider"))
	}
	return nil
}

func checkText(d host.Entity) error {
	e := entity{def: d}
	if _, err := regexp.Compile(d.Pattern); err != nil {
		return fmt.Errorf("pattern is %q: %w", d.Pattern, err)
	}
	if e.shortest() < 0 || e.longest() < e.shortest() || e.longest() > stateMax {
		return fmt.Errorf("min_length is %d and max_length %d; whole numbers from 0 to %d are wanted, in this order",
			e.shortest(),
			e.longest(), stateMax)
	}
	return nil
}

func checkOptions(options []string) error {
	if len(options) == 0 || slices.Contains(options, "") {
		return fmt.Errorf("options is %q; a list of texts is wanted", options)
	}
	if sorted := slices.Sorted(slices.Values(options)); len(slices.Compact(sorted)) != len(options) {
		return fmt.Errorf("options is %q; one is there twice", options)
	}
	return nil
}
