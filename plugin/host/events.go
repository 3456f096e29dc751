package host

import (
	"context"
	"encoding/json"
	"errors"
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
			var e Event
			if err := json.Unmarshal(r.text, &e); err != nil {
				v.client.options.Log.Warn().Err(err).Msg("The companion sends an event that cannot be read")
				continue
			}
			if err := v.handle(ctx, e, r.at); err != nil {
				return err
			}
		}
		if over {
			return nil
		}
	}
}

// handle takes one event that came at a moment. An error ends the session.
func (v *conversation) handle(ctx context.Context, e Event, at time.Time) error {
	options := v.client.options
	switch e.Type {
	case EventCall:
		return v.calls.start(ctx, e.Call, at)
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
		return v.sendDiagnostics(ctx, e.RequestID)
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

// sendDiagnostics answers a request for diagnostics. If there are none, the answer says why.
func (v *conversation) sendDiagnostics(ctx context.Context, id string) error {
	options := v.client.options
	var data any = struct{}{}
	if options.Diagnostics != nil {
		limited, cancel := context.WithTimeout(ctx, options.Times.Diagnostics)
		found, err := options.Diagnostics(limited)
		cancel()
		text, bad := json.Marshal(found)
		if err = errors.Join(err, bad); err != nil {
			data = map[string]string{"error": err.Error()}
		} else {
			data = json.RawMessage(text)
		}
	}
	frame := DiagnosticsFrame{Session: v.hello.Session, RequestID: id, Data: data}
	return v.session.Do(ctx, CommandDiagnostics, frame, nil)
}
