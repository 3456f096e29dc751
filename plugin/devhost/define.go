package devhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	take := func(items []json.RawMessage, take func(json.RawMessage) error) {
		for _, text := range items {
			if err := take(text); err != nil {
				var item struct{ ID string }
				_ = json.Unmarshal(text, &item) // perhaps it has none
				rejected = append(rejected, host.Rejection{ID: item.ID, Message: err.Error()})
			}
		}
	}
	take(devices, r.device)
	take(entities, r.entity)
	return rejected
}

func (r *registration) device(text json.RawMessage) error {
	var d host.Device
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	switch parent := d.ID[:max(0, strings.LastIndex(d.ID, "/"))]; {
	case d.ID == "" || d.Name == "":
		return errors.New("id or name is missing")
	case d.Via != parent:
		return fmt.Errorf("id is %q and via %q; a part is named <device>/<part>", d.ID, d.Via)
	case r.known[d.ID]:
		return errors.New("this device is there twice")
	case d.Via != "" && !r.known[d.Via]:
		return fmt.Errorf("via is %q; no device before this one has that id", d.Via)
	}
	r.known[d.ID] = true
	r.devices = append(r.devices, d)
	return nil
}

var platforms = strings.Fields("binary_sensor button number select sensor switch text time")

// entity takes a definition with what this host itself needs of it. The real companion knows much more of what Home
// Assistant refuses.
func (r *registration) entity(text json.RawMessage) error {
	e := host.Entity{Enabled: true}
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	switch {
	case e.ID == "" || e.Key == "" || e.Name == "":
		return errors.New("id, key or name is missing")
	case !strings.HasPrefix(e.ID, rootOf(e.Device)+"_"):
		return fmt.Errorf("id is %q; it must begin with %s_", e.ID, rootOf(e.Device))
	case !slices.Contains(platforms, e.Platform):
		return fmt.Errorf("platform is %q; allowed are %s", e.Platform, strings.Join(platforms, ", "))
	case e.Platform == "number" && (e.Min == nil || e.Max == nil || e.Step == nil):
		return errors.New("a number needs min, max and step")
	case r.used[e.ID]:
		return errors.New("this entity is there twice")
	case !r.known[e.Device]:
		return fmt.Errorf("device is %q; no device has that id", e.Device)
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
