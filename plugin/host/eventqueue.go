package host

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// eventQueue holds the events of one subscribing command until they are handled, so that the reader of the session
// never waits for a handler.
type eventQueue struct {
	mu     sync.Mutex
	events []received
	wake   chan struct{}
}

// received is an event and the moment at which it came. The time that a call has left counts from then.
type received struct {
	at   time.Time
	text json.RawMessage
}

func newEventQueue() *eventQueue { return &eventQueue{wake: make(chan struct{}, 1)} }

// add appends an event. If maxEvents wait already, the handler is stuck: the error ends the session.
func (q *eventQueue) add(text json.RawMessage) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.events) == maxEvents {
		return fmt.Errorf("receive: %d events wait to be handled", maxEvents)
	}
	q.events = append(q.events, received{at: time.Now(), text: text})
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
	q.events = nil
	return events
}
