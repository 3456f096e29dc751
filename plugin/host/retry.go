package host

import (
	"errors"
	"time"

	"github.com/rs/zerolog"
)

// trouble is what is known of a conversation that failed: what kind it is, so that a repetition is not told again, how long to wait
// (0: the growing back-off), and the sentence for the person who can act.
type trouble struct {
	kind     string
	wait     time.Duration
	level    zerolog.Level
	sentence string
}

// diagnosis turns the error of a conversation into what to do about it. Source of the waits: PROTOCOL.md, section 6.
func diagnosis(err error, t Times) trouble {
	var http *HTTPError
	var missing *NoCompanionError
	var refused *CommandError
	switch {
	case errors.Is(err, ErrAuth):
		return trouble{"auth_invalid", t.Incompatible, zerolog.ErrorLevel,
			"Home Assistant refuses the access token: make a new long-lived token under your profile > Security"}
	case errors.Is(err, ErrReplaced):
		return trouble{"replaced", t.Replaced, zerolog.ErrorLevel,
			"Another SolarHub with the same name took over: give each its own `name:` or stop one of them"}
	case errors.As(err, &missing):
		return trouble{missing.Error(), t.NoCommand, zerolog.ErrorLevel, absence(missing)}
	case errors.As(err, &http):
		return httpTrouble(http, t)
	case errors.As(err, &refused):
		return refusal(refused, t)
	case errors.Is(err, ErrSilent):
		return trouble{"silent", 0, zerolog.WarnLevel, "Home Assistant does not answer any more"}
	}
	return trouble{"unreachable", 0, zerolog.WarnLevel, "Home Assistant cannot be reached"}
}

func absence(err *NoCompanionError) string {
	switch {
	case err.RecoveryMode:
		return "Home Assistant runs in recovery mode, which loads no custom integration: mend its configuration.yaml and restart it"
	case err.SafeMode:
		return "Home Assistant runs in safe mode, which loads no custom integration: restart it without safe mode"
	}
	return "The SolarHub integration is not in Home Assistant: run `solarhub install`, restart Home Assistant, then add SolarHub " +
		"under Settings > Devices & services"
}

func httpTrouble(err *HTTPError, t Times) trouble {
	if err.Starting() {
		return trouble{"starting", t.Starting, zerolog.WarnLevel, "Home Assistant is starting"}
	}
	return trouble{"http", 0, zerolog.ErrorLevel, "No Home Assistant answers at this address"}
}

func refusal(err *CommandError, t Times) trouble {
	switch err.Code {
	case RefusedEntryNotLoaded:
		return trouble{err.Code, t.NotLoaded, zerolog.ErrorLevel,
			"The SolarHub integration is installed but not set up: add SolarHub under Settings > Devices & services"}
	case RefusedOlderProcess:
		return trouble{err.Code, t.Incompatible, zerolog.ErrorLevel,
			"Another SolarHub with the same name started later and is connected: give each its own `name:` or stop one of them"}
	case RefusedIncompatible:
		return trouble{err.Code, t.Incompatible, zerolog.ErrorLevel,
			"This SolarHub and its integration in Home Assistant do not fit together: run `solarhub install` and restart Home Assistant"}
	case RefusedUnauthorized:
		return trouble{err.Code, t.Incompatible, zerolog.ErrorLevel,
			"The access token belongs to a user who is no administrator: make a token as an administrator"}
	case RefusedStaleSession:
		return trouble{err.Code, 0, zerolog.WarnLevel, "Home Assistant has given up this session"}
	}
	return trouble{"refused: " + err.Code, 0, zerolog.ErrorLevel, "Home Assistant refuses a command"}
}
