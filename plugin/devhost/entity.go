package devhost

import (
	"maps"
	"reflect"
	"strconv"
	"strings"
	"time"

	"solarhub/plugin/host"
)

// contextLife is how long what an entity shows counts as the act of the last caller. Source:
// CONTEXT_RECENT_TIME_SECONDS of Home Assistant's helpers/entity.py.
const contextLife = 5 * time.Second

// entity is a registered entity with what the plugin said of it.
type entity struct {
	def      host.Entity
	root     *root
	entityID string
	title    string // given by the owner; empty: that of the definition
	disabled bool
	seq      int64 // order of registration

	attributes    map[string]any // all but read_at
	shown         *entityState   // what is shown; nil: nothing yet
	invalidLogged bool           // a value that cannot be shown was logged
	pressed       string         // moment of a button's last press
	by            Context        // of the last caller
	byAt          time.Time
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
	own := e.title
	if own == "" {
		own = e.def.Name
	}
	return strings.TrimSpace(e.root.devices[e.def.Device].Name + " " + own)
}

// show has entities show what is known of them, as an act of by unless that is nil. The mutex is held.
func (h *Host) show(entities []*entity, by *Context) {
	for _, e := range entities {
		if e != nil {
			h.refresh(e, by)
		}
	}
}

// showAll has all entities of one installation show what is known of them.
func (h *Host) showAll(i *installation) {
	h.show(h.entitiesOf(i), nil)
	h.notify()
}

// refresh writes the state of e if what it has to show changed.
func (h *Host) refresh(e *entity, by *Context) {
	if e.disabled {
		return
	}
	now := e.current()
	if e.shown != nil && reflect.DeepEqual(*e.shown, now) {
		return
	}
	e.shown = &now
	if by != nil {
		e.by, e.byAt = *by, time.Now()
	}
	h.write(e)
}

// write puts what e shows into the state machine.
func (h *Host) write(e *entity) {
	text, attributes := Unavailable, e.attributes
	if v := e.shown; v.available {
		err := e.accepts(v.value)
		if err != nil && !e.invalidLogged {
			h.options.Log.Warn().Err(err).Str("id", e.def.ID).Msg("An entity is shown as unknown")
		}
		text, e.invalidLogged = e.text(v.value), err != nil
		if err != nil {
			text = Unknown
		}
	}
	if e.shown.readAt != "" {
		attributes = maps.Clone(attributes)
		attributes["read_at"] = e.shown.readAt
	}
	by := e.by
	if time.Since(e.byAt) > contextLife {
		by = Context{ID: newID()}
	}
	h.put(e.entityID, text, attributes, by)
}

// text is a value as Home Assistant writes it.
func (e *entity) text(v any) string {
	if e.def.Platform == "button" {
		if e.pressed == "" {
			return Unknown
		}
		return e.pressed
	}
	switch v := v.(type) {
	case bool:
		if v {
			return "on"
		}
		return "off"
	case float64:
		return number(v)
	case string:
		switch {
		case v == "24:00":
			return "00:00:00"
		case e.def.Platform == "time":
			return v + ":00"
		case e.def.DeviceClass == "timestamp":
			at, _ := time.Parse(time.RFC3339, v) // accepts has tried it
			return at.UTC().Format("2006-01-02T15:04:05-07:00")
		}
		return v
	}
	return Unknown
}

// number writes a number as Python does that has read it from JSON.
func number(v float64) string {
	if a := max(v, -v); a != 0 && (a < 1e-4 || a >= 1e21) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// describe makes the attributes that do not change with the value.
func (e *entity) describe() {
	a := map[string]any{"friendly_name": e.name()}
	for name, v := range map[string]string{"unit_of_measurement": e.def.Unit, "device_class": e.def.DeviceClass,
		"state_class": e.def.StateClass, "icon": e.def.Icon} {
		if v != "" {
			a[name] = v
		}
	}
	switch e.def.Platform {
	case "number":
		a["min"], a["max"], a["step"], a["mode"] = *e.def.Min, *e.def.Max, *e.def.Step, "auto"
		if e.def.Mode != "" {
			a["mode"] = e.def.Mode
		}
	case "text":
		a["mode"], a["min"], a["max"], a["pattern"] = "text", e.shortest(), e.longest(), nil
		if e.def.Pattern != "" {
			a["pattern"] = e.def.Pattern
		}
	case "select", "sensor":
		if len(e.def.Options) > 0 {
			a["options"] = e.def.Options
		}
	}
	e.attributes = a
}

func (e *entity) shortest() int {
	if e.def.MinLength == nil {
		return 0
	}
	return *e.def.MinLength
}

// stateMax is the longest state of Home Assistant, in characters.
const stateMax = 255

func (e *entity) longest() int {
	if e.def.MaxLength == nil {
		return stateMax
	}
	return *e.def.MaxLength
}
