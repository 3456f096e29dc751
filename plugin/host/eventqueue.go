package host

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// maxEventBytes bounds the events that are received and not yet handled. A call has some 200 bytes.
const maxEventBytes = 8 << 20

// eventOverhead is what an event occupies besides its text.
const eventOverhead = 64

// eventQueue holds the events of one subscribing command until they are handled, so that the reader of the session
// never waits for a handler.
type eventQueue struct {
	mu     sync.Mutex
	events []received
	bytes  int
	wake   chan struct{}
}

// received is an event and the time on our Clock at which it came.
type received struct {
	at   time.Duration
	text json.RawMessage
}

func newEventQueue() *eventQueue { return &eventQueue{wake: make(chan struct{}, 1)} }

// add appends an event. If more than maxEventBytes wait, the handler is stuck or the host is broken: the error ends the
// session.
func (q *eventQueue) add(at time.Duration, text json.RawMessage) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes += len(text) + eventOverhead; q.bytes > maxEventBytes {
		return fmt.Errorf("receive: %w: %d events wait to be handled", ErrTooMuch, len(q.events))
	}
	q.events = append(q.events, received{at: at, text: text})
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// take returns the events that came since the last take, oldest first.
func (q *eventQueue) take() []received {
	q.mu.Lock()
	defer q.mu.Unlock()
	events := q.events
	q.events, q.bytes = nil, 0
	return events
}
