package host

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Subscription holds the events of one subscribing command until they are handled, so that the reader of the session never
// waits for a handler.
type Subscription struct {
	mu     sync.Mutex
	events []received
	wake   chan struct{}
}

// received is an event with the moment it came, from which its time left counts.
type received struct {
	at   time.Time
	text json.RawMessage
}

func newSubscription() *Subscription { return &Subscription{wake: make(chan struct{}, 1)} }

// add keeps an event. It fails, which ends the session, when maxEvents are waiting: whoever handles them is stuck.
func (s *Subscription) add(text json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) == maxEvents {
		return fmt.Errorf("receive: %d events wait to be handled", maxEvents)
	}
	s.events = append(s.events, received{at: time.Now(), text: text})
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// take returns the events that came since the last take, oldest first.
func (s *Subscription) take() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}
