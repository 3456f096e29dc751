package devhost

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"solarhub/plugin/host"
)

// Error is how Home Assistant refuses a command or fails an action.
type Error struct {
	Code         string         `json:"code"`
	Message      string         `json:"message"`
	Domain       string         `json:"translation_domain,omitempty"`
	Key          string         `json:"translation_key,omitempty"`
	Placeholders map[string]any `json:"translation_placeholders,omitempty"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: host.RefusedUnknownError, Message: err.Error()}
}

func invalid(format string, args ...any) error {
	return &Error{Code: host.RefusedInvalidFormat, Message: fmt.Sprintf(format, args...)}
}

func unauthorized() error { return &Error{Code: host.RefusedUnauthorized, Message: "Unauthorized"} }

// validation is Home Assistant's ServiceValidationError.
func validation(domain, key, text string, placeholders map[string]any) *Error {
	return &Error{Code: host.RefusedValidationError, Message: "Validation error: " + text, Domain: domain, Key: key,
		Placeholders: placeholders}
}

// wanted are the placeholders of each error of a call beside name and reason. Source: PROTOCOL.md, section 5.
var wanted = map[string]string{
	host.CodeOutOfRange: "value min max unit", host.CodeOffStep: "value step below above", host.CodeWrongType: "value",
	host.CodeUnknownOption: "value options", host.CodeReadOnly: "", host.CodeNotArmed: "key",
	host.CodeUnknownEntity: "id",
	host.CodeNotIdentified: "device", host.CodeException: "device register code text",
	host.CodeNotAcknowledged: "device register wanted found",
	host.CodeNotVerified:     "device register wanted found", host.CodeNoAnswer: "device register",
	host.CodeLineDown: "device line",
	host.CodeExpired:  "seconds", host.CodeOutcomeUnknown: "device register", host.CodeSuperseded: "value",
	host.CodeQueueFull: "",
	host.CodeCancelled: "", host.CodeStopping: "", host.CodeFailed: "", host.CodeNotConnected: "", host.CodeLost: "",
	host.CodeTimeout: "seconds",
}

// ofPlatform are the keys under which the companion says what kind of value a platform takes.
var ofPlatform = map[string]string{"number": "not_a_number", "switch": "not_on_or_off", "time": "not_a_time"}

// failure is how a failed call reaches the caller: a translated error of the companion, complete in any case: a
// placeholder that is missing is a question mark, a unit that is missing nothing, a code that is not known is "failed".
// name is what the owner calls the entity; platform is the entity's, "" for a device.
func (h *Host) failure(e *host.CallError, name, platform string) *Error {
	code, given := e.Code, e.Placeholders
	reason, ok := given["reason"]
	if !ok {
		reason = cmp.Or(code, "None")
	}
	names, known := wanted[code]
	if !known {
		code, names = host.CodeFailed, ""
	}
	texts := map[string]any{}
	for _, n := range strings.Fields(names) {
		texts[n] = "?"
	}
	for k, v := range given {
		texts[k] = v
	}
	texts["name"], texts["reason"] = name, strings.TrimRight(reason, ".")
	if strings.Contains(names, "unit") {
		texts["unit"] = ""
		if given["unit"] != "" {
			texts["unit"] = " " + given["unit"]
		}
	}
	key := code
	if of := ofPlatform[platform]; of != "" && code == host.CodeWrongType {
		key = of
	}
	text := h.sentence(key, texts)
	if (&host.CallError{Code: code}).Validation() {
		return validation(domain, key, text, texts)
	}
	return &Error{Code: host.RefusedHostError, Message: text, Domain: domain, Key: key, Placeholders: texts}
}

// sentence is the text of an error in English, without a dot at the end; the reason alone where Options.Texts has none.
func (h *Host) sentence(code string, texts map[string]any) string {
	text, ok := h.options.Texts[code]
	if !ok {
		return fmt.Sprint(texts["reason"])
	}
	for k, v := range texts {
		text = strings.ReplaceAll(text, "{"+k+"}", fmt.Sprint(v))
	}
	return strings.TrimSuffix(text, ".")
}

// The failures that the companion makes itself.
func (h *Host) notConnected(name string) *Error {
	return h.failure(&host.CallError{Code: host.CodeNotConnected}, name, "")
}

func (h *Host) lost(name string) *Error {
	return h.failure(&host.CallError{Code: host.CodeLost}, name, "")
}

func (h *Host) timedOut(name string, limit time.Duration) *Error {
	seconds := fmt.Sprint(math.Round((limit + h.options.Answer).Seconds()))
	return h.failure(&host.CallError{Code: host.CodeTimeout, Placeholders: map[string]string{"seconds": seconds}}, name,
		"")
}
