package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrReplaced: another process of the same installation said hello after this one.
var ErrReplaced = errors.New("another SolarHub process with the same installation name took over")

// conversation is what SolarHub says and hears in one session: hello, registration, snapshot, then changes, heartbeats
// and calls.
type conversation struct {
	client  *Client
	session *Session
	hello   HelloResult
	events  *eventQueue
	calls   *calls
	resync  chan struct{}
	hash    string // of the definitions that the host has
}

// converse says hello. From then on the companion's events come to the returned conversation.
func (c *Client) converse(ctx context.Context, s *Session) (*conversation, error) {
	v := &conversation{client: c, session: s, events: newEventQueue(), resync: make(chan struct{}, 1)}
	hello := Hello{
		Protocol:      Versions{Min: ProtocolMin, Max: ProtocolMax},
		PluginVersion: c.options.PluginVersion,
		Installation:  c.options.Installation,
		Epoch:         c.options.Epoch,
		Devices:       c.options.Plugin.Describe().Served(),
	}
	err := s.do(ctx, &command{name: CommandHello, body: func() any { return hello }, events: v.events}, &v.hello)
	if err != nil {
		return nil, explainUnknownHello(ctx, s, err)
	}
	if v.hello.Hash != nil {
		v.hash = *v.hello.Hash
	}
	v.calls = newCalls(c.options, s, v.hello.Session)
	return v, nil
}

// NoCompanionError: the host does not know the solarhub commands.
type NoCompanionError struct {
	SafeMode     bool `json:"safe_mode"`
	RecoveryMode bool `json:"recovery_mode"`
}

func (e *NoCompanionError) Error() string {
	return fmt.Sprintf("%s is not known (safe mode %t, recovery mode %t)", CommandHello, e.SafeMode, e.RecoveryMode)
}

// explainUnknownHello asks the host why it does not know hello. Any other error is returned as it is.
func explainUnknownHello(ctx context.Context, s *Session, err error) error {
	var refused *CommandError
	if !errors.As(err, &refused) || refused.Code != RefusedUnknownCommand {
		return err
	}
	missing := &NoCompanionError{}
	if err := s.Do(ctx, "get_config", nil, missing); err != nil {
		return err
	}
	return missing
}

// run serves the session until it is lost, or until ctx ends. Then pending calls are answered, unsent changes are sent
// and the host is told. It returns nil after such a planned stop.
func (v *conversation) run(ctx context.Context) error {
	session, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	v.client.options.Plugin.Config(v.hello.Disabled) // before any event with a newer list
	var joined sync.WaitGroup
	var handled error
	joined.Go(func() { v.session.fail(v.heartbeat(session)) })
	joined.Go(func() { handled = v.handleEvents(session); v.session.fail(handled) })
	joined.Go(func() { v.limitStop(ctx) })

	err := v.serve(ctx, session)
	if ctx.Err() != nil && v.session.Err() == nil {
		v.calls.stop(ErrStopping)
		err = errors.Join(v.sendChanges(session), v.bye(session))
	}
	cancel(ErrSessionLost)
	v.session.Close()
	joined.Wait()
	v.calls.stop(ErrSessionLost)
	if errors.Is(handled, ErrReplaced) { // the socket may have closed before the event was handled
		return handled
	}
	return err
}

// limitStop ends the session if it is still there Times.Bye after ctx has ended.
func (v *conversation) limitStop(ctx context.Context) {
	select {
	case <-v.session.Done():
		return
	case <-ctx.Done():
	}
	select {
	case <-v.session.Done():
	case <-time.After(v.client.options.Times.Bye):
		v.session.fail(ErrClosed)
	}
}

// serve brings the host up to date and keeps it so. stop ends at a planned stop. The commands use session, which lasts
// longer, so that a stop does not cut them off.
func (v *conversation) serve(stop, session context.Context) error {
	if _, err := v.register(session); err != nil {
		return err
	}
	if err := v.sendSnapshot(session); err != nil {
		return err
	}
	v.client.connected(v)
	for {
		due := v.changesDue()
		var err error
		select {
		case <-stop.Done():
			return nil
		case <-v.session.Done():
			return v.session.Err()
		case <-v.client.redescribe:
			var changed bool
			if changed, err = v.register(session); changed {
				err = v.sendSnapshot(session)
			}
		case <-v.resync:
			err = v.sendSnapshot(session)
		case <-v.client.noticed:
			err = v.sendNotices(session)
		case <-v.client.options.Outbox.wake:
		case <-due:
			err = v.sendChanges(session)
		}
		if err != nil {
			return err
		}
	}
}

// heartbeat sends heartbeats until the session ends.
func (v *conversation) heartbeat(ctx context.Context) error {
	interval := time.Duration(v.hello.HeartbeatMS) * time.Millisecond
	if interval <= 0 {
		interval = v.client.options.Times.Ping
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-v.session.Done():
			return nil
		case <-tick.C:
		}
		if err := v.session.Do(ctx, CommandHeartbeat, SessionFrame{v.hello.Session}, nil); err != nil {
			return err
		}
	}
}

// bye announces a planned stop.
func (v *conversation) bye(ctx context.Context) error {
	return v.session.Do(ctx, CommandBye, ByeFrame{Session: v.hello.Session, Reason: "stopping",
		BackInMS: v.client.options.Times.BackIn.Milliseconds()}, nil)
}
