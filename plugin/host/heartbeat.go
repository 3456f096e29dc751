package host

import (
	"context"
	"time"
)

// The interval of heartbeats that a companion may ask for.
const (
	minHeartbeat = time.Second
	maxHeartbeat = time.Minute
)

// heartbeat sends heartbeats until the session ends, at the interval and whenever the companion asks for one.
func (v *conversation) heartbeat(ctx context.Context) error {
	interval := v.heartbeatInterval()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-v.session.Done():
			return nil
		case <-tick.C:
		case <-v.probe:
		}
		// After 2.5 intervals without a heartbeat the companion tells all callers that the session is lost. Nothing may
		// be written after that, so the session ends before.
		limited, cancel := context.WithTimeoutCause(ctx, interval, ErrSilent)
		var answer HeartbeatResult
		sent := v.session.clock()
		err := v.session.Do(limited, CommandHeartbeat, SessionFrame{v.hello.Session}, &answer)
		cancel()
		if err := v.session.dropRefused(err); err != nil {
			return err
		}
		v.clock.answered(sent, v.session.clock(), milliseconds(answer.ClockMS))
		v.alive.Store(int64(sent))
	}
}

// certain returns until when the companion has told no caller that the session is lost: the latest moment at which the
// heartbeat that follows the last answered one ends the session. It holds in a process that was stopped, too, before
// anything else in it has noticed that.
func (v *conversation) certain() time.Time {
	return time.Now().Add(time.Duration(v.alive.Load()) + 2*v.heartbeatInterval() - v.session.clock())
}

// heartbeatInterval returns the interval that the companion wants, if it makes sense.
func (v *conversation) heartbeatInterval() time.Duration {
	wanted := milliseconds(v.hello.HeartbeatMS)
	if wanted < minHeartbeat || wanted > maxHeartbeat {
		if v.hello.HeartbeatMS != 0 {
			v.client.options.Log.Warn().Int64("heartbeat_ms", v.hello.HeartbeatMS).
				Msg("The companion asks for heartbeats at an interval that is out of range")
		}
		return heartbeatDefault
	}
	return wanted
}
