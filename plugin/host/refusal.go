package host

// CommandError is the host's refusal of a command. Its code is one of the host's own (unknown_command, unauthorized,
// invalid_format ...) or one of PROTOCOL.md, section 3.
type CommandError struct {
	Command string `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *CommandError) Error() string { return e.Command + ": " + e.Code + ": " + e.Message }

// Codes with which the host refuses a command.
const (
	RefusedUnknownCommand  = "unknown_command"
	RefusedUnauthorized    = "unauthorized"
	RefusedInvalidFormat   = "invalid_format"
	RefusedEntryNotLoaded  = "entry_not_loaded"
	RefusedStaleSession    = "stale_session"
	RefusedBadSequence     = "bad_sequence"
	RefusedOlderProcess    = "older_process"
	RefusedIncompatible    = "incompatible_protocol"
	RefusedIDReuse         = "id_reuse"
	RefusedNotFound        = "not_found"
	RefusedHostError       = "home_assistant_error"
	RefusedValidationError = "service_validation_error"
	RefusedUnknownError    = "unknown_error"
)
