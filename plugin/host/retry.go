package host

import (
	"errors"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// failure says why a session could not be opened or was lost, and what to do about it.
type failure struct {
	kind     string        // a failure of the kind that was logged last is not logged again
	wait     time.Duration // before the next attempt; 0 means the growing back-off
	level    zerolog.Level
	sentence string // for the person who can act
}

// restarting reports whether the host was seen to be down on a machine that is up, or to be starting. It did not just
// drop the session, so the back-off begins anew.
func restarting(err error) bool {
	status, ok := errors.AsType[*HTTPError](err)
	return errors.Is(err, ErrStarting) || errors.Is(err, syscall.ECONNREFUSED) || ok && status.Starting()
}

// classify turns the error of a session into a failure. The waits are those of PROTOCOL.md, section 6.
func classify(err error) failure {
	var http *HTTPError
	var missing *NoCompanionError
	var refused *CommandError
	switch {
	case errors.Is(err, ErrAuth):
		return failure{"auth_invalid", waitRefused, zerolog.ErrorLevel,
			"Home Assistant refuses the access token: get a new one with `solarhub login`"}
	case errors.Is(err, ErrReplaced):
		return failure{"replaced", waitReplaced, zerolog.ErrorLevel,
			"Another SolarHub with the same name took over: give each its own `name:` or stop one of them"}
	case errors.Is(err, ErrStarting):
		return failure{"starting", waitStarting, zerolog.InfoLevel, "Home Assistant is starting"}
	case errors.Is(err, syscall.ECONNREFUSED): // its machine is up, so it is likely to restart
		return failure{"unreachable", waitStarting, zerolog.WarnLevel, "Home Assistant cannot be reached"}
	case errors.Is(err, ErrStopped):
		return failure{"stopped", retryFirst, zerolog.WarnLevel,
			"SolarHub was stopped for a while (suspended or paused): what was asked of it meanwhile is not carried out"}
	case errors.Is(err, ErrTooMuch):
		return failure{"too much", 0, zerolog.ErrorLevel,
			"Home Assistant sent more than SolarHub accepts in one message"}
	case errors.As(err, &missing):
		return failure{missing.Error(), waitNotInstalled, zerolog.ErrorLevel, missingCompanion(missing)}
	case errors.As(err, &http):
		return httpFailure(http)
	case errors.As(err, &refused):
		return refusalFailure(refused)
	case errors.Is(err, ErrSilent):
		return failure{"silent", 0, zerolog.WarnLevel, "Home Assistant has stopped answering"}
	}
	return failure{"unreachable", 0, zerolog.WarnLevel, "Home Assistant cannot be reached"}
}

func missingCompanion(err *NoCompanionError) string {
	switch {
	case err.RecoveryMode:
		return "Home Assistant runs in recovery mode, which loads no custom integration: " +
			"repair its configuration.yaml and restart it"
	case err.SafeMode:
		return "Home Assistant runs in safe mode, which loads no custom integration: restart it without safe mode"
	}
	return "The SolarHub integration is not in Home Assistant: run `solarhub install`, restart Home Assistant, " +
		"then add SolarHub under Settings > Devices & services"
}

func httpFailure(err *HTTPError) failure {
	if err.Starting() {
		return failure{"starting", waitStarting, zerolog.InfoLevel, "Home Assistant is starting"}
	}
	return failure{"http", 0, zerolog.ErrorLevel, "No Home Assistant answers at this address"}
}

func refusalFailure(err *CommandError) failure {
	switch err.Code {
	case RefusedEntryNotLoaded:
		return failure{err.Code, waitNotLoaded, zerolog.ErrorLevel,
			"The SolarHub integration is installed but not set up: add SolarHub under Settings > Devices & services"}
	case RefusedInUse:
		return failure{err.Code, waitInUse, zerolog.ErrorLevel,
			"Another SolarHub with the same name is connected to this Home Assistant: " +
				"give each its own `name:` or stop one of them"}
	case RefusedIncompatible:
		return failure{err.Code, waitRefused, zerolog.ErrorLevel,
			"This SolarHub and its integration in Home Assistant do not fit together: " +
				"run `solarhub install` and restart Home Assistant"}
	case RefusedUnauthorized:
		return failure{err.Code, waitRefused, zerolog.ErrorLevel,
			"The access token belongs to a user who is not an administrator: make a token as an administrator"}
	case RefusedStaleSession:
		return failure{err.Code, 0, zerolog.WarnLevel, "Home Assistant has ended this session"}
	}
	return failure{"refused: " + err.Code, 0, zerolog.ErrorLevel, "Home Assistant refuses a command"}
}
