package host

import "errors"

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
	RefusedInUse           = "installation_in_use"
	RefusedIncompatible    = "incompatible_protocol"
	RefusedIDReuse         = "id_reuse"
	RefusedNotFound        = "not_found"
	RefusedHostError       = "home_assistant_error"
	RefusedValidationError = "service_validation_error"
	RefusedUnknownError    = "unknown_error"
)

// endsSession reports whether a refusal concerns the session and not only the frame that was refused.
func (e *CommandError) endsSession() bool {
	switch e.Code {
	case RefusedStaleSession, RefusedEntryNotLoaded, RefusedUnknownCommand, RefusedUnauthorized, RefusedIDReuse:
		return true
	}
	return false
}

// dropRefused returns nil if the host refused one frame and the session goes on without it. It logs the first refusal
// of each kind in a session. Any other error is returned as it is.
func (s *Session) dropRefused(err error) error {
	refused, ok := errors.AsType[*CommandError](err)
	if !ok || refused.endsSession() {
		return err
	}
	s.mu.Lock()
	logged := s.refusals[refused.Command+refused.Code]
	s.refusals[refused.Command+refused.Code] = true
	s.mu.Unlock()
	if !logged {
		s.log.Error().Err(err).Msg("Home Assistant refuses a message, which is dropped")
	}
	return nil
}
