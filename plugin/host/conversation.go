package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrReplaced: another process of the same installation said hello after this one.
var ErrReplaced = errors.New("another SolarHub process with the same installation name took over")

// conversation is what SolarHub does in one session: hello, register, snapshot, then changes, heartbeats and calls.
type conversation struct {
	client  *Client
	session *Session
	events  *Subscription
	hello   HelloResult
	calls   *calls
	resync  chan struct{}
	hash    string // of what is registered
}

// hello opens the conversation. The companion's events come on the returned conversation.
func (c *Client) hello(ctx context.Context, s *Session) (*conversation, error) {
	v := &conversation{client: c, session: s, events: newSubscription(), resync: make(chan struct{}, 1)}
	hello := Hello{
		Protocol:      Versions{Min: ProtocolMin, Max: ProtocolMax},
		PluginVersion: c.options.PluginVersion,
		Installation:  c.options.Installation,
		Epoch:         c.options.Epoch,
		Devices:       c.options.Plugin.Describe().Served(),
	}
	err := s.do(ctx, &command{name: CommandHello, build: func() any { return hello }, sub: v.events}, &v.hello)
	if err != nil {
		return nil, explain(ctx, s, err)
	}
	if v.hello.Hash != nil {
		v.hash = *v.hello.Hash
	}
	v.calls = &calls{plugin: c.options.Plugin, outbox: c.options.Outbox, session: s, number: v.hello.Session, log: c.options.Log,
		pending: map[*arrival]struct{}{}}
	return v, nil
}

// NoCompanionError: the host knows no solarhub commands.
type NoCompanionError struct {
	SafeMode     bool `json:"safe_mode"`
	RecoveryMode bool `json:"recovery_mode"`
}

func (e *NoCompanionError) Error() string {
	return fmt.Sprintf("%s is not known (safe mode %t, recovery mode %t)", CommandHello, e.SafeMode, e.RecoveryMode)
}

// explain finds out why hello is not known.
func explain(ctx context.Context, s *Session, err error) error {
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

// run serves the session until it is lost, or until ctx ends: then pending calls are answered, what is unsent is
// sent, and the host is told. It returns nil after such a planned stop.
func (v *conversation) run(ctx context.Context) error {
	lasting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	v.client.options.Plugin.Config(v.hello.Disabled) // before any event with a newer list
	var joined sync.WaitGroup
	var handled error
	joined.Go(func() { v.session.fail(v.beat(lasting)) })
	joined.Go(func() { handled = v.handle(lasting); v.session.fail(handled) })
	joined.Go(func() { v.limitStop(ctx) })

	err := v.serve(ctx, lasting)
	if ctx.Err() != nil && v.session.Err() == nil {
		v.calls.stop(ErrStopping)
		err = errors.Join(v.flush(lasting), v.bye(lasting))
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

// limitStop ends a session that is still there when the time for a planned stop is over.
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

// serve brings the host up to date and keeps it there. ctx ends at a planned stop; the commands under way use lasting, so
// that the stop does not cut them off.
func (v *conversation) serve(ctx, lasting context.Context) error {
	if _, err := v.register(lasting); err != nil {
		return err
	}
	if err := v.snapshot(lasting); err != nil {
		return err
	}
	v.ready()
	for {
		due := v.timer()
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-v.session.Done():
			return v.session.Err()
		case <-v.client.redescribe:
			var changed bool
			if changed, err = v.register(lasting); changed {
				err = v.snapshot(lasting)
			}
		case <-v.resync:
			err = v.snapshot(lasting)
		case <-v.client.noticed:
			err = v.notify(lasting)
		case <-v.client.options.Outbox.wake:
		case <-due:
			err = v.flush(lasting)
		}
		if err != nil {
			return err
		}
	}
}

// timer fires when the unsent changes have waited long enough; it is nil while there are none.
func (v *conversation) timer() <-chan time.Time {
	wait, ok := v.client.options.Outbox.due()
	if !ok {
		return nil
	}
	return time.After(wait)
}

// register tells the host what there is, unless it knows, and reports whether it did not.
func (v *conversation) register(ctx context.Context) (changed bool, err error) {
	definitions := v.client.options.Plugin.Describe()
	frames, err := definitions.frames(v.hello.Session)
	if err != nil {
		return false, err
	}
	hash := frames[0].Hash
	if hash == v.hash {
		return false, nil
	}
	var result RegisterResult
	for _, f := range frames {
		result = RegisterResult{}
		if err := v.session.Do(ctx, CommandRegister, f, &result); err != nil {
			return false, err
		}
		for _, r := range result.Rejected {
			v.client.options.Log.Error().Str("id", r.ID).Str("reason", r.Message).Msg("Home Assistant rejects a definition")
		}
	}
	v.hash = hash
	v.client.options.Log.Info().Int("entities", len(definitions.Entities)).Int("created", result.Created).
		Int("updated", result.Updated).Int("removed", result.Removed).Msg("Registered")
	return true, nil
}

// snapshot sends everything that is known, the last frame with ready.
func (v *conversation) snapshot(ctx context.Context) error {
	v.client.options.Outbox.all()
	for last := false; !last; {
		err := v.states(ctx, func() any {
			var f StatesFrame
			f, last = v.client.options.Outbox.take()
			f.Session, f.Ready = v.hello.Session, last
			return f
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// flush sends what has changed.
func (v *conversation) flush(ctx context.Context) error {
	for last := false; !last; {
		err := v.states(ctx, func() any {
			var f StatesFrame
			f, last = v.client.options.Outbox.take()
			if f.empty() {
				return nil
			}
			f.Session = v.hello.Session
			return f
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f StatesFrame) empty() bool { return len(f.Values)+len(f.Available)+len(f.Devices) == 0 }

// states sends one frame that is made when its turn has come, so that it holds the newest values.
func (v *conversation) states(ctx context.Context, build func() any) error {
	var result StatesResult
	if err := v.session.do(ctx, &command{name: CommandStates, build: build}, &result); err != nil {
		return err
	}
	if len(result.Unknown) > 0 {
		v.client.options.Log.Debug().Strs("ids", result.Unknown).Msg("The host does not know these entities")
	}
	return nil
}

// beat sends heartbeats until the session ends.
func (v *conversation) beat(ctx context.Context) error {
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

// handle takes the companion's events one after the other until the session ends.
func (v *conversation) handle(ctx context.Context) error {
	for {
		select {
		case <-v.session.Done():
		case <-v.events.wake:
		}
		over := v.session.Err() != nil // nothing comes after that, but the last event may say why
		for _, r := range v.events.take() {
			var e Event
			if err := json.Unmarshal(r.text, &e); err != nil {
				v.client.options.Log.Warn().Err(err).Msg("The companion sends an event that cannot be read")
				continue
			}
			if err := v.event(ctx, e, r.at); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
	}
}

func (v *conversation) event(ctx context.Context, e Event, at time.Time) error {
	switch e.Type {
	case EventCall:
		return v.calls.start(ctx, e.Call, at)
	case EventCancel:
		v.calls.abandon(e.CallID)
	case EventConfig:
		v.client.options.Plugin.Config(e.Disabled)
	case EventResync:
		select {
		case v.resync <- struct{}{}:
		default:
		}
	case EventDiagnostics:
		return v.diagnose(ctx, e.RequestID)
	case EventReplaced:
		return ErrReplaced
	case EventRemoved:
		if v.client.options.Removed != nil {
			v.client.options.Removed(e.Devices)
		}
	case EventStopping:
		v.client.options.Log.Info().Msg("Home Assistant stops")
	default:
		v.client.options.Log.Debug().Str("type", e.Type).Msg("The companion sends an event of a kind not known here")
	}
	return nil
}

// diagnose answers a request for diagnostics, if only with the reason why there are none.
func (v *conversation) diagnose(ctx context.Context, id string) error {
	var data any = struct{}{}
	if v.client.options.Diagnostics != nil {
		patient, cancel := context.WithTimeout(ctx, v.client.options.Times.Diagnosing)
		found, err := v.client.options.Diagnostics(patient)
		cancel()
		text, bad := json.Marshal(found)
		if err = errors.Join(err, bad); err != nil {
			data = map[string]string{"error": err.Error()}
		} else {
			data = json.RawMessage(text)
		}
	}
	return v.session.Do(ctx, CommandDiagnostics, DiagnosticsFrame{Session: v.hello.Session, RequestID: id, Data: data}, nil)
}
