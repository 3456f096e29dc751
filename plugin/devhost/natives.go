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

	"solarhub/plugin/host"
)

// native is an action of one of Home Assistant's own platforms. convert turns its data into the value that travels to the
// plugin, with Home Assistant's own checks; it is called for each entity.
type native struct {
	fields  map[string]field
	convert func(h *Host, t target, data map[string]any) (any, error)
}

var natives = map[string]native{
	"number.set_value":       {map[string]field{"value": needs(float)}, setNumber},
	"select.select_option":   {map[string]field{"option": needs(textual)}, setOption},
	"select.select_next":     {map[string]field{"cycle": may(boolean)}, step(1)},
	"select.select_previous": {map[string]field{"cycle": may(boolean)}, step(-1)},
	"select.select_first":    {nil, func(_ *Host, t target, _ map[string]any) (any, error) { return t.def.Options[0], nil }},
	"select.select_last": {nil, func(_ *Host, t target, _ map[string]any) (any, error) {
		return t.def.Options[len(t.def.Options)-1], nil
	}},
	"switch.turn_on":  {nil, func(*Host, target, map[string]any) (any, error) { return true, nil }},
	"switch.turn_off": {nil, func(*Host, target, map[string]any) (any, error) { return false, nil }},
	"switch.toggle":   {nil, func(_ *Host, t target, _ map[string]any) (any, error) { return t.state != "on", nil }},
	"text.set_value":  {map[string]field{"value": needs(textual)}, setText},
	"time.set_value":  {map[string]field{"time": needs(timeOfDay)}, setTime},
	"button.press":    {nil, func(*Host, target, map[string]any) (any, error) { return nil, nil }},
}

// float is what Python's float takes.
var float = kind{"float", func(v any) bool {
	switch v := v.(type) {
	case float64, bool:
		return true
	case string:
		_, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return err == nil
	}
	return false
}}

func asFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
	case string:
		f, _ := strconv.ParseFloat(strings.TrimSpace(v), 64) // float has tried it
		return f
	}
	return 0
}

// textual is what is taken for a text: a number is written out.
var textual = kind{"str", func(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}}

func asText(v any) string {
	switch v := v.(type) {
	case float64:
		return number(v)
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return fmt.Sprint(v)
}

// run carries a native action out for each entity that it is aimed at, all at once.
func (n native) run(h *Host, ctx context.Context, c serviceCall) (any, error) {
	var calls []func() error
	for _, t := range h.usable(c.Data, c.Domain, c.by) {
		calls = append(calls, func() error {
			value, err := n.convert(h, t, c.Data)
			if err != nil {
				return err
			}
			if t.def.Platform == "button" {
				h.pressed(t)
			}
			return h.operate(ctx, t, value, c.by)
		})
	}
	return nil, together(calls)
}

// pressed notes when a button was pressed last: before anything comes of it, as in the real one.
func (h *Host) pressed(t target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entities[t.def.ID]; e != nil && e.seen != nil {
		e.pressed = moment(time.Now())
		h.write(e)
	}
}

// python writes a float as Python does: a whole one with ".0".
func python(v float64) string {
	if math.IsInf(v, 0) {
		return strings.TrimPrefix(strings.ToLower(number(v)), "+")
	}
	if s := number(v); v != math.Trunc(v) || strings.Contains(s, "e") {
		return s
	}
	return number(v) + ".0"
}

func setNumber(h *Host, t target, data map[string]any) (any, error) {
	v := asFloat(data["value"])
	if math.IsNaN(v) {
		return nil, h.wrongType(t, "nan")
	}
	if low, high := *t.def.Min, *t.def.Max; v < low || v > high {
		return nil, validation("number", "out_of_range", fmt.Sprintf("Value %s for %s is outside valid range %s - %s", python(v),
			t.entityID, number(low), number(high)), map[string]any{"value": host.Value(v), "entity_id": t.entityID,
			"min_value": number(low), "max_value": number(high)})
	}
	return v, nil
}

func setOption(_ *Host, t target, data map[string]any) (any, error) {
	v := asText(data["option"])
	if !slices.Contains(t.def.Options, v) {
		all := strings.Join(t.def.Options, ", ")
		return nil, validation("select", "not_valid_option", fmt.Sprintf("Option %s is not valid for entity %s, valid options are: %s",
			v, t.entityID, all), map[string]any{"entity_id": t.entityID, "option": v, "options": all})
	}
	return v, nil
}

// step takes the next option in one direction; beyond the last comes the first again, unless cycle is false.
func step(by int) func(h *Host, t target, data map[string]any) (any, error) {
	return func(_ *Host, t target, data map[string]any) (any, error) {
		all := t.def.Options
		n := slices.Index(all, t.state) + by
		if cycle, given := data["cycle"].(bool); given && !cycle {
			return all[min(max(n, 0), len(all)-1)], nil
		}
		return all[(n%len(all)+len(all))%len(all)], nil
	}
}

func setText(_ *Host, t target, data map[string]any) (any, error) {
	v, e := asText(data["value"]), entity{def: t.def}
	n := utf8.RuneCountInString(v)
	fail := func(key, format string, limit any, name string) error {
		return validation("text", key, fmt.Sprintf(format, v, t.entityID, limit),
			map[string]any{"value": v, "entity_id": t.entityID, name: fmt.Sprint(limit)})
	}
	switch {
	case n < e.shortest():
		return nil, fail("value_too_short", "Value %s for %s is too short (minimum length %v)", e.shortest(), "min")
	case n > e.longest():
		return nil, fail("value_too_long", "Value %s for %s is too long (maximum length %v)", e.longest(), "max")
	case t.def.Pattern != "" && !begins(t.def.Pattern).MatchString(v):
		return nil, fail("value_pattern_mismatch", "Value %s for %s doesn't match pattern %v", t.def.Pattern, "pattern")
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

func setTime(_ *Host, _ target, data map[string]any) (any, error) { return asTime(data["time"]), nil }
