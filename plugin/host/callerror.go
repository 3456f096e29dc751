package host

// The codes of a failed Call. Which placeholders belong to which is a table of PROTOCOL.md, section 5.
const (
	CodeOutOfRange     = "out_of_range"
	CodeOffStep        = "off_step"
	CodeWrongType      = "wrong_type"
	CodeUnknownOption  = "unknown_option"
	CodeReadOnly       = "read_only"
	CodeNotArmed       = "not_armed"
	CodeUnknownEntity  = "unknown_entity"
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

// placeholderReason is the placeholder that every error carries: an English sentence.
const placeholderReason = "reason"

// CallError is why a Call failed: a code and the texts that go into the translated sentence.
type CallError struct {
	Code         string            `json:"code"`
	Placeholders map[string]string `json:"placeholders"`
}

// NewCallError returns the error with code and reason, an English sentence, and the placeholders of more, which may be nil
// and is copied.
func NewCallError(code, reason string, more map[string]string) *CallError {
	all := make(map[string]string, len(more)+1)
	for k, v := range more {
		all[k] = v
	}
	all[placeholderReason] = reason
	return &CallError{Code: code, Placeholders: all}
}

// Reason returns the English sentence.
func (e *CallError) Reason() string { return e.Placeholders[placeholderReason] }

func (e *CallError) Error() string {
	if reason := e.Reason(); reason != "" {
		return e.Code + ": " + reason
	}
	return e.Code
}

// Validation reports whether the fault lies in what was asked for, so that asking again the same way cannot succeed.
// Source: PROTOCOL.md, section 5.
func (e *CallError) Validation() bool {
	switch e.Code {
	case CodeOutOfRange, CodeOffStep, CodeWrongType, CodeUnknownOption, CodeReadOnly, CodeNotArmed, CodeUnknownEntity:
		return true
	}
	return false
}
