package host

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits of a call. The longest time that the companion gives is that of a refresh, 120 s.
const (
	maxCallTime   = 10 * time.Minute
	maxCallText   = 255 // characters of a value or a name; also the longest state of Home Assistant
	maxMembers    = 125 // of a group: registers that one request writes
	maxCallIDText = 64  // characters of a call id; the companion's have 26
)

// checkCall says what is wrong with a call, before anything is done with it. Whether the entity takes the value is the
// plugin's to say.
func checkCall(c Call) *CallError {
	for field, text := range map[string]string{"action": c.Action, "id": c.ID, "device": c.Device, "group": c.Group,
		"found": c.Found} {
		if n := utf8.RuneCountInString(text); n > maxCallText {
			return malformed("%s has %d characters, at most %d are allowed", field, n, maxCallText)
		}
	}
	switch most := maxCallTime.Milliseconds(); {
	case c.RemainingMS > most:
		return malformed("remaining_ms is %d, at most %d are allowed", c.RemainingMS, most)
	case c.RemainingMS <= 0:
		return NewCallError(CodeExpired, "no time was left", map[string]string{"seconds": "0"})
	}
	return checkValues(c)
}

// checkValues refuses values that nothing can take.
func checkValues(c Call) *CallError {
	if len(c.Values) > maxMembers {
		return malformed("values has %d members, at most %d are allowed", len(c.Values), maxMembers)
	}
	for key, v := range c.Values {
		if n := utf8.RuneCountInString(key); n > maxCallText {
			return malformed("a key has %d characters, at most %d are allowed", n, maxCallText)
		}
		if err := checkValue(v); err != nil {
			return err
		}
	}
	return checkValue(c.Value)
}

// checkValue refuses a value that no entity can take.
func checkValue(v any) *CallError {
	const expected = "a number, a text or true or false"
	switch v := v.(type) {
	case nil, bool, float64:
		return nil
	case string:
		if n := utf8.RuneCountInString(v); n > maxCallText {
			return NewCallError(CodeWrongType,
				fmt.Sprintf("the value has %d characters, at most %d are allowed", n, maxCallText),
				map[string]string{"value": v, "expected": fmt.Sprintf("at most %d characters", maxCallText)})
		}
		return nil
	}
	return NewCallError(CodeWrongType, "the value is a list or an object; "+expected+" is expected",
		map[string]string{"value": fmt.Sprint(v), "expected": expected})
}

func malformed(format string, args ...any) *CallError {
	return NewCallError(CodeFailed, "the call is malformed: "+fmt.Sprintf(format, args...), nil)
}

// callIDOf returns the id of a call, if the text is a call with an id that can be answered.
func callIDOf(text json.RawMessage) (id string, ok bool) {
	var e struct {
		Type   any `json:"type"`
		CallID any `json:"call_id"`
	}
	if json.Unmarshal(text, &e) != nil || e.Type != EventCall {
		return "", false
	}
	id, ok = e.CallID.(string)
	return id, ok && id != "" && utf8.RuneCountInString(id) <= maxCallIDText
}
