package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"
)

// Limits of a session.
const (
	writeTimeout = 10 * time.Second
	closeTimeout = time.Second
	maxFrame     = 4 << 20 // bytes of a frame in either direction; the host ends a session on a larger one
)

// Errors of a session.
var (
	// ErrAuth: the host refused the token.
	ErrAuth = errors.New("the host refuses the access token")
	// ErrSilent: an application ping was not answered in time.
	ErrSilent = errors.New("the host does not answer")
	// ErrTooMuch: the host sent a message, or unhandled events, of more bytes than are accepted.
	ErrTooMuch = errors.New("the host sends more than is accepted")
	// ErrClosed: the session was closed from this side.
	ErrClosed = errors.New("session is closed")
)

// Session is one authenticated connection, from auth_required to close, used once. One goroutine reads, one writes, one
// pings; Close joins them. Commands may be sent from any goroutine; their ids increase in the order in which they are
// written.
type Session struct {
	// HostVersion is the version that the host gave with auth_ok.
	HostVersion string

	conn   *websocket.Conn
	log    zerolog.Logger
	clock  Clock
	done   <-chan struct{}
	cause  func() error // why done is closed
	cancel context.CancelCauseFunc
	sends  chan *command
	joined sync.WaitGroup

	lastTick atomic.Int64 // time on the clock, see wasStopped

	mu      sync.Mutex
	pending map[int64]*command
	events  map[int64]*eventQueue // by the id of the subscribing command

	refusals map[string]bool // by command and code: those that were logged
}

// command is one command on its way. If it was written, reply gets exactly one answer, for which it has room. events
// is set for a subscribing command.
type command struct {
	name   string
	body   func() any // makes the body just before it is written. If it returns nil, nothing is sent
	events *eventQueue
	reply  chan reply
}

type reply struct {
	result json.RawMessage
	err    error
}

// newSession starts the goroutines of an authenticated connection. ctx bounds the session.
func newSession(ctx context.Context, conn *websocket.Conn, version string, o Options) *Session {
	s := &Session{
		HostVersion: version, conn: conn, log: o.Log, clock: o.Clock,
		sends:   make(chan *command),
		pending: map[int64]*command{},
		events:  map[int64]*eventQueue{},

		refusals: map[string]bool{},
	}
	s.lastTick.Store(int64(s.clock()))
	ctx, s.cancel = context.WithCancelCause(ctx)
	s.done = ctx.Done()
	s.cause = func() error { return context.Cause(ctx) }
	s.joined.Go(func() { s.fail(s.read(ctx)) })
	s.joined.Go(func() { s.fail(s.write(ctx)) })
	s.joined.Go(func() { s.fail(s.ping(ctx)) })
	s.joined.Go(func() { s.fail(s.watchForStop(ctx)) })
	return s
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session ended, nil while it lives.
func (s *Session) Err() error { return s.cause() }

// fail ends the session with its first error.
func (s *Session) fail(err error) {
	if err != nil {
		s.cancel(err)
	}
}

// Close ends the session and waits for its goroutines. A host that is still there gets a second to close its side too.
func (s *Session) Close() {
	if s.Err() == nil {
		// The end of the context closes the socket hard, under a reader that waits for the host as well.
		hard := time.AfterFunc(closeTimeout, func() { s.fail(ErrClosed) })
		_ = s.conn.Close(websocket.StatusNormalClosure, "") // an error changes nothing: the socket is closed next
		hard.Stop()
	}
	s.fail(ErrClosed)
	_ = s.conn.CloseNow()
	s.joined.Wait()
}

// Do sends a command with the fields of body, an object or nil, and waits for its result, which it stores in result
// unless that is nil. The error is a *CommandError if the host refused the command. It wraps ErrSilent if no answer
// came within commandTimeout. After any error but a refusal nobody knows whether the host carried the command out:
// close the session.
func (s *Session) Do(ctx context.Context, name string, body, result any) error {
	return s.do(ctx, &command{name: name, body: func() any { return fields(body) }}, result)
}

// fields replaces a nil body by one without fields, because nil would mean that there is nothing to send.
func fields(body any) any {
	if body == nil {
		return struct{}{}
	}
	return body
}

func (s *Session) do(ctx context.Context, c *command, result any) error {
	c.reply = make(chan reply, 1)
	ctx, cancel := context.WithTimeoutCause(ctx, commandTimeout, ErrSilent)
	defer cancel()
	select {
	case s.sends <- c:
	case <-s.done:
		return s.lost(c.name)
	case <-ctx.Done():
		return fmt.Errorf("send %s: %w", c.name, context.Cause(ctx))
	}
	var r reply
	select {
	case r = <-c.reply:
	case <-ctx.Done():
		return fmt.Errorf("wait for the answer to %s: %w", c.name, context.Cause(ctx))
	case <-s.done:
		select {
		case r = <-c.reply: // it came with the last frame
		default:
			return s.lost(c.name)
		}
	}
	if r.err != nil || result == nil || r.result == nil {
		return r.err
	}
	if err := json.Unmarshal(r.result, result); err != nil {
		return fmt.Errorf("decode the answer to %s: %w", c.name, err)
	}
	return nil
}

// post sends a command and does not wait for its answer.
func (s *Session) post(c *command) {
	c.reply = make(chan reply, 1)
	select {
	case s.sends <- c:
	case <-s.done:
	}
}

func (s *Session) lost(name string) error {
	return fmt.Errorf("%s: session is lost: %w", name, s.Err())
}

// write hands commands to the socket one after the other. It alone gives out ids.
func (s *Session) write(ctx context.Context) error {
	for id := int64(1); ; {
		select {
		case <-s.done:
			return nil
		case c := <-s.sends:
			body := c.body()
			if body == nil {
				c.reply <- reply{}
				continue
			}
			frame, err := encode(id, c.name, body)
			if err == nil && len(frame) > maxFrame {
				err = fmt.Errorf("send %s: %d bytes, at most %d are allowed", c.name, len(frame), maxFrame)
			}
			if err != nil {
				c.reply <- reply{err: err}
				continue
			}
			s.expect(id, c)
			if err := s.send(ctx, frame); err != nil {
				return fmt.Errorf("send %s: %w", c.name, err)
			}
			id++
		}
	}
}

func (s *Session) expect(id int64, c *command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[id] = c
	if c.events != nil { // before the answer: the first event may come in the same frame
		s.events[id] = c.events
	}
}

func (s *Session) send(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	s.log.Trace().RawJSON("frame", frame).Msg("to the host")
	return s.conn.Write(ctx, websocket.MessageText, frame)
}

// read hands answers to those who wait and events to their subscription.
func (s *Session) read(ctx context.Context) error {
	for {
		_, frame, err := s.conn.Read(ctx)
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			return fmt.Errorf("receive: %w: %w", ErrTooMuch, err)
		case err != nil:
			return fmt.Errorf("receive: %w", err)
		case s.wasStopped():
			return ErrStopped
		case s.Err() != nil:
			return nil
		}
		at := s.clock()
		messages, err := Decode(frame)
		if err != nil {
			return err
		}
		s.log.Trace().RawJSON("frame", frame).Msg("from the host")
		for _, m := range messages {
			if err := s.deliver(at, m); err != nil {
				return err
			}
		}
	}
}

func (s *Session) deliver(at time.Duration, m Incoming) error {
	if m.Type == "event" {
		s.mu.Lock()
		queue := s.events[m.ID]
		s.mu.Unlock()
		if queue == nil {
			return nil
		}
		return queue.add(at, m.Event)
	}
	s.mu.Lock()
	c := s.pending[m.ID]
	delete(s.pending, m.ID)
	s.mu.Unlock()
	if c == nil {
		s.log.Debug().Int64("id", m.ID).Str("type", m.Type).Msg("The host answers a command that was not sent")
		return nil
	}
	c.reply <- answer(c.name, m)
	return nil
}

func answer(name string, m Incoming) reply {
	switch {
	case m.Type == "pong" || m.Success:
		return reply{result: m.Result}
	case m.Error != nil:
		m.Error.Command = name
		return reply{err: m.Error}
	}
	return reply{err: &CommandError{Command: name, Code: RefusedUnknownError, Message: "refused without a reason"}}
}
