package devhost

import (
	"maps"
	"reflect"
	"slices"
	"time"
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
	LastChanged time.Time      `json:"last_changed"` // when State became what it is
}

// moment is a time as Home Assistant writes it: microseconds, with the offset of UTC in digits.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// put makes a state the current one of its entity and tells those who listen if it is another than before. The mutex is
// held.
func (h *Host) put(id, text string, attributes map[string]any) {
	before := h.states[id]
	next := State{EntityID: id, State: text, Attributes: attributes, LastChanged: time.Now()}
	if before.State == text {
		if reflect.DeepEqual(before.Attributes, attributes) {
			return
		}
		next.LastChanged = before.LastChanged
	}
	h.states[id] = next
	h.changed(before, next)
}

// drop takes the state of an entity away. The mutex is held.
func (h *Host) drop(id string) {
	if before, there := h.states[id]; there {
		delete(h.states, id)
		h.changed(before, State{})
	}
}

// States returns the states of all entities that are not disabled, in the order of their entity_ids.
func (h *Host) States() []State {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]State, 0, len(h.states))
	for _, id := range slices.Sorted(maps.Keys(h.states)) {
		all = append(all, h.states[id])
	}
	return all
}

func (h *Host) getStates(command) (any, error) { return h.States(), nil }

// compressed is a state as subscribe_entities tells it: the time in seconds since 1970.
func compressed(s State) map[string]any {
	return map[string]any{"s": s.State, "a": s.Attributes, "lc": seconds(s.LastChanged)}
}

// difference is what subscribe_entities tells of a change.
func difference(before, after State) map[string]any {
	switch {
	case after.EntityID == "":
		return map[string]any{"r": []string{before.EntityID}}
	case before.EntityID == "":
		return map[string]any{"a": map[string]any{after.EntityID: compressed(after)}}
	}
	plus := map[string]any{}
	change := map[string]any{"+": plus}
	if before.State != after.State {
		plus["s"], plus["lc"] = after.State, seconds(after.LastChanged)
	}
	added, removed := map[string]any{}, []string{}
	for k, v := range after.Attributes {
		if old, there := before.Attributes[k]; !there || !reflect.DeepEqual(old, v) {
			added[k] = v
		}
	}
	for k := range before.Attributes {
		if _, there := after.Attributes[k]; !there {
			removed = append(removed, k)
		}
	}
	if len(added) > 0 {
		plus["a"] = added
	}
	if len(removed) > 0 {
		change["-"] = map[string]any{"a": removed}
	}
	return map[string]any{"c": map[string]any{after.EntityID: change}}
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
