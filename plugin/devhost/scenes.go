package devhost

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// member is the state that a scene wants an entity to have.
type member struct{ entityID, state string }

// createScene makes a scene of the states that entities have now. As in Home Assistant it lives as long as the host.
func (h *Host) createScene(_ context.Context, c serviceCall) (any, error) {
	named, _ := c.Data["snapshot_entities"].([]any)
	h.mu.Lock()
	defer h.mu.Unlock()
	var members []member
	for _, one := range named {
		if now, exists := h.states[fmt.Sprint(one)]; exists {
			members = append(members, member{now.EntityID, now.State})
		}
	}
	if len(members) > 0 {
		id := fmt.Sprint("scene.", c.Data["scene_id"])
		h.scenes[id] = members
		h.showScene(id, Unknown)
	}
	return nil, nil
}

// showScene shows when a scene was applied last. The mutex is held.
func (h *Host) showScene(id, applied string) {
	entities := []string{}
	for _, m := range h.scenes[id] {
		entities = append(entities, m.entityID)
	}
	h.put(id, applied, map[string]any{"entity_id": entities, "friendly_name": id[len("scene."):]})
	h.notify()
}

// applyScenes brings the entities of scenes to the wanted states, all at once. As in the real one the first failure is
// the answer, while the other writes go on; what cannot be set, such as a time of day, is passed over; and what is
// there already is not written.
func (h *Host) applyScenes(ctx context.Context, c serviceCall) (any, error) {
	var all []member
	for _, id := range c.entityIDs() {
		h.mu.Lock()
		if members := h.scenes[id]; members != nil {
			all = append(all, members...)
			h.showScene(id, moment(time.Now()))
		}
		h.mu.Unlock()
	}
	return nil, h.bringAll(ctx, all)
}

// applyStates is the action scene.apply: a scene without a name.
func (h *Host) applyStates(ctx context.Context, c serviceCall) (any, error) {
	wanted, _ := c.Data["entities"].(map[string]any)
	var all []member
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		all = append(all, member{id, fmt.Sprint(wanted[id])})
	}
	return nil, h.bringAll(ctx, all)
}

func (h *Host) bringAll(ctx context.Context, all []member) error {
	var calls []func() error
	for _, m := range all {
		now, _ := h.State(m.entityID)
		t, known := h.target(m.entityID)
		if known && t.available && now.State != m.state && t.def.Platform != "time" {
			calls = append(calls, func() error { return h.bring(ctx, t, m.state) })
		}
	}
	return h.together(calls)
}

func (h *Host) deleteScenes(_ context.Context, c serviceCall) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range c.entityIDs() {
		if h.scenes[id] != nil {
			delete(h.scenes, id)
			h.drop(id)
		}
	}
	h.notify()
	return nil, nil
}

// bring has an entity come to a state, as a text.
func (h *Host) bring(ctx context.Context, t target, state string) error {
	value, err := h.fit(t, state)
	if err != nil {
		return err
	}
	return h.operate(ctx, t, value)
}
