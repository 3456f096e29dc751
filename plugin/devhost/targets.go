package devhost

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"solarhub/plugin/host"
)

// idList is one id, several with commas between, or a list of them.
type idList []string

// UnmarshalJSON takes all forms.
func (l *idList) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	all, err := listOfIDs(v)
	*l = all
	return err
}

// MarshalJSON writes one id as a text, as people do.
func (l idList) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

func listOfIDs(v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		all := strings.Split(v, ",")
		for i := range all {
			all[i] = strings.ToLower(strings.TrimSpace(all[i]))
		}
		return all, nil
	case []any:
		all := make([]string, len(v))
		for i, one := range v {
			s, ok := one.(string)
			if !ok {
				return nil, fmt.Errorf("%v is no text", one)
			}
			all[i] = strings.ToLower(s)
		}
		return all, nil
	}
	return nil, fmt.Errorf("%v is no id", v)
}

var entityIDForm = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

func entityIDs(v any) ([]string, error) {
	all, err := listOfIDs(v)
	for _, id := range all {
		if !entityIDForm.MatchString(id) {
			return nil, fmt.Errorf("entity ID %s is an invalid entity ID", id)
		}
	}
	return all, err
}

// everything and nothing are the two words that may stand for a list of entities.
const (
	everything = "all"
	nothing    = "none"
)

// targetFields are what says at whom an action is aimed.
var targetFields = map[string]field{
	"entity_id": may(kind{"entity ids, 'all' or 'none'", func(v any) bool {
		if s, ok := v.(string); ok && (strings.EqualFold(s, everything) || strings.EqualFold(s, nothing)) {
			return true
		}
		return ids.fits(v)
	}}),
	"device_id": may(plainIDs), "area_id": may(plainIDs), "floor_id": may(plainIDs), "label_id": may(plainIDs),
}

var plainIDs = kind{"a list of ids", func(v any) bool { _, err := listOfIDs(v); return v == nil || err == nil }}

// targets is the field target of call_service.
var targets = kind{"a target", func(v any) bool {
	m, ok := v.(map[string]any)
	return ok && fit(targetFields, m, false) == nil
}}

// spelled is a target with lists for all ids, as Home Assistant has it.
func spelled(given map[string]any) map[string]any {
	all := map[string]any{}
	for name, v := range given {
		if s, ok := v.(string); name == "entity_id" && ok && (strings.EqualFold(s, everything) || strings.EqualFold(s, nothing)) {
			all[name] = strings.ToLower(s)
		} else if some, err := listOfIDs(v); err == nil {
			all[name] = listed(some)
		}
	}
	return all
}

// aimed reports whether data names a target.
func aimed(data map[string]any) bool {
	for name := range targetFields {
		if _, given := data[name]; given {
			return true
		}
	}
	return false
}

// selected returns the entity ids of a domain that data aims at. A device stands for those of its entities that are
// neither settings nor diagnostics; there are no areas, floors and labels here. The mutex is held.
func (h *Host) selected(data map[string]any, domain string) (chosen []string) {
	if s, ok := data["entity_id"].(string); ok && strings.EqualFold(s, everything) {
		for _, id := range h.order {
			if strings.HasPrefix(id, domain+".") {
				chosen = append(chosen, id)
			}
		}
		return chosen
	}
	named, _ := listOfIDs(data["entity_id"]) // fit has tried it
	devices, _ := listOfIDs(data["device_id"])
	for _, e := range h.allEntities() {
		if e.def.Category == "" && slices.Contains(devices, deviceID(e.def.Device)) {
			named = append(named, e.entityID)
		}
	}
	for _, id := range named {
		if strings.HasPrefix(id, domain+".") && !slices.Contains(chosen, id) {
			chosen = append(chosen, id)
		}
	}
	return chosen
}

// target is what an action needs of an entity, taken under the mutex.
type target struct {
	def      host.Entity
	entityID string
	name     string
	root     string
	state    string
}

func (h *Host) target(id string) (target, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.lookup(id)
	if e == nil {
		return target{}, false
	}
	return h.targetOf(e), true
}

// targetOf returns what an action needs of an entity. The mutex is held.
func (h *Host) targetOf(e *entity) target {
	return target{def: e.def, entityID: e.entityID, name: e.name(), root: e.root.id, state: h.states[e.entityID].State}
}

// usable returns the entities of a domain that data aims at and that are available. The others are left out without a word
// to the caller, as in the real one. Those that remain show for a while what happens as the act of by.
func (h *Host) usable(data map[string]any, domain string, by Context) (chosen []target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range h.selected(data, domain) {
		e := h.byEntityID[id]
		if e == nil || !e.available() {
			h.options.Log.Warn().Str("entity_id", id).Msg("Referenced entities are missing or not currently available")
			continue
		}
		e.touch(by)
		chosen = append(chosen, h.targetOf(e))
	}
	return chosen
}
