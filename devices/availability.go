package devices

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/poll"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// A device counts as away, and its entities as unavailable, when this many reads in a row were not answered, when the
// line is down, or when somebody else answers. A reply too late or garbled makes nothing unavailable. It is back when
// it has been identified.
const failuresToLose = 3

// DefaultGrace is how long the entities of a device that is away keep their values before they are unavailable: longer
// than an adapter needs that is plugged in again, or a gateway that starts anew.
const DefaultGrace = 20 * time.Second

// away is what Run keeps of a device that does not answer.
type away struct {
	grace    time.Duration
	since    time.Time // when it was lost; zero while it is there
	failures int       // reads in a row
	losses   int       // times in a row that the device was lost though it had been identified
	retry    awayBackoff
}

func newAway(fastest, grace time.Duration, line profile.LineSettings) away {
	return away{grace: grace, retry: awayBackoff{least: fastest, most: cmp.Or(line.Quiet, profile.DefaultQuiet)}}
}

// awayBackoff says when a device that is away is tried again: after an eighth of its absence so far, but not before its
// fastest interval and not after the longest pause. So a device that was gone for a moment is back with the next poll,
// one that was gone for an hour is missed for a few minutes more, and one that is off costs the others on its line a
// timeout less and less often.
type awayBackoff struct {
	least, most time.Duration
	since       time.Time // of the first try that was counted; zero while the device is there
}

// reset notes that the device is there.
func (a *awayBackoff) reset() { a.since = time.Time{} }

// next returns the pause before the next try. Devices that went together do not come back in step.
func (a *awayBackoff) next() time.Duration {
	now := time.Now()
	if a.since.IsZero() {
		a.since = now
	}
	pause := min(max(a.least, now.Sub(a.since)/8), a.most)
	return pause - time.Duration(rand.Int64N(int64(pause/10)+1))
}

// errReconnected: the reply came over a connection on which the device was not identified.
var errReconnected = errors.New("the connection is a new one")

// do asks the device for the poller. What comes over a connection on which the device was not identified is not
// believed.
func (d *Device) do(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	resp, err := d.client.Bus.Do(ctx, req)
	if resp.Connection != 0 && !d.isAdmitted(resp.Connection) {
		resp, err = protocol.Response{}, errReconnected
	}
	if d.isLostBy(ctx, err) {
		return protocol.Response{}, errors.Join(poll.ErrAway, err)
	}
	return resp, err
}

// isLostBy counts what has become of a read and reports whether the device is not to be asked until it is identified.
func (d *Device) isLostBy(ctx context.Context, err error) bool {
	no, refused := errors.AsType[protocol.ExceptionError](err)
	switch {
	case err == nil:
		d.away.failures, d.away.losses = 0, 0
		d.away.retry.reset()
	case ctx.Err() != nil, errors.Is(err, protocol.ErrExpired) && !errors.Is(err, protocol.ErrDown):
	case errors.Is(err, errReconnected):
		d.doubt()
		d.away.losses++ // a peer that hangs up behind each reply would be dialled without a pause
		return true
	case refused && !no.FromGateway():
		d.away.failures = 0 // it is there: it said no
	case d.isAway(err):
		d.lose(ctx, err)
		d.away.losses++
		return true
	}
	return false
}

// isAway counts a failure and reports whether the device counts as away by it.
func (d *Device) isAway(err error) bool {
	d.away.failures++
	_, wrong := errors.AsType[*ask.WrongDeviceError](err)
	return d.away.failures >= failuresToLose || wrong || errors.Is(err, protocol.ErrDown) ||
		errors.Is(err, protocol.ErrClosed)
}

// comeBack tries to identify the device and reports whether that succeeded. If it did not, it waits before it returns:
// shortly at first, then longer and longer, counted from the beginning of the try. A line that is up is left free for
// at least as long as the try has kept it.
func (d *Device) comeBack(ctx context.Context) bool {
	if d.away.losses > 1 { // it answers only what identifies it: that may not cost the line one timeout after the other
		d.away.losses = 1
		d.poller.Calm()
		d.poller.Wait(ctx, time.Now().Add(d.away.retry.next()))
		return false
	}
	begun, was := time.Now(), d.Status().Online
	err := d.identify(ctx)
	if err == nil {
		d.back(was)
		return true
	}
	now := time.Now()
	next := now.Add(ask.BeforeRetry)
	if !d.away.since.IsZero() || !d.Status().Online || d.isAway(err) {
		next = begun.Add(d.away.retry.next())
		if free := now.Add(now.Sub(begun)); next.Before(free) && !errors.Is(err, protocol.ErrDown) {
			next = free
		}
		d.lose(ctx, err)
		if over := d.away.since.Add(d.away.grace); over.After(now) && over.Before(next) {
			next = over // one more try before its entities are unavailable
		}
	}
	d.poller.GiveUp(err)
	d.poller.Wait(ctx, next)
	return false
}

// back notes that the device has been identified; was says whether its entities were still available.
func (d *Device) back(was bool) {
	if was && !d.away.since.IsZero() {
		d.mu.Lock()
		d.glitches++
		d.mu.Unlock()
	}
	d.away.failures, d.away.since = 0, time.Time{}
	d.poller.Back(!was)
}

// lose reports that the device is away. Until its grace is over only the reason changes; then its entities are
// unavailable. A device that is known from the cache and has not answered in this run has the same grace, in which
// nothing is reported: its entities show what they showed before the restart. If somebody else has answered, that was
// reported already.
func (d *Device) lose(ctx context.Context, err error) {
	if _, wrong := errors.AsType[*ask.WrongDeviceError](err); ctx.Err() != nil || wrong {
		return
	}
	if d.away.since.IsZero() {
		d.away.since = time.Now()
		d.log.Warn().Err(err).Msg("the device does not answer")
	}
	d.mu.Lock()
	d.admitted = false
	s := Status{Identified: d.status.Identified, Identity: d.status.Identity, Reason: err.Error()}
	s.Online = d.status.Online && time.Since(d.away.since) < d.away.grace
	d.become(s)
	d.starting = d.starting && time.Since(d.away.since) < d.away.grace
	d.mu.Unlock()
	d.out.status(ctx)
}

// doubt has the device identified before it is asked again. Its status does not change.
func (d *Device) doubt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admitted = false
}

// isIdentified reports whether the device has been identified and not been lost since.
func (d *Device) isIdentified() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.admitted
}

// isStarting reports whether the device is known from the cache, has not been heard of in this run and is in its grace.
func (d *Device) isStarting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.starting
}

// become sets the status. Since changes only if anything else does. The caller holds mu.
func (d *Device) become(s Status) {
	s.Since = d.status.Since
	if s != d.status {
		s.Since = time.Now()
	}
	d.status = s
}
