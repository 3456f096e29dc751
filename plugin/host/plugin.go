package host

import (
	"context"
	"errors"
)

// Plugin is what a Client serves. All methods may be called from several goroutines at once.
type Plugin interface {
	// Describe returns the definitions. It is called at each hello and after Client.Redescribe, and must not wait.
	Describe() Definitions

	// Call carries out one call of the host and returns its result. ctx ends at the deadline of the call, or with one
	// of the causes below. After that Call must not begin another request to the device: it finishes a request that has
	// been sent in part, and returns. At most MaxCalls run at once, each in its own goroutine, which the Client waits
	// for.
	Call(ctx context.Context, call Call) Result

	// Config takes the ids of all entities that are disabled in the host. The others are to be polled. It must not
	// wait.
	Config(disabled []string)
}

// MaxCalls is how many calls may be pending. Further calls are answered with queue_full. A serial line carries out 3 to
// 10 writes a second, so more calls would only reach their deadlines.
const MaxCalls = 64

// The context.Cause of a call whose context ended before its deadline.
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
	Unchanged  bool       // set: the device held the value already, and nothing was written
	Response   any        // read: a Reading

	// Confirmed are the ids of the entities whose values this call changed. Call puts the values into the Outbox before
	// it returns. They travel with the result, so that the host shows them, as an act of the caller, before the caller
	// continues.
	Confirmed []string
}
