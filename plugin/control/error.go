package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"solarhub/protocol"
)

// Codes of an Error that do not come from a device. A set-value has those of plugin/PROTOCOL.md section 5 beside them.
const (
	CodeAsked    = "asked"     // what is asked cannot be understood
	CodeUnknown  = "unknown"   // there is no such device, point or line
	CodeFailed   = "failed"    // anything else
	CodeExchange = "exchange"  // a line or device did not answer as it should
	CodeEnded    = "ended"     // the program ended, or the one who asked gave up
	CodeNotHere  = "not_there" // this program does not do that
)

// Error is why an operation failed. What failed on a line is found in it by errors.Is and errors.As, as if the line
// were this process's own.
type Error struct {
	Code   string            `json:"code"`
	Reason string            `json:"reason"`           // a sentence
	Fields map[string]string `json:"fields,omitempty"` // the words that belong to the code, see plugin/PROTOCOL.md
	Line   *lineError        `json:"line,omitempty"`   // what failed on a line, nil if nothing did
}

func (e *Error) Error() string { return e.Reason }

// Unwrap returns what failed on a line.
func (e *Error) Unwrap() error {
	if e.Line == nil {
		return nil
	}
	return e.Line.error(e.Reason)
}

// lineError is a failed exchange.
type lineError struct {
	Exception *protocol.ExceptionError `json:"exception,omitempty"`
	Op        string                   `json:"op,omitempty"`   // of a protocol.LinkError
	Link      string                   `json:"link,omitempty"` // of a protocol.LinkError
	Is        []string                 `json:"is,omitempty"`   // names of causes
}

// causes are the failures that have a name.
var causes = []struct {
	name string
	err  error
}{
	{"no_answer", protocol.ErrTimeout}, {"expired", protocol.ErrExpired},
	{"outcome_unknown", protocol.ErrOutcomeUnknown}, {"misfit", protocol.ErrMisfit}, {"hung_up", protocol.ErrHungUp},
	{"down", protocol.ErrDown}, {"closed", protocol.ErrClosed}, {"cancelled", context.Canceled},
	{"late", context.DeadlineExceeded},
}

// asError returns an error in the form that goes out; nil for nil.
func asError(err error) *Error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	l := &lineError{}
	if exception, ok := errors.AsType[protocol.ExceptionError](err); ok {
		l.Exception = &exception
	}
	if link, ok := errors.AsType[*protocol.LinkError](err); ok {
		l.Op, l.Link = link.Op, link.Link
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			l.Is = append(l.Is, c.name)
		}
	}
	if l.Exception == nil && l.Link == "" && l.Is == nil {
		return &Error{Code: CodeFailed, Reason: err.Error()}
	}
	return &Error{Code: CodeExchange, Reason: err.Error(), Line: l}
}

// error returns the failure as the line itself would have.
func (l *lineError) error(reason string) error {
	var all []error
	for _, c := range causes {
		for _, name := range l.Is {
			if name == c.name {
				all = append(all, c.err)
			}
		}
	}
	if l.Exception != nil {
		all = append(all, *l.Exception)
	}
	if l.Link == "" {
		return errors.Join(all...)
	}
	return &protocol.LinkError{Op: l.Op, Link: l.Link, Err: errors.Join(append(all, errors.New(reason))...)}
}

// strictly reads JSON with no fields but those of v. Nothing at all leaves v as it is.
func strictly(text []byte, v any) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows it")
	}
	return nil
}
