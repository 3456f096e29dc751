package devhost

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"solarhub/plugin/host"
)

// The states of an entity that has no value.
const (
	Unavailable = "unavailable"
	Unknown     = "unknown"
)

// State is an entity as Home Assistant shows it.
type State struct {
	EntityID    string         `json:"entity_id"`
	State       string         `json:"state"`
	Attributes  map[string]any `json:"attributes"`
	LastChanged time.Time      `json:"last_changed"`
	LastUpdated time.Time      `json:"last_updated"`
}

// entity is a registered entity with what the plugin said of it.
type entity struct {
	def      host.Entity
	root     *root
	entityID string
	disabled bool

	odd   bool // a value was refused, and that was logged
	shown State
}

// root is a device with its parts.
type root struct {
	id      string
	owner   *installation
	devices map[string]host.Device
}

// picture is what one session says of its entities. It takes effect as a whole when it is complete.
type picture struct {
	served  map[string]bool // device ids without parts
	values  map[string]value
	online  map[string]host.DeviceState // devices and parts; absent: as its parent
	visible map[string]bool             // entities; absent: yes
}

type value struct {
	value  any       // as the plugin sent it; nil is unknown
	readAt time.Time // of a value from the cache; zero: fresh
}

func newPicture(devices []string) *picture {
	p := &picture{served: map[string]bool{}, values: map[string]value{}, online: map[string]host.DeviceState{},
		visible: map[string]bool{}}
	for _, id := range devices {
		p.served[rootOf(id)] = true
	}
	return p
}

// available reports whether e can be used as long as the plugin is there.
func (p *picture) available(e *entity) bool {
	online := p.served[e.root.id]
	for _, device := range []string{e.root.id, e.def.Device} {
		if s, told := p.online[device]; told {
			online = s.Online
		}
	}
	visible, told := p.visible[e.def.ID]
	return online && (visible || !told)
}

// available reports whether e can be used. The mutex of the host is held.
func (e *entity) available(now time.Time) bool {
	owner := e.root.owner
	return !e.disabled && owner.available(now) && owner.picture.available(e)
}

// name is how people call the entity: device and entity.
func (e *entity) name() string {
	return strings.TrimSpace(e.root.devices[e.def.Device].Name + " " + e.def.Name)
}

// render makes the state of e anew. The mutex of the host is held.
func (e *entity) render(now time.Time) State {
	s := State{EntityID: e.entityID, State: Unavailable, Attributes: e.attributes(), LastChanged: e.shown.LastChanged, LastUpdated: now}
	if e.available(now) {
		v := e.root.owner.picture.values[e.def.ID]
		s.State = e.text(v.value)
		if !v.readAt.IsZero() {
			s.Attributes["read_at"] = v.readAt.Format(time.RFC3339)
		}
	}
	if s.State != e.shown.State {
		s.LastChanged = now
	}
	return s
}

// text is a value as Home Assistant writes it.
func (e *entity) text(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "on"
		}
		return "off"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if e.def.Platform == "time" {
			return v + ":00"
		}
		return v
	}
	return Unknown
}

func (e *entity) attributes() map[string]any {
	a := map[string]any{"friendly_name": e.name()}
	for name, v := range map[string]string{"unit_of_measurement": e.def.Unit, "device_class": e.def.DeviceClass,
		"state_class": e.def.StateClass, "icon": e.def.Icon, "mode": e.def.Mode} {
		if v != "" {
			a[name] = v
		}
	}
	if len(e.def.Options) > 0 {
		a["options"] = e.def.Options
	}
	if e.def.Platform == "number" {
		a["min"], a["max"], a["step"] = *e.def.Min, *e.def.Max, *e.def.Step
	}
	return a
}

// accepts says why the host would refuse v as the value of e.
func (e *entity) accepts(v any) error {
	if v == nil {
		return nil
	}
	switch e.def.Platform {
	case "binary_sensor", "switch":
		return must[bool](v)
	case "number":
		return must[float64](v)
	case "select":
		return e.option(v)
	case "text", "time":
		return e.written(v)
	case "button":
		return fmt.Errorf("a button has no value")
	}
	switch {
	case e.def.DeviceClass == "enum":
		return e.option(v)
	case e.def.Unit != "" || e.def.StateClass != "" || e.def.Precision != nil:
		return must[float64](v)
	}
	return nil
}

func must[T any](v any) error {
	if _, ok := v.(T); !ok {
		var want T
		return fmt.Errorf("%v is %T, not %T", v, v, want)
	}
	return nil
}

func (e *entity) option(v any) error {
	if s, ok := v.(string); !ok || !slices.Contains(e.def.Options, s) {
		return fmt.Errorf("%v is none of the options %s", v, strings.Join(e.def.Options, ", "))
	}
	return nil
}

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

func (e *entity) written(v any) error {
	s, ok := v.(string)
	switch {
	case !ok:
		return must[string](v)
	case e.def.Platform == "time" && !clock.MatchString(s):
		return fmt.Errorf("%q is no time of day HH:MM", s)
	case e.def.MaxLength != nil && utf8.RuneCountInString(s) > *e.def.MaxLength:
		return fmt.Errorf("%q is longer than %d", s, *e.def.MaxLength)
	}
	return nil
}

// check says why a definition cannot be taken.
func check(d host.Entity, devices map[string]host.Device) error {
	platforms := []string{"sensor", "binary_sensor", "number", "select", "switch", "time", "text", "button"}
	_, known := devices[d.Device]
	switch {
	case d.ID == "" || d.Key == "" || d.Name == "":
		return fmt.Errorf("id, key or name is missing")
	case !known:
		return fmt.Errorf("device %q is not registered", d.Device)
	case !slices.Contains(platforms, d.Platform):
		return fmt.Errorf("platform is %q; allowed are %s", d.Platform, strings.Join(platforms, ", "))
	case d.Category != "" && d.Category != "config" && d.Category != "diagnostic":
		return fmt.Errorf("category is %q; allowed are config, diagnostic", d.Category)
	case d.Category == "config" && (d.Platform == "sensor" || d.Platform == "binary_sensor"):
		return fmt.Errorf("category is config, which a %s cannot have", d.Platform)
	case d.Platform == "number" && (d.Min == nil || d.Max == nil || d.Step == nil || *d.Min >= *d.Max || *d.Step <= 0):
		return fmt.Errorf("a number needs min below max and a step above 0")
	case (d.Platform == "select" || d.DeviceClass == "enum") && len(d.Options) == 0:
		return fmt.Errorf("options are missing")
	}
	return nil
}

// slug turns a name into the part of an entity_id behind the dot.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if n := b.Len(); n > 0 && b.String()[n-1] != '_' {
			b.WriteByte('_')
		}
	}
	return strings.TrimRight(b.String(), "_")
}

// same reports whether two states show the same; when they were written does not count.
func same(a, b State) bool {
	x, errX := json.Marshal(a.Attributes)
	y, errY := json.Marshal(b.Attributes)
	return a.State == b.State && errX == nil && errY == nil && string(x) == string(y)
}
