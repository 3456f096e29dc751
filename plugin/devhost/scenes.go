package devhost

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scene is one made by scene.create: as in Home Assistant it lives as long as the host.
type scene struct {
	name    string
	states  []wish
	applied string // moment of the last activation
}

// wish is the state that a scene wants an entity to have.
type wish struct{ entityID, state string }

var sceneActions = map[string]action{
	"scene.create": {fields: map[string]field{"scene_id": needs(slugText), "entities": may(dict), "snapshot_entities": may(ids)},
		run: (*Host).createScene},
	"scene.apply":   {fields: map[string]field{"entities": needs(dict), "transition": may(float)}, run: (*Host).applyScene},
	"scene.turn_on": {fields: map[string]field{"transition": may(float)}, aim: aimNeeded, run: (*Host).activateScene},
	"scene.delete":  {aim: aimNeeded, run: (*Host).deleteScene},
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

var slugText = kind{"a slug", func(v any) bool { s, ok := v.(string); return ok && slugForm.MatchString(s) }}

// wishes reads the field entities: a state, which YAML's on and off have made a boolean perhaps, or an object that holds it.
func wishes(entities any) ([]wish, error) {
	all := []wish{}
	m, _ := entities.(map[string]any) // fit has tried it
	for _, id := range slices.Sorted(maps.Keys(m)) {
		if !entityIDForm.MatchString(id) {
			return nil, invalid("Entity ID %s is an invalid entity ID at 'entities'", id)
		}
		v := m[id]
		if whole, is := v.(map[string]any); is {
			v = whole["state"]
		}
		switch v := v.(type) {
		case bool:
			state := "off"
			if v {
				state = "on"
			}
			all = append(all, wish{id, state})
		case string:
			all = append(all, wish{id, v})
		default:
			return nil, invalid("State for %s should be a string at 'entities'", id)
		}
	}
	return all, nil
}

func (h *Host) createScene(_ context.Context, c serviceCall) (any, error) {
	_, listed := c.Data["entities"]
	snapshot, shot := c.Data["snapshot_entities"]
	if !listed && !shot {
		return nil, invalid("at least one of ['entities', 'snapshot_entities'] is required")
	}
	all, err := wishes(c.Data["entities"])
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	names, _ := entityIDs(snapshot) // fit has tried it
	for _, id := range names {
		if slices.ContainsFunc(all, func(w wish) bool { return w.entityID == id }) {
			return nil, invalid("entities and snapshot_entities must not overlap")
		}
		if s, there := h.states[id]; there {
			all = append(all, wish{id, s.State})
		} else {
			h.options.Log.Warn().Str("entity_id", id).Msg("An entity does not exist and therefore cannot be snapshotted")
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	name := c.Data["scene_id"].(string)
	id := "scene." + name
	s := &scene{name: name, states: all, applied: Unknown}
	if old := h.scenes[id]; old != nil {
		s.applied = old.applied
	}
	h.scenes[id] = s
	h.showScene(id, s, Context{ID: newID()})
	h.notify()
	return nil, nil
}

func (h *Host) showScene(id string, s *scene, by Context) {
	members := make([]string, len(s.states))
	for i, w := range s.states {
		members[i] = w.entityID
	}
	h.put(id, s.applied, map[string]any{"entity_id": members, "friendly_name": s.name}, by)
}

func (h *Host) applyScene(ctx context.Context, c serviceCall) (any, error) {
	all, err := wishes(c.Data["entities"])
	if err != nil {
		return nil, err
	}
	return nil, h.reproduce(ctx, all, c.by)
}

// activateScene notes the moment before anything comes of it, as the real one does.
func (h *Host) activateScene(ctx context.Context, c serviceCall) (any, error) {
	var calls []func() error
	h.mu.Lock()
	for _, id := range h.selected(c.Data, "scene") {
		s := h.scenes[id]
		if s == nil {
			continue
		}
		s.applied = moment(time.Now())
		h.showScene(id, s, c.by)
		states := s.states
		calls = append(calls, func() error { return h.reproduce(ctx, states, c.by) })
	}
	h.notify()
	h.mu.Unlock()
	return nil, together(calls)
}

func (h *Host) deleteScene(_ context.Context, c serviceCall) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	named, _ := listOfIDs(c.Data["entity_id"])
	for _, id := range named {
		if h.scenes[id] == nil {
			return nil, validation("scene", "entity_not_scene", id+" is not a valid entity ID of a scene", map[string]any{"entity_id": id})
		}
		delete(h.scenes, id)
		h.drop(id)
	}
	h.notify()
	return nil, nil
}

// reproduce brings entities to the wanted states, all at once. As in the real one the first failure is the answer, while
// the other writes go on; what cannot be reproduced (a time of day, an option that does not exist, a word for a number) is
// passed over; and what is there already is not written.
func (h *Host) reproduce(ctx context.Context, all []wish, by Context) error {
	first := make(chan error, len(all))
	n := 0
	for _, w := range all {
		c, ok := h.reproducing(w)
		if !ok {
			continue
		}
		n++
		c.by = by
		if !h.background(func() { _, err := h.act(ctx, c); first <- err }) {
			return fmt.Errorf("the host stops")
		}
	}
	for range n {
		if err := <-first; err != nil {
			return err
		}
	}
	return nil
}

// background runs f, which Close waits for; not when the host is closed.
func (h *Host) background(f func()) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.serving.Go(f)
	return true
}

// reproducing returns the action that brings an entity to a state; false if there is none or nothing to do.
func (h *Host) reproducing(w wish) (c serviceCall, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, there := h.states[w.entityID]
	if !there || now.State == w.state {
		return c, false
	}
	domain, _, _ := strings.Cut(w.entityID, ".")
	c = serviceCall{Domain: domain, Service: "set_value", Data: map[string]any{"entity_id": w.entityID, "value": w.state}}
	switch domain {
	case "number":
		_, err := strconv.ParseFloat(w.state, 64)
		ok = err == nil
	case "text":
		ok = true
	case "select":
		options, _ := now.Attributes["options"].([]string)
		ok = slices.Contains(options, w.state)
		c.Service, c.Data = "select_option", map[string]any{"entity_id": w.entityID, "option": w.state}
	case "switch", "automation":
		ok = w.state == "on" || w.state == "off"
		c.Service, c.Data = "turn_"+w.state, map[string]any{"entity_id": w.entityID}
	}
	if !ok {
		h.options.Log.Warn().Str("entity_id", w.entityID).Str("state", w.state).Msg("A state cannot be reproduced")
	}
	return c, ok
}
