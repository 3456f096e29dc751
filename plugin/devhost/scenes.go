package devhost

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scene is one made by scene.create: as in Home Assistant it lives as long as the host.
type scene struct {
	name    string
	members []member
	applied string // moment of the last activation
}

// member is the state that a scene wants an entity to have.
type member struct{ entityID, state string }

var sceneActions = map[string]action{
	"scene.create": {fields: map[string]field{"scene_id": needs(slugText), "snapshot_entities": needs(ids)},
		run: (*Host).createScene},
	"scene.turn_on": {fields: map[string]field{"entity_id": needs(ids)}, run: (*Host).activateScenes},
	"scene.delete":  {fields: map[string]field{"entity_id": needs(ids)}, run: (*Host).deleteScenes},
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

var slugText = kind{"a slug", func(v any) bool { s, ok := v.(string); return ok && slugForm.MatchString(s) }}

// createScene makes a scene of the states that entities have now.
func (h *Host) createScene(_ context.Context, c serviceCall) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := c.Data["scene_id"].(string)
	s := &scene{name: name, applied: Unknown}
	named, _ := entityIDs(c.Data["snapshot_entities"]) // fit has tried it
	for _, id := range named {
		if now, exists := h.states[id]; exists {
			s.members = append(s.members, member{id, now.State})
		}
	}
	if len(s.members) == 0 {
		return nil, nil
	}
	id := "scene." + name
	if old := h.scenes[id]; old != nil {
		s.applied = old.applied
	}
	h.scenes[id] = s
	h.showScene(id, s, Context{ID: newID()})
	h.notify()
	return nil, nil
}

func (h *Host) showScene(id string, s *scene, by Context) {
	entities := make([]string, len(s.members))
	for i, m := range s.members {
		entities[i] = m.entityID
	}
	h.put(id, s.applied, map[string]any{"entity_id": entities, "friendly_name": s.name}, by)
}

// activateScenes notes the moment before anything comes of it, as the real one does.
func (h *Host) activateScenes(ctx context.Context, c serviceCall) (any, error) {
	var calls []func() error
	h.mu.Lock()
	named, _ := entityIDs(c.Data["entity_id"])
	for _, id := range named {
		s := h.scenes[id]
		if s == nil {
			continue
		}
		s.applied = moment(time.Now())
		h.showScene(id, s, c.by)
		calls = append(calls, func() error { return h.reproduce(ctx, s.members, c.by) })
	}
	h.notify()
	h.mu.Unlock()
	return nil, together(calls)
}

func (h *Host) deleteScenes(_ context.Context, c serviceCall) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	named, _ := entityIDs(c.Data["entity_id"])
	for _, id := range named {
		if h.scenes[id] == nil {
			return nil, validation("scene", "entity_not_scene", id+" is no scene", nil)
		}
		delete(h.scenes, id)
		h.drop(id)
	}
	h.notify()
	return nil, nil
}

// reproduce brings entities to the wanted states, all at once. As in the real one the first failure is the answer,
// while the other writes go on; what cannot be reproduced, such as a time of day, is passed over; and what is there
// already is not written.
func (h *Host) reproduce(ctx context.Context, members []member, by Context) error {
	first := make(chan error, len(members))
	n := 0
	for _, m := range members {
		c, needed := h.reproducing(m)
		if !needed {
			continue
		}
		n++
		c.by = by
		if !h.background(func() { _, err := h.act(ctx, c); first <- err }) {
			return errors.New("the host stops")
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
func (h *Host) reproducing(m member) (c serviceCall, needed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, exists := h.states[m.entityID]
	if !exists || now.State == m.state {
		return c, false
	}
	platform, _, _ := strings.Cut(m.entityID, ".")
	c = serviceCall{Domain: platform, Service: "set_value", Data: map[string]any{"entity_id": m.entityID}}
	switch platform {
	case "number":
		_, err := strconv.ParseFloat(m.state, 64)
		needed, c.Data["value"] = err == nil, m.state
	case "text":
		needed, c.Data["value"] = true, m.state
	case "select":
		options, _ := now.Attributes["options"].([]string)
		needed, c.Service, c.Data["option"] = slices.Contains(options, m.state), "select_option", m.state
	case "switch":
		needed, c.Service = m.state == "on" || m.state == "off", "turn_"+m.state
	}
	if !needed {
		h.options.Log.Warn().Str("entity_id", m.entityID).Str("state", m.state).Msg("A state cannot be reproduced")
	}
	return c, needed
}
