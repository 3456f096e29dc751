package plugin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"solarhub/plugin/host"
)

// How long, and of how many calls, the results are kept for their repetitions. Source of the time: PROTOCOL.md, section 4; a
// caller that has heard nothing gives up after half a minute.
const (
	repeatFor   = 10 * time.Minute
	keptResults = 256
)

// flights are the set-values of the host by their call ids: each is carried out once, however often it arrives.
type flights struct {
	mu    sync.Mutex
	known map[string]*flight
	ended []*flight // oldest first
}

// flight is one set-value. result and at are set before done is closed.
type flight struct {
	call   host.Call
	done   chan struct{}
	result host.Result
	at     time.Time
}

func newFlights() *flights { return &flights{known: map[string]*flight{}} }

// enter returns the flight of a call, and whether it is the caller who carries it out.
func (f *flights) enter(call host.Call, now time.Time) (of *flight, lead bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(now)
	if of := f.known[call.CallID]; of != nil {
		return of, false
	}
	of = &flight{call: call, done: make(chan struct{})}
	if call.CallID != "" {
		f.known[call.CallID] = of
	}
	return of, true
}

// forget drops what ended long ago. The caller holds mu.
func (f *flights) forget(now time.Time) {
	for len(f.ended) > 0 && (len(f.ended) >= keptResults || now.Sub(f.ended[0].at) > repeatFor) {
		delete(f.known, f.ended[0].call.CallID)
		f.ended = f.ended[1:]
	}
}

// leave ends a flight. One of which nothing reached the device is forgotten: it may be asked for again.
func (f *flights) leave(of *flight, r host.Result, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of.result, of.at = r, now
	close(of.done)
	switch {
	case of.call.CallID == "":
	case r.Err != nil && nothingSent(r.Err.Code):
		delete(f.known, of.call.CallID)
	default:
		f.ended = append(f.ended, of)
	}
}

// nothingSent reports whether a call that ended so has left the device alone for a reason that may be over.
func nothingSent(code string) bool {
	switch code {
	case host.CodeCancelled, host.CodeStopping, host.CodeLineDown, host.CodeExpired, host.CodeNotIdentified, host.CodeQueueFull:
		return true
	}
	return false
}

// join waits for the end of a call that has arrived before.
func (of *flight) join(ctx context.Context, call host.Call, t target) host.Result {
	if !sameCall(of.call, call) {
		return failed(anotherCall(call, t))
	}
	select {
	case <-of.done:
		return of.result
	case <-ctx.Done():
		return failed(ended(ctx, t))
	}
}

func sameCall(a, b host.Call) bool {
	return a.Action == b.Action && a.ID == b.ID && host.Value(a.Value) == host.Value(b.Value) && a.Force == b.Force
}

func anotherCall(call host.Call, t target) *host.CallError {
	return host.NewCallError(host.CodeFailed, fmt.Sprintf("the call %q was another one before: nothing is written", call.CallID),
		map[string]string{"name": t.point.Name})
}
