package devhost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

// Limits of a connection, Home Assistant's own: 10 s for the hand-shake, 4 MiB for a frame, 4096 messages that wait to be
// sent, 256 of them in one frame.
const (
	authTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	frameLimit   = 4 << 20
	queueLimit   = 4096
	batchLimit   = 256
)

// conn is one WebSocket connection: the goroutine of its handler reads, another writes, and each action runs in its own.
type conn struct {
	host   *Host
	socket *websocket.Conn
	admin  bool
	cancel context.CancelFunc

	lastID  int64
	running sync.WaitGroup // writer and actions

	mu       sync.Mutex
	queue    []json.RawMessage
	coalesce bool
	wake     chan struct{}

	// Guarded by the mutex of the host.
	subs    map[int64]string // event type by id of subscribe_events; "" for all
	session *session
}

func newConn(h *Host, socket *websocket.Conn) *conn {
	return &conn{host: h, socket: socket, wake: make(chan struct{}, 1), subs: map[int64]string{}, cancel: func() {}}
}

// serve does the hand-shake and then answers commands until the connection ends.
func (c *conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.host.mu.Lock()
	c.cancel = cancel
	if c.host.closed {
		cancel()
	}
	c.host.conns[c] = struct{}{}
	c.host.mu.Unlock()
	c.socket.SetReadLimit(frameLimit)
	err := c.authenticate(ctx)
	if err == nil {
		c.running.Go(func() { c.write(ctx) })
		err = c.read(ctx)
	}
	c.host.options.Log.Debug().Err(err).Msg("A connection ended")
	c.host.gone(c)
	cancel()
	_ = c.socket.CloseNow() // it has ended already or shall now
	c.running.Wait()
}

// end cuts the connection. The mutex of the host is held.
func (c *conn) end() { c.cancel() }

func (c *conn) authenticate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	version := c.host.options.Version
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
	plain := c.host.options.PlainToken
	c.admin = auth.Token == c.host.options.Token
	if !c.admin && (plain == "" || auth.Token != plain) {
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

// send queues a message. A client that lets too many wait is cut off.
func (c *conn) send(message any) {
	text, err := json.Marshal(message)
	if err != nil {
		c.host.options.Log.Error().Err(err).Msg("A message cannot be encoded")
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) >= queueLimit {
		c.cancel()
		return
	}
	c.queue = append(c.queue, text)
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
	switch n {
	case 0:
		return nil
	case 1:
		return messages[0]
	}
	parts := make([][]byte, n)
	for i, m := range messages {
		parts[i] = m
	}
	return append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
}

// read answers commands until the connection ends. What is no JSON ends it, as with the real one.
func (c *conn) read(ctx context.Context) error {
	for {
		_, frame, err := c.socket.Read(ctx)
		if err != nil {
			return err
		}
		commands := []json.RawMessage{frame}
		if frame = bytes.TrimSpace(frame); len(frame) > 0 && frame[0] == '[' {
			if err := json.Unmarshal(frame, &commands); err != nil {
				return err
			}
		}
		for _, text := range commands {
			var head struct {
				ID   int64  `json:"id"`
				Type string `json:"type"`
			}
			if err := json.Unmarshal(text, &head); err != nil {
				return err
			}
			c.dispatch(ctx, command{conn: c, id: head.ID, name: head.Type, text: text})
		}
	}
}

// command is one command of a client.
type command struct {
	conn *conn
	id   int64
	name string
	text json.RawMessage
}

// fields decodes the fields of the command into v.
func (c command) fields(v any) error {
	if err := json.Unmarshal(c.text, v); err != nil {
		return &Error{Code: host.RefusedInvalidFormat, Message: err.Error()}
	}
	return nil
}

// handler answers a command with its result or an error, usually an *Error. later says that the command is answered by
// itself.
type handler func(h *Host, ctx context.Context, c command) (result any, err error)

// later is the result of a command that answers by itself.
type later struct{}

func (c *conn) dispatch(ctx context.Context, cmd command) {
	handle, ok := commands[cmd.name]
	companion := len(cmd.name) > 9 && cmd.name[:9] == "solarhub/"
	switch {
	case cmd.id <= 0:
		c.refuse(cmd.id, &Error{Code: host.RefusedInvalidFormat, Message: "Message incorrectly formatted."})
		return
	case cmd.id <= c.lastID:
		c.refuse(cmd.id, &Error{Code: host.RefusedIDReuse, Message: "Identifier values have to increase."})
		return
	case !ok || companion && c.host.options.WithoutCompanion:
		c.refuse(cmd.id, &Error{Code: host.RefusedUnknownCommand, Message: "Unknown command."})
		return // the id is not used up
	}
	c.lastID = cmd.id
	if companion && !c.admin {
		c.refuse(cmd.id, &Error{Code: host.RefusedUnauthorized, Message: "Unauthorized"})
		return
	}
	result, err := handle(c.host, ctx, cmd)
	if _, waits := result.(later); !waits {
		c.answer(cmd.id, result, err)
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
