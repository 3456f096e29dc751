package host

import (
	"context"
	"time"
)

// changesDue fires when the unsent changes have waited long enough. It is nil while there are none.
func (v *conversation) changesDue() <-chan time.Time {
	wait, ok := v.client.options.Outbox.due()
	if !ok {
		return nil
	}
	return time.After(wait)
}

// sendSnapshot sends everything that is known. The last frame says ready.
func (v *conversation) sendSnapshot(ctx context.Context) error {
	outbox := v.client.options.Outbox
	outbox.markAll()
	for last := false; !last; {
		err := v.sendStates(ctx, func() any {
			var f StatesFrame
			f, last = outbox.take()
			f.Session, f.Ready = v.hello.Session, last
			return f
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sendChanges sends what has changed.
func (v *conversation) sendChanges(ctx context.Context) error {
	for last := false; !last; {
		err := v.sendStates(ctx, func() any {
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

// sendStates sends one frame. body makes it just before it is written, so that it holds the newest values.
func (v *conversation) sendStates(ctx context.Context, body func() any) error {
	var result StatesResult
	if err := v.session.do(ctx, &command{name: CommandStates, body: body}, &result); err != nil {
		return v.session.dropRefused(err)
	}
	if len(result.Unknown) > 0 {
		v.client.options.Log.Debug().Strs("ids", result.Unknown).Msg("The host does not know these entities")
	}
	return nil
}
