package write

import (
	"errors"
	"strconv"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Stage says how far a failed Set came.
type Stage uint8

// The stages. Up to StageNotSent nothing reached the device.
const (
	StageRefused     Stage = iota // checked and refused: range, step, type, option, read only, not armed
	StageNotSent                  // not identified, line down, deadline passed, cancelled
	StageException                // the device said no
	StageUnknown                  // it went out, no answer came, and it could not be read back
	StageNotVerified              // the device holds something else than was written
)

// Error is a failed Set. Code is one of the codes of plugin/PROTOCOL.md section 5; Fields are its placeholders.
type Error struct {
	Stage  Stage
	Code   string
	Fields map[string]string
	Err    error        // the cause; nil for refusals
	Found  *ask.Reading // what the device holds, where that was read
}

// The codes of Error; plugin/PROTOCOL.md section 5 says which placeholders each has.
const (
	CodeOutOfRange      = "out_of_range"
	CodeOffStep         = "off_step"
	CodeWrongType       = "wrong_type"
	CodeUnknownOption   = "unknown_option"
	CodeReadOnly        = "read_only"
	CodeNotArmed        = "not_armed"
	CodeUnknownEntity   = "unknown_entity"
	CodeNotIdentified   = "not_identified"
	CodeException       = "exception"
	CodeNotVerified     = "not_verified"
	CodeNotAcknowledged = "not_acknowledged"
	CodeNoAnswer        = "no_answer"
	CodeLineDown        = "line_down"
	CodeExpired         = "expired"
	CodeOutcomeUnknown  = "outcome_unknown"
	CodeCancelled       = "cancelled"
	CodeStopping        = "stopping"
	CodeStepFailed      = "step_failed"
	CodeUnknownKey      = "unknown_key"
	CodeFailed          = "failed"
)

// Error returns the sentence for people: the placeholder reason.
func (e *Error) Error() string { return e.Fields["reason"] }

// Unwrap returns the cause, nil for refusals.
func (e *Error) Unwrap() error { return e.Err }

// failure builds an Error about a point; more are further placeholders, name and value in turn.
func failure(stage Stage, p profile.Point, code, reason string, cause error, more ...string) *Error {
	fields := map[string]string{"name": p.Name, "reason": reason}
	for i := 0; i+1 < len(more); i += 2 {
		fields[more[i]] = more[i+1]
	}
	return &Error{Stage: stage, Code: code, Fields: fields, Err: cause}
}

// notSent says why a set-value never went out. cause is the error of the line, of identification or of the caller's
// context.
func (w *Writer) notSent(c *call, p profile.Point, cause error) *Error {
	device := w.cfg.Name
	fail := func(code, reason string, more ...string) *Error {
		return failure(StageNotSent, p, code, p.Name+" was not written: "+reason, cause, more...)
	}
	var wrong *ask.WrongDeviceError
	var no protocol.ExceptionError
	switch {
	case errors.As(cause, &wrong):
		return fail(CodeNotIdentified, wrong.Error(), "device", device)
	case errors.As(cause, &no) && no.FromGateway():
		return fail(CodeNoAnswer, "the device does not answer ("+cause.Error()+")", "device", device, "register",
			registers(p))
	case errors.As(cause, &no):
		return exception(p, device, cause, no)
	case errors.Is(cause, protocol.ErrClosed):
		return fail(CodeStopping, "SolarHub is stopping")
	case errors.Is(cause, protocol.ErrDown):
		return lineDown(p, device, cause)
	case c.ctx.Err() != nil && !c.isLate():
		return fail(CodeCancelled, "the caller gave up ("+cause.Error()+")")
	case errors.Is(cause, protocol.ErrExpired), c.isLate():
		seconds := strconv.FormatFloat(c.set.Deadline.Sub(c.called).Seconds(), 'g', 3, 64)
		return fail(CodeExpired, "the line was not free within "+seconds+" s", "seconds", seconds)
	case errors.Is(cause, protocol.ErrTimeout):
		return fail(CodeNoAnswer, "the device does not answer ("+cause.Error()+")", "device", device, "register",
			registers(p))
	}
	if _, ok := errors.AsType[*protocol.LinkError](cause); ok {
		return lineDown(p, device, cause)
	}
	return fail(CodeFailed, cause.Error())
}

// exception says which register was refused, and how.
func exception(p profile.Point, device string, cause error, no protocol.ExceptionError) *Error {
	reason := device + " refuses " + p.Name + " (" + registers(p) + "): " + no.Error()
	return failure(StageException, p, CodeException, reason, cause,
		"device", device, "register", registers(p), "code", strconv.Itoa(int(no.Code)), "text", no.Text())
}

// lineDown says which line failed, and how.
func lineDown(p profile.Point, device string, cause error) *Error {
	line, reason := "", cause.Error()
	if link, ok := errors.AsType[*protocol.LinkError](cause); ok {
		line, reason = link.Link, link.Error()
	}
	return failure(StageNotSent, p, CodeLineDown, reason, cause, "device", device, "line", line)
}

// registers names the registers that a write to the point changes: "holding 588+2", several joined by a comma.
func registers(p profile.Point) string {
	if p.Write != nil && p.Write.Group != nil {
		return p.Write.Group.Range.String()
	}
	text := ""
	ranges := p.Ranges
	if p.Write != nil {
		ranges, _ = p.WriteTo()
	}
	for i, r := range ranges {
		if i > 0 {
			text += ", "
		}
		text += r.String()
	}
	return text
}
