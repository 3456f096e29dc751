package devhost

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// native is an action of one of Home Assistant's own platforms. value turns its data into the value that travels to the
// plugin, and refuses what Home Assistant refuses; it is called for each entity.
type native struct {
	field string // of the data, beside entity_id; empty: none
	kind  kind
	value func(t target, given any) (any, error)
}

var natives = map[string]native{
	"number.set_value":     {"value", float, setNumber},
	"select.select_option": {"option", str, setOption},
	"switch.turn_on":       {value: func(target, any) (any, error) { return true, nil }},
	"switch.turn_off":      {value: func(target, any) (any, error) { return false, nil }},
	"text.set_value":       {"value", str, setText},
	"time.set_value":       {"time", timeOfDay, func(_ target, v any) (any, error) { return asTime(v), nil }},
	"button.press":         {value: func(target, any) (any, error) { return nil, nil }},
}

func nativeActions() map[string]action {
	all := map[string]action{}
	for name, n := range natives {
		fields := map[string]field{"entity_id": needs(ids)}
		if n.field != "" {
			fields[n.field] = needs(n.kind)
		}
		all[name] = action{fields: fields, run: n.run}
	}
	return all
}

// float is a number, or a text that is one.
var float = kind{"float", func(v any) bool { return !math.IsNaN(asFloat(v)) }}

// asFloat reads a number; NaN is none.
func asFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f
		}
	}
	return math.NaN()
}

// run carries a native action out for each entity that it names, all at once. Those that are unavailable are left out
// without a word to the caller, as in the real one. The others show for a while what happens as the act of the caller.
func (n native) run(h *Host, ctx context.Context, c serviceCall) (any, error) {
	var calls []func() error
	h.mu.Lock()
	named, _ := entityIDs(c.Data["entity_id"]) // fit has tried it
	for _, id := range named {
		e := h.byEntityID[id]
		if e == nil || e.def.Platform != c.Domain || !e.available() {
			h.options.Log.Warn().Str("entity_id", id).Msg("An entity is not available, so an action leaves it out")
			continue
		}
		e.touch(c.by)
		t := e.target()
		calls = append(calls, func() error {
			value, err := n.value(t, c.Data[n.field])
			if err != nil {
				return err
			}
			if t.def.Platform == "button" {
				h.pressed(t)
			}
			return h.operate(ctx, t, value, c.by)
		})
	}
	h.mu.Unlock()
	return nil, together(calls)
}

// pressed notes when a button was pressed last: before anything comes of it, as in the real one.
func (h *Host) pressed(t target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entities[t.def.ID]; e != nil && e.shown != nil {
		e.pressed = moment(time.Now())
		h.write(e)
	}
}

func setNumber(t target, given any) (any, error) {
	v := asFloat(given)
	if low, high := *t.def.Min, *t.def.Max; v < low || v > high {
		return nil, validation("number", "out_of_range", fmt.Sprintf("%s takes %s to %s, not %s", t.name, number(low),
			number(high),
			number(v)), nil)
	}
	return v, nil
}

func setOption(t target, given any) (any, error) {
	v := given.(string)
	if !slices.Contains(t.def.Options, v) {
		return nil, validation("select", "not_valid_option", fmt.Sprintf("%s takes %s, not %s", t.name,
			strings.Join(t.def.Options, ", "), v), nil)
	}
	return v, nil
}

func setText(t target, given any) (any, error) {
	v, e := given.(string), entity{def: t.def}
	if n := utf8.RuneCountInString(v); n < e.shortest() || n > e.longest() {
		return nil, validation("text", "value_length", fmt.Sprintf("%s takes %d to %d characters", t.name, e.shortest(),
			e.longest()), nil)
	}
	if t.def.Pattern != "" && !begins(t.def.Pattern).MatchString(v) {
		return nil, validation("text", "value_pattern_mismatch", fmt.Sprintf("%s takes %s, not %s", t.name,
			t.def.Pattern, v), nil)
	}
	return v, nil
}

var clockWithSeconds = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?$`)

var timeOfDay = kind{"a time", func(v any) bool { s, ok := v.(string); return ok && clockWithSeconds.MatchString(s) }}

// asTime is a time of day as the contract has it; with seconds, which the plugin refuses, if there are any.
func asTime(v any) string {
	m := clockWithSeconds.FindStringSubmatch(fmt.Sprint(v))
	at := fmt.Sprintf("%02s:%s", m[1], m[2])
	if m[3] != "" && m[3] != "00" {
		return at + ":" + m[3]
	}
	return at
}
