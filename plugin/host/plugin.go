package host

import (
	"context"
	"errors"
)

// Plugin is what a Client serves. All methods may be called from several goroutines at once.
type Plugin interface {
	// Describe returns the definitions as they are now. It is called at each hello and after Client.Redescribe, and
	// must not wait.
	Describe() Definitions

	// Call carries out one call of the host and returns its one result. ctx ends when the time of the call is over
	// (context.DeadlineExceeded), when the caller gave it up (the cause is ErrCancelled), when the session is lost
	// (ErrSessionLost) or when the client stops (ErrStopping). From then on no new request may go to the device; one whose first
	// byte is out is finished. Call returns soon after. At most MaxCalls run at once, each in its own goroutine, which the Client
	// waits for.
	Call(ctx context.Context, call Call) Result

	// Config says which ids the host has disabled, the whole list each time: what is not in it is to be polled. It must
	// not wait.
	Config(disabled []string)
}

// MaxCalls is how many calls may be pending; more are answered with queue_full. A serial line carries out 3 to 10 writes a
// second, so that more would only run into their deadlines.
const MaxCalls = 64

// Why the context of a call ended: its context.Cause.
var (
	ErrCancelled   = errors.New("the caller gave up")
	ErrSessionLost = errors.New("the session with the host is lost")
	ErrStopping    = errors.New("the plugin stops")
)

// Result is the end of a Call.
type Result struct {
	Err        *CallError // nil if the call succeeded
	Value      any        // set: what the device holds now, as read back
	Superseded bool       // a newer value for the same register was written instead
	Response   any        // read: a Reading

	// Confirmed names entities whose values changed by this call. Their newest values, put into the Outbox before Call
	// returns, travel with the result, so that the host shows them before its caller goes on and knows who did it.
	Confirmed []string
}
