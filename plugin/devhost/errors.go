package devhost

import (
	"errors"
	"maps"

	"solarhub/plugin/host"
)

// Error is how Home Assistant refuses a command or fails an action.
type Error struct {
	Code         string            `json:"code"`
	Message      string            `json:"message"`
	Domain       string            `json:"translation_domain,omitempty"`
	Key          string            `json:"translation_key,omitempty"`
	Placeholders map[string]string `json:"translation_placeholders,omitempty"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: host.RefusedUnknownError, Message: err.Error()}
}

// validation is Home Assistant's ServiceValidationError.
func validation(domain, key, text string, placeholders map[string]string) *Error {
	return &Error{Code: host.RefusedValidationError, Message: "Validation error: " + text, Domain: domain, Key: key,
		Placeholders: placeholders}
}

// failure is how a failed call reaches the caller: a translated error of the companion. name is the entity's.
func failure(e *host.CallError, name string) *Error {
	placeholders := maps.Clone(e.Placeholders)
	if placeholders == nil {
		placeholders = map[string]string{}
	}
	if _, ok := placeholders["name"]; !ok && name != "" {
		placeholders["name"] = name
	}
	if e.Validation() {
		return validation("solarhub", e.Code, e.Reason(), placeholders)
	}
	return &Error{Code: host.RefusedHostError, Message: e.Reason(), Domain: "solarhub", Key: e.Code, Placeholders: placeholders}
}

// The failures that the companion makes itself.
func notConnected(name string) *Error {
	return failure(host.NewCallError(host.CodeNotConnected, "SolarHub is not connected", nil), name)
}

func lost(name string) *Error {
	return failure(host.NewCallError(host.CodeLost,
		"the connection to SolarHub was lost: it may or may not have been carried out", nil), name)
}

func timedOut(name string) *Error {
	return failure(host.NewCallError(host.CodeTimeout, "SolarHub did not answer in time", nil), name)
}
