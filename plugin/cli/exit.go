package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"solarhub/plugin/control"
	"solarhub/plugin/host"
)

// What the process ends with.
const (
	ExitOK      = 0
	ExitFailed  = 1 // it did not work, or check found something
	ExitUsage   = 2 // the command line is wrong, or names what does not exist; nothing was done
	ExitRefused = 3 // the value, or the device, does not allow it; nothing was changed
	ExitUnknown = 4 // a value was sent, and the device does not hold it, or nobody knows what it holds
	ExitAway    = 5 // the device does not answer, is not the one that is expected, or its line is down
)

// exitHelp tells the codes of commands that ask a device.
const exitHelp = `It ends with 0 if it worked, 2 if the command line is wrong or names what does not exist, 3 if the
value or the device does not allow it (nothing was changed), 4 if a value was sent and the device does
not hold it or nobody knows, 5 if the device does not answer, and 1 after any other failure.`

// exitOf returns the code for the failure of an operation.
func exitOf(err *control.Error) int {
	switch err.Code {
	case control.CodeAsked, control.CodeUnknown, host.CodeUnknownKey, host.CodeUnknownEntity:
		return ExitUsage
	case host.CodeOutOfRange, host.CodeOffStep, host.CodeWrongType, host.CodeUnknownOption, host.CodeReadOnly,
		host.CodeNotArmed, host.CodeException:
		return ExitRefused
	case host.CodeNotVerified, host.CodeNotAcknowledged, host.CodeOutcomeUnknown:
		return ExitUnknown
	case host.CodeNoAnswer, host.CodeLineDown, host.CodeNotIdentified:
		return ExitAway
	case control.CodeExchange:
		if err.Line != nil && err.Line.Exception != nil {
			return ExitRefused
		}
		return ExitAway
	}
	return ExitFailed
}

// reportedError is a failure that the command has printed already, with the code to end with.
type reportedError struct{ code int }

func (e *reportedError) Error() string { return fmt.Sprintf("already reported, exit code %d", e.code) }

// failedJSON prints a failure for programs, if it is one of what was asked.
func (a *app) failedJSON(err error) error {
	failure, ok := errors.AsType[*control.Error](err)
	if !ok {
		return err
	}
	return errors.Join(a.printJSON(map[string]any{"error": failure}), &reportedError{exitOf(failure)})
}

// printJSON prints one line.
func (a *app) printJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%s\n", text)
	return err
}
