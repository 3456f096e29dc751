package devhost

import (
	"context"
	"encoding/json"
	"reflect"
	"time"
)

// The states of an entity that has no value.
const (
	Unavailable = "unavailable"
	Unknown     = "unknown"
)

// State is an entity as Home Assistant shows it.
type State struct {
	EntityID     string         `json:"entity_id"`
	State        string         `json:"state"`
	Attributes   map[string]any `json:"attributes"`
	LastChanged  time.Time      `json:"last_changed"`
	LastReported time.Time      `json:"last_reported"`
	LastUpdated  time.Time      `json:"last_updated"`
	Context      Context        `json:"context"`
}

// Context says who caused something: the user of an action, or what an automation reacted to.
type Context struct {
	ID       string  `json:"id"`
	ParentID *string `json:"parent_id"`
	UserID   *string `json:"user_id"`
}

// stamp is a moment as Home Assistant writes it: microseconds, with the offset of UTC in digits.
const stamp = "2006-01-02T15:04:05.000000-07:00"

// MarshalJSON writes the moments as Home Assistant does.
func (s State) MarshalJSON() ([]byte, error) {
	type plain State
	return json.Marshal(struct {
		plain
		LastChanged  string `json:"last_changed"`
		LastReported string `json:"last_reported"`
		LastUpdated  string `json:"last_updated"`
	}{plain(s), moment(s.LastChanged), moment(s.LastReported), moment(s.LastUpdated)})
}

func moment(t time.Time) string { return t.UTC().Format(stamp) }

// put makes a state the current one of its entity and tells those who listen if it is another than before. Which
// moments it carries is decided here. The mutex is held.
func (h *Host) put(id, text string, attributes map[string]any, by Context) {
	now := time.Now()
	before, there := h.states[id]
	next := State{EntityID: id, State: text, Attributes: attributes, LastChanged: now, LastReported: now,
		LastUpdated: now, Context: by}
	if there && before.State == text {
		if reflect.DeepEqual(before.Attributes, attributes) {
			before.LastReported = now
			h.states[id] = before
			return
		}
		next.LastChanged = before.LastChanged
	}
	h.states[id] = next
	if !there {
		h.order = append(h.order, id)
		before = State{}
	}
	h.changed(before, next)
}

// drop takes the state of an entity away. The mutex is held.
func (h *Host) drop(id string) {
	before, there := h.states[id]
	if !there {
		return
	}
	delete(h.states, id)
	for i, o := range h.order {
		if o == id {
			h.order = append(h.order[:i:i], h.order[i+1:]...)
			break
		}
	}
	h.changed(before, State{})
}

// States returns the states of all entities that are not disabled, in the order in which they came.
func (h *Host) States() []State {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]State, 0, len(h.order))
	for _, id := range h.order {
		all = append(all, h.states[id])
	}
	return all
}

func (h *Host) getStates(context.Context, command) (any, error) { return h.States(), nil }

// compressed is a state as subscribe_entities tells it: times in seconds since 1970, the last update only where it is
// not the last change, the context as its id alone where nothing else is in it.
func compressed(s State) map[string]any {
	c := map[string]any{"s": s.State, "a": s.Attributes, "lc": seconds(s.LastChanged), "c": s.Context.ID}
	if s.Context.ParentID != nil || s.Context.UserID != nil {
		c["c"] = s.Context
	}
	if !s.LastUpdated.Equal(s.LastChanged) {
		c["lu"] = seconds(s.LastUpdated)
	}
	return c
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
		plus["s"] = after.State
	}
	if !before.LastChanged.Equal(after.LastChanged) {
		plus["lc"] = seconds(after.LastChanged)
	} else if !before.LastUpdated.Equal(after.LastUpdated) {
		plus["lu"] = seconds(after.LastUpdated)
	}
	if c := contextChange(before.Context, after.Context); c != nil {
		plus["c"] = c
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

func contextChange(before, after Context) any {
	c := map[string]any{}
	if !reflect.DeepEqual(before.ParentID, after.ParentID) {
		c["parent_id"] = after.ParentID
	}
	if !reflect.DeepEqual(before.UserID, after.UserID) {
		c["user_id"] = after.UserID
	}
	switch {
	case before.ID == after.ID && len(c) == 0:
		return nil
	case len(c) == 0:
		return after.ID
	case before.ID != after.ID:
		c["id"] = after.ID
	}
	return c
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
