package host

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
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
	clock   companionClock
	alive   atomic.Int64 // when the last heartbeat left that was answered; see certain
	resync  chan struct{}
	probe   chan struct{} // the companion asks for a heartbeat
	hash    string        // of the definitions that the host has
	served  []string      // device ids that the host was told of in this session

	joined     sync.WaitGroup // of what run has started
	diagnosing chan struct{}  // holds an item for each request for diagnostics that is being answered
}

// converse says hello. From then on the companion's events come to the returned conversation.
func (c *Client) converse(ctx context.Context, s *Session) (*conversation, error) {
	v := &conversation{client: c, session: s, events: newEventQueue(), resync: make(chan struct{}, 1),
		probe:      make(chan struct{}, 1),
		diagnosing: make(chan struct{}, maxDiagnostics)}
	hello := Hello{
		Protocol:      Versions{Min: ProtocolMin, Max: ProtocolMax},
		PluginVersion: c.options.PluginVersion,
		Installation:  c.options.Installation,
		Epoch:         c.options.Epoch,
		Devices:       c.options.Plugin.Describe().Served(),
	}
	v.served = hello.Devices
	sent := s.clock()
	err := s.do(ctx, &command{name: CommandHello, body: func() any { return hello }, events: v.events}, &v.hello)
	if err != nil {
		return nil, explainRefusedHello(ctx, s, err)
	}
	v.clock.answered(sent, s.clock(), milliseconds(v.hello.ClockMS))
	v.alive.Store(int64(sent))
	if v.hello.Hash != nil {
		v.hash = *v.hello.Hash
	}
	v.calls = newCalls(c.options, s, v.hello.Session, v.certain)
	return v, nil
}

// run serves the session until it is lost, or until ctx ends. Then pending calls are answered, unsent changes are sent
// and the host is told. It returns nil after such a planned stop.
func (v *conversation) run(ctx context.Context) error {
	session, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	v.client.options.Plugin.Config(v.hello.Disabled) // before any event with a newer list
	if deleted := v.client.options.StillDeleted; deleted != nil && len(v.hello.Deleted) > 0 {
		deleted(v.hello.Deleted)
	}
	var handled error
	v.joined.Go(func() { v.session.fail(v.heartbeat(session)) })
	v.joined.Go(func() { handled = v.handleEvents(session); v.session.fail(handled) })
	v.joined.Go(func() { v.limitStop(ctx) })

	err := v.serve(ctx, session)
	if ctx.Err() != nil && v.session.Err() == nil {
		v.calls.stop(ErrStopping)
		err = errors.Join(v.sendChanges(session), v.bye(session))
	}
	cancel(ErrSessionLost)
	v.session.Close()
	v.joined.Wait()
	v.calls.stop(ErrSessionLost)
	if errors.Is(handled, ErrReplaced) { // the socket may have closed before the event was handled
		return handled
	}
	return err
}

// limitStop ends the session if it is still there byeTimeout after ctx has ended.
func (v *conversation) limitStop(ctx context.Context) {
	select {
	case <-v.session.Done():
		return
	case <-ctx.Done():
	}
	select {
	case <-v.session.Done():
	case <-time.After(byeTimeout):
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
			if len(v.client.redescribe) == 0 { // the host is told what there is before it is told of its values
				err = v.sendChanges(session)
			}
		}
		if err != nil {
			return err
		}
	}
}

// bye announces a planned stop.
func (v *conversation) bye(ctx context.Context) error {
	return v.session.Do(ctx, CommandBye, ByeFrame{Session: v.hello.Session, Reason: "stopping",
		BackInMS: backIn.Milliseconds()}, nil)
}
