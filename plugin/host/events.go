package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// handleEvents takes the companion's events one after the other until the session ends.
func (v *conversation) handleEvents(ctx context.Context) error {
	for {
		select {
		case <-v.session.Done():
		case <-v.events.wake:
		}
		over := v.session.Err() != nil // nothing comes after that, but the last event may say why
		for _, r := range v.events.take() {
			if err := v.handle(ctx, r); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
	}
}

// handle takes one event. An error ends the session.
func (v *conversation) handle(ctx context.Context, r received) error {
	options := v.client.options
	var e Event
	if err := json.Unmarshal(r.text, &e); err != nil {
		options.Log.Warn().Err(err).Msg("The companion sends an event that cannot be read")
		if id, ok := callIDOf(r.text); ok {
			v.calls.refuse(id, malformed("%v", err))
		}
		return nil
	}
	switch e.Type {
	case EventCall:
		v.startCall(ctx, e.Call, r)
	case EventCancel:
		v.calls.cancel(e.CallID)
	case EventConfig:
		options.Plugin.Config(e.Disabled)
	case EventResync:
		select {
		case v.resync <- struct{}{}:
		default:
		}
	case EventDiagnostics:
		v.diagnose(ctx, e.RequestID)
	case EventProbe:
		select {
		case v.probe <- struct{}{}:
		default:
		}
	case EventReplaced:
		return ErrReplaced
	case EventRemoved:
		if options.Removed != nil {
			options.Removed(e.Devices)
		}
	case EventStopping:
		options.Log.Info().Msg("Home Assistant stops")
	default:
		options.Log.Debug().Str("type", e.Type).Msg("The companion sends an event of a kind not known here")
	}
	return nil
}

// startCall carries out a call, unless the session has ended, or will because the process was stopped: then its caller
// has been told. The time left counts from when the companion sent the call.
func (v *conversation) startCall(ctx context.Context, c Call, r received) {
	if v.session.Err() != nil || v.session.wasStopped() {
		return
	}
	if _, ok := callIDOf(r.text); !ok {
		v.client.options.Log.Warn().Msg("The companion sends a call without an id that can be answered")
		return
	}
	age := v.clock.arrived(r.at, milliseconds(c.ClockMS)) + v.session.clock() - r.at
	left := milliseconds(c.RemainingMS) - age
	if c.RemainingMS > 0 && left <= 0 {
		v.calls.refuse(c.CallID, NewCallError(CodeExpired,
			fmt.Sprintf("the call was on its way for %v", age.Round(time.Millisecond)),
			map[string]string{"seconds": fmt.Sprint(c.RemainingMS / 1000)}))
		return
	}
	v.calls.start(ctx, c, left)
}

// milliseconds returns a duration. A number that is too large for one becomes the longest.
func milliseconds(n int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(max(-most, min(n, most))) * time.Millisecond
}

// maxDiagnostics is how many requests for diagnostics are answered at the same time. Those above it are not answered.
const maxDiagnostics = 4

// diagnose answers a request for diagnostics and does not wait for it.
func (v *conversation) diagnose(ctx context.Context, id string) {
	select {
	case v.diagnosing <- struct{}{}:
	default:
		return
	}
	v.joined.Go(func() {
		defer func() { <-v.diagnosing }()
		v.session.fail(v.session.dropRefused(v.sendDiagnostics(ctx, id)))
	})
}

// sendDiagnostics answers a request for diagnostics. If there are none, the answer says why.
func (v *conversation) sendDiagnostics(ctx context.Context, id string) error {
	options := v.client.options
	var data any = struct{}{}
	if options.Diagnostics != nil {
		limited, cancel := context.WithTimeout(ctx, diagnosticsTimeout)
		found, err := options.Diagnostics(limited)
		cancel()
		text, bad := json.Marshal(found)
		if err = errors.Join(err, bad); err != nil {
			data = map[string]string{"error": err.Error()}
		} else {
			data = json.RawMessage(text)
		}
	}
	if text, ok := data.(json.RawMessage); ok && len(text) > maxFrame/2 { // with room for what the host adds
		data = map[string]string{"error": fmt.Sprintf("the diagnostics are too large: %d bytes", len(text))}
	}
	frame := DiagnosticsFrame{Session: v.hello.Session, RequestID: id, Data: data}
	return v.session.Do(ctx, CommandDiagnostics, frame, nil)
}
