package devhost

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

// Limits of a connection. They are Home Assistant's own, but for the bytes that may wait.
const (
	authTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	authLimit    = 64 << 10
	frameLimit   = 4 << 20
	queueLimit   = 16 << 20 // bytes that wait to be sent
	batchLimit   = 256      // messages in one frame
)

// conn is one WebSocket connection: the goroutine of its handler reads, another writes, and each action runs in its
// own.
type conn struct {
	host   *Host
	socket *websocket.Conn
	admin  bool
	cancel context.CancelFunc

	lastID  int64
	running sync.WaitGroup // writer and actions

	mu       sync.Mutex
	queue    []json.RawMessage
	queued   int // bytes in it
	coalesce bool
	wake     chan struct{}

	// Guarded by the mutex of the host.
	subs map[int64]subscription // by id of the command
}

func newConn(h *Host, socket *websocket.Conn) *conn {
	return &conn{host: h, socket: socket, wake: make(chan struct{}, 1), subs: map[int64]subscription{},
		cancel: func() {}}
}

// serve does the hand-shake and then answers commands until the connection ends.
func (c *conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(c.host.life, cancel)
	defer stop()
	c.socket.SetReadLimit(authLimit)
	err := c.authenticate(ctx)
	if err == nil {
		c.socket.SetReadLimit(frameLimit)
		c.cancel = cancel
		c.host.mu.Lock()
		c.host.conns[c] = struct{}{}
		c.host.mu.Unlock()
		c.running.Go(func() { c.write(ctx) })
		err = c.read(ctx)
		c.host.gone(c)
	}
	c.host.options.Log.Debug().Err(err).Msg("A connection ended")
	cancel()
	_ = c.socket.CloseNow() // if it has not ended yet
	c.running.Wait()
}

// end cuts the connection. The mutex of the host is held.
func (c *conn) end() { c.cancel() }

func (c *conn) authenticate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	if err := c.now(ctx, map[string]any{"type": "auth_required", "ha_version": version}); err != nil {
		return err
	}
	_, frame, err := c.socket.Read(ctx)
	if err != nil {
		return err
	}
	var auth struct {
		Type  string `json:"type"`
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(frame, &auth); err != nil || auth.Type != "auth" {
		_ = c.now(ctx, map[string]any{"type": "auth_invalid", "message": "Auth message incorrectly formatted"})
		return fmt.Errorf("authenticate: malformed")
	}
	o := c.host.options
	c.admin = o.Open || equal(auth.Token, o.Token)
	if !c.admin && (o.PlainToken == "" || !equal(auth.Token, o.PlainToken)) {
		_ = c.now(ctx, map[string]any{"type": "auth_invalid", "message": "Invalid access token or password"})
		return fmt.Errorf("authenticate: wrong token")
	}
	return c.now(ctx, map[string]any{"type": "auth_ok", "ha_version": version})
}

// now writes a message of the hand-shake.
func (c *conn) now(ctx context.Context, message any) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	return c.socket.Write(ctx, websocket.MessageText, text)
}

// send queues a message. A client that lets too much wait is cut off.
func (c *conn) send(message any) {
	text := encoded(message)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 && c.queued+len(text) > queueLimit {
		c.cancel()
		return
	}
	c.queue, c.queued = append(c.queue, text), c.queued+len(text)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *conn) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		for frame := c.next(); frame != nil; frame = c.next() {
			patient, cancel := context.WithTimeout(ctx, writeTimeout)
			err := c.socket.Write(patient, websocket.MessageText, frame)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

// next takes the next frame from the queue: one message, or an array of them if the client understands that.
func (c *conn) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.queue), 1)
	if c.coalesce {
		n = min(len(c.queue), batchLimit)
	}
	messages := c.queue[:n]
	c.queue = c.queue[n:]
	for _, m := range messages {
		c.queued -= len(m)
	}
	switch n {
	case 0:
		return nil
	case 1:
		return messages[0]
	}
	return encoded(messages)
}

// read answers commands until the connection ends. What is no JSON ends it, as with the real one.
func (c *conn) read(ctx context.Context) error {
	for {
		_, frame, err := c.socket.Read(ctx)
		if err != nil {
			return err
		}
		if !json.Valid(frame) {
			return fmt.Errorf("a frame that is no JSON")
		}
		c.dispatch(frame)
	}
}

// command is one command of a client.
type command struct {
	conn *conn
	id   int64
	text json.RawMessage
}

// fields decodes the fields of the command into v.
func (c command) fields(v any) error {
	if err := json.Unmarshal(c.text, v); err != nil {
		return invalid("%v", err)
	}
	return nil
}

func (c *conn) dispatch(text json.RawMessage) {
	var head struct {
		ID   int64
		Type string
	}
	err := json.Unmarshal(text, &head)
	spec, known := commands[head.Type]
	switch {
	case err != nil || head.ID <= 0 || head.Type == "":
		c.refuse(head.ID, invalid("Message incorrectly formatted."))
		return
	case head.ID <= c.lastID:
		c.refuse(head.ID, &Error{Code: host.RefusedIDReuse, Message: "Identifier values have to increase."})
		return
	case !known || c.host.options.WithoutCompanion && strings.HasPrefix(head.Type, domain+"/"):
		c.refuse(head.ID, &Error{Code: host.RefusedUnknownCommand, Message: "Unknown command."})
		return // the id is not used up
	}
	c.lastID = head.ID
	if spec.admin && !c.admin {
		c.refuse(head.ID, &Error{Code: host.RefusedUnauthorized, Message: "Unauthorized"})
		return
	}
	result, err := spec.handle(c.host, command{conn: c, id: head.ID, text: text})
	if _, waits := result.(later); !waits {
		c.answer(head.ID, result, err)
	}
}

func (c *conn) answer(id int64, result any, err error) {
	if err != nil {
		c.refuse(id, err)
		return
	}
	c.send(map[string]any{"id": id, "type": "result", "success": true, "result": result})
}

func (c *conn) refuse(id int64, err error) {
	c.send(map[string]any{"id": id, "type": "result", "success": false, "error": asError(err)})
}

// event sends an event to the subscription with id.
func (c *conn) event(id int64, event any) {
	c.send(map[string]any{"id": id, "type": "event", "event": event})
}

// equal compares secrets without telling by the time it takes where they differ.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
