package host

import "unicode/utf8"

// The codes of a failed Call. PROTOCOL.md, section 5, lists the placeholders of each.
const (
	CodeOutOfRange     = "out_of_range"
	CodeOffStep        = "off_step"
	CodeWrongType      = "wrong_type"
	CodeUnknownOption  = "unknown_option"
	CodeReadOnly       = "read_only"
	CodeNotArmed       = "not_armed"
	CodeUnknownEntity  = "unknown_entity"
	CodeUnknownKey     = "unknown_key"
	CodeSeveralFailed  = "several_failed"
	CodeStepFailed     = "step_failed"
	CodeNotIdentified  = "not_identified"
	CodeException      = "exception"
	CodeNotVerified    = "not_verified"
	CodeNoAnswer       = "no_answer"
	CodeLineDown       = "line_down"
	CodeExpired        = "expired"
	CodeOutcomeUnknown = "outcome_unknown"
	CodeSuperseded     = "superseded"
	CodeQueueFull      = "queue_full"
	CodeCancelled      = "cancelled"
	CodeStopping       = "stopping"
	CodeFailed         = "failed"
)

// Codes that only the companion raises.
const (
	CodeNotConnected = "not_connected"
	CodeLost         = "lost"
	CodeTimeout      = "timeout"
)

// placeholderReason is the placeholder that every error has: an English sentence.
const placeholderReason = "reason"

// CallError is why a Call failed: a code and the texts that go into the translated sentence.
type CallError struct {
	Code         string            `json:"code"`
	Placeholders map[string]string `json:"placeholders"`
}

// NewCallError returns an error with a code, a reason (an English sentence) and further placeholders, which it copies.
// more may be nil.
func NewCallError(code, reason string, more map[string]string) *CallError {
	all := make(map[string]string, len(more)+1)
	for k, v := range more {
		all[k] = shortened(v)
	}
	all[placeholderReason] = shortened(reason)
	return &CallError{Code: code, Placeholders: all}
}

// maxPlaceholder is how many characters of a placeholder are kept. The host shows it to a person.
const maxPlaceholder = 255

func shortened(text string) string {
	if utf8.RuneCountInString(text) <= maxPlaceholder {
		return text
	}
	return string([]rune(text)[:maxPlaceholder-1]) + "…"
}

// Reason returns the English sentence.
func (e *CallError) Reason() string { return e.Placeholders[placeholderReason] }

func (e *CallError) Error() string {
	if reason := e.Reason(); reason != "" {
		return e.Code + ": " + reason
	}
	return e.Code
}

// Validation reports whether the request itself is at fault, so that the same request cannot succeed later.
// Source: PROTOCOL.md, section 5.
func (e *CallError) Validation() bool {
	switch e.Code {
	case CodeOutOfRange, CodeOffStep, CodeWrongType, CodeUnknownOption, CodeReadOnly, CodeNotArmed, CodeUnknownEntity,
		CodeUnknownKey:
		return true
	}
	return false
}

// CodeNotAcknowledged: the device never acknowledged the write, and holds another value.
const CodeNotAcknowledged = "not_acknowledged"
