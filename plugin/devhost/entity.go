package devhost

import (
	"cmp"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"time"

	"solarhub/plugin/host"
)

// entity is a registered entity with what the plugin said of it.
type entity struct {
	def      host.Entity
	root     *root
	entityID string
	disabled bool
	seq      int64 // order of registration

	attributes map[string]any // all but read_at
	shown      *entityState   // what is shown; nil: nothing yet
	pressed    string         // moment of a button's last press
}

// root is a device with its parts.
type root struct {
	id      string
	owner   *installation
	devices map[string]host.Device
}

// snapshot is what one session says of its entities. It takes effect as a whole when it is complete.
type snapshot struct {
	served map[string]bool // device ids without parts
	values map[string]value
	online map[string]host.DeviceState // devices and parts; absent: as its parent
	usable map[string]bool             // entities; absent: yes
}

type value struct {
	value  any    // as the plugin sent it; nil is unknown
	readAt string // of a value from the cache; empty: fresh
}

// entityState is what one entity shows.
type entityState struct {
	available bool
	value     any
	readAt    string
}

func newSnapshot(devices []string) *snapshot {
	p := &snapshot{served: map[string]bool{}, values: map[string]value{}, online: map[string]host.DeviceState{},
		usable: map[string]bool{}}
	for _, id := range devices {
		p.served[rootOf(id)] = true
	}
	return p
}

// available reports whether e can be used as long as the plugin is there.
func (p *snapshot) available(e *entity) bool {
	online := p.served[e.root.id]
	for _, device := range []string{e.root.id, e.def.Device} {
		if s, told := p.online[device]; told {
			online = s.Online
		}
	}
	usable, told := p.usable[e.def.ID]
	return online && (usable || !told)
}

// available reports whether e can be used. The mutex of the host is held.
func (e *entity) available() bool {
	return !e.disabled && e.root.owner.visible && e.root.owner.snapshot.available(e)
}

// current is what e has to show. The mutex of the host is held.
func (e *entity) current() entityState {
	if !e.available() {
		return entityState{}
	}
	v := e.root.owner.snapshot.values[e.def.ID]
	return entityState{true, v.value, v.readAt}
}

// name is how people call the entity: device and entity.
func (e *entity) name() string {
	return strings.TrimSpace(e.root.devices[e.def.Device].Name + " " + e.def.Name)
}

// show has entities show what is known of them. The mutex is held.
func (h *Host) show(entities []*entity) {
	for _, e := range entities {
		h.refresh(e)
	}
}

// showAll has all entities of one installation show what is known of them.
func (h *Host) showAll(i *installation) {
	h.show(h.entitiesOf(i))
	h.notify()
}

// refresh writes the state of e if what it has to show changed.
func (h *Host) refresh(e *entity) {
	now := e.current()
	if e.disabled || e.shown != nil && reflect.DeepEqual(*e.shown, now) {
		return
	}
	e.shown = &now
	h.write(e)
}

// write puts what e shows into the state machine.
func (h *Host) write(e *entity) {
	text, attributes := Unavailable, e.attributes
	if e.shown.available {
		text = e.text(e.shown.value)
	}
	if e.shown.readAt != "" {
		attributes = maps.Clone(attributes)
		attributes["read_at"] = e.shown.readAt
	}
	h.put(e.entityID, text, attributes)
}

// text is a value as Home Assistant writes it. Whether the value fits the entity is not looked at.
func (e *entity) text(v any) string {
	if e.def.Platform == "button" {
		return cmp.Or(e.pressed, Unknown)
	}
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
			return strings.Replace(v, "24:", "00:", 1) + ":00"
		}
		if label, ok := labelOf(e.def, v); ok {
			return label
		}
		if at, err := time.Parse(time.RFC3339, v); err == nil && e.def.DeviceClass == "timestamp" {
			return at.UTC().Format("2006-01-02T15:04:05-07:00")
		}
		return v
	}
	return Unknown
}

// describe makes the attributes that do not change with the value.
func (e *entity) describe() {
	d := e.def
	a := map[string]any{"friendly_name": e.name()}
	for name, v := range map[string]string{"unit_of_measurement": d.Unit, "device_class": d.DeviceClass,
		"state_class": d.StateClass, "icon": d.Icon} {
		if v != "" {
			a[name] = v
		}
	}
	switch d.Platform {
	case "number":
		a["min"], a["max"], a["step"], a["mode"] = *d.Min, *d.Max, *d.Step, cmp.Or(d.Mode, "auto")
	case "text":
		a["mode"], a["min"], a["max"], a["pattern"] = "text", 0, 255, orNull(d.Pattern)
		if d.MinLength != nil {
			a["min"] = *d.MinLength
		}
		if d.MaxLength != nil {
			a["max"] = *d.MaxLength
		}
	}
	if len(d.Labels) > 0 {
		a["options"] = d.Labels
	} else if len(d.Options) > 0 {
		a["options"] = d.Options
	}
	e.attributes = a
}
