package devhost

import (
	"cmp"
	"errors"
	"fmt"
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

// ofPlatform are the keys under which the companion says what kind of value a platform takes.
var ofPlatform = map[string]string{"number": "not_a_number", "switch": "not_on_or_off", "time": "not_a_time"}

// failure is how a failed call reaches the caller: an error with the companion's sentence. name is what the owner calls
// the entity or device; platform is the entity's, "" for a device.
func (h *Host) failure(e *host.CallError, name, platform string) *Error {
	texts := map[string]any{}
	for k, v := range e.Placeholders {
		texts[k] = v
	}
	texts["name"], texts["reason"] = name, strings.TrimRight(cmp.Or(e.Reason(), e.Code), ".")
	if unit := e.Placeholders["unit"]; unit != "" {
		texts["unit"] = " " + unit // it follows a number
	}
	failed := &Error{Code: host.RefusedHostError, Domain: domain, Key: e.Code, Placeholders: texts}
	if of := ofPlatform[platform]; of != "" && e.Code == host.CodeWrongType {
		failed.Key = of
	}
	if v := e.Placeholders["value"]; e.Code == host.CodeWrongType && (v == Unknown || v == Unavailable) {
		failed.Key = "not_a_value"
	}
	failed.Message = h.sentence(failed.Key, texts)
	if e.Validation() {
		failed.Code, failed.Message = host.RefusedValidationError, "Validation error: "+failed.Message
	}
	return failed
}

// sentence is the text of an error in English, without a full stop; the reason alone where Options.Texts has none.
func (h *Host) sentence(key string, texts map[string]any) string {
	text, ok := h.options.Texts[key]
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
	return h.failure(host.NewCallError(host.CodeTimeout, host.CodeTimeout,
		map[string]string{"seconds": fmt.Sprint((limit + answerTimeout).Seconds())}), name, "")
}
