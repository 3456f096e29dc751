package devices

import (
	"errors"
	"strconv"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// The codes of WriteError; plugin/PROTOCOL.md section 5 says which placeholders each has.
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
	CodeCancelled      = "cancelled"
	CodeStopping       = "stopping"
	CodeFailed         = "failed"
)

// Error returns the sentence for people: the placeholder reason.
func (e *WriteError) Error() string { return e.Fields["reason"] }

// Unwrap returns the cause, nil for refusals.
func (e *WriteError) Unwrap() error { return e.Err }

// failure builds a WriteError about a point; more are further placeholders, name and value in turn.
func failure(stage Stage, p profile.Point, code, reason string, cause error, more ...string) *WriteError {
	fields := map[string]string{"name": p.Name, "reason": reason}
	for i := 0; i+1 < len(more); i += 2 {
		fields[more[i]] = more[i+1]
	}
	return &WriteError{Stage: stage, Code: code, Fields: fields, Err: cause}
}

// notSent says why a set-value never went out. cause is the error of the line, of identification or of the caller's context.
func (d *Device) notSent(j *job, cause error) *WriteError {
	p, device := j.point, d.name()
	fail := func(code, reason string, more ...string) *WriteError {
		return failure(StageNotSent, p, code, p.Name+" was not written: "+reason, cause, more...)
	}
	var wrong *identityError
	var no protocol.ExceptionError
	switch {
	case errors.As(cause, &wrong):
		return fail(CodeNotIdentified, wrong.Error(), "device", device)
	case notReached(cause):
		return fail(CodeNoAnswer, "the device does not answer ("+cause.Error()+")", "device", device, "register", registers(p))
	case errors.As(cause, &no):
		return exception(StageException, p, device, cause, no)
	case errors.Is(cause, protocol.ErrClosed):
		return fail(CodeStopping, "SolarHub is stopping")
	case errors.Is(cause, protocol.ErrDown):
		return fail(CodeLineDown, cause.Error(), "device", device, "line", lineName(cause))
	case j.ctx.Err() != nil && !j.late():
		return fail(CodeCancelled, "the caller gave up ("+cause.Error()+")")
	case errors.Is(cause, protocol.ErrExpired), j.late():
		seconds := strconv.FormatFloat(j.set.Deadline.Sub(j.called).Seconds(), 'g', 3, 64)
		return fail(CodeExpired, "the line was not free within "+seconds+" s", "seconds", seconds)
	case errors.Is(cause, protocol.ErrTimeout):
		return fail(CodeNoAnswer, "the device does not answer ("+cause.Error()+")", "device", device, "register", registers(p))
	}
	if line := lineName(cause); line != "" {
		return fail(CodeLineDown, cause.Error(), "device", device, "line", line)
	}
	return fail(CodeFailed, cause.Error())
}

// exception says which register was refused, and how.
func exception(stage Stage, p profile.Point, device string, cause error, no protocol.ExceptionError) *WriteError {
	reason := device + " refuses " + p.Name + " (" + registers(p) + "): " + no.Error()
	return failure(stage, p, CodeException, reason, cause,
		"device", device, "register", registers(p), "code", strconv.Itoa(int(no.Code)), "text", no.Text())
}

// lineName returns what the failed line is called, or nothing.
func lineName(err error) string {
	if link, ok := errors.AsType[*protocol.LinkError](err); ok {
		return link.Link
	}
	return ""
}

// registers names the registers of a point: "holding 588+2", several joined by a comma.
func registers(p profile.Point) string {
	text := ""
	for i, r := range p.Ranges {
		if i > 0 {
			text += ", "
		}
		text += r.String()
	}
	return text
}
