// Package control is how the commands of solarhub reach the SolarHub that runs and has the lines: a socket in its data
// folder. CONTROL.md documents what goes over it. The package knows no device and no host: the program gives the
// operations, and this package carries what is asked and answered.
package control

import (
	"context"
	"encoding/json"
	"fmt"
)

// Operation carries out what one request asks for. send sends one part of the answer, and may be called any number of
// times by one goroutine. ctx ends when the one who asks goes away, or with the program.
type Operation func(ctx context.Context, asked json.RawMessage, send func(part any) error) error

// Operations are what a program does for those who ask, by name.
type Operations map[string]Operation

// Answer makes an operation of a function that answers once.
func Answer[In, Out any](f func(ctx context.Context, asked In) (Out, error)) Operation {
	return Stream(func(ctx context.Context, asked In, send func(Out) error) error {
		out, err := f(ctx, asked)
		if err != nil {
			return err
		}
		return send(out)
	})
}

// Stream makes an operation of a function whose answer comes in parts.
func Stream[In, Out any](f func(ctx context.Context, asked In, send func(Out) error) error) Operation {
	return func(ctx context.Context, asked json.RawMessage, send func(part any) error) error {
		var in In
		if err := strictly(asked, &in); err != nil {
			return &Error{Code: CodeAsked, Reason: fmt.Sprintf("what is asked cannot be understood: %v", err)}
		}
		return f(ctx, in, func(part Out) error { return send(part) })
	}
}

// The names of the operations, see CONTROL.md.
const (
	OpProgram  = "program"
	OpPoints   = "points"
	OpValues   = "values"
	OpRead     = "read"
	OpWatch    = "watch"
	OpSet      = "set"
	OpExchange = "exchange"
	OpLedger   = "ledger"
	OpForget   = "forget"
	OpReplace  = "replace"
	OpReload   = "reload"
)
