package doctor

import (
	"context"
	"time"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// connectDelaysTried are those that public code names for devices that are deaf at first (Huawei dongles 1 to 2 s, some
// 5 s).
var connectDelaysTried = []time.Duration{1 * time.Second, 2 * time.Second, 5 * time.Second}

// lostAtFirst is how many requests of a device may be lost for each connection where it is only the first that are.
const lostAtFirst = 3

// tryFirstRequests opens the line anew where only what was asked first may have been lost, and looks what becomes of a
// first request. The bus is over.
func (t *trials) tryFirstRequests(ctx context.Context) {
	for i := range t.at.Devices {
		d := &t.at.Devices[i]
		n := d.Stats.Timeouts
		if n > 0 && n <= lostAtFirst*t.at.Stats.Openings && !silent(*d) && d.Gap == 0 && d.Most == 0 &&
			ctx.Err() == nil {
			t.tryFirstRequest(ctx, d)
		}
	}
}

// tryFirstRequest asks directly behind the opening, and if that gets no answer, after some silence.
func (t *trials) tryFirstRequest(ctx context.Context, d *DeviceSymptoms) {
	l, patience := t.line.Config, max(timeoutOf(d.Config), d.Config.Line.Pace.First)
	t.check.tell(1, "connecting to %s anew", d.Config.Name)
	for range calmAsks {
		took, ok := t.askReopened(ctx, l, d.Config, max(waitLong, patience))
		if ok && took > patience {
			d.Waking = took
		}
		if ok {
			return
		}
	}
	for _, delay := range connectDelaysTried {
		if delay <= l.Quirks.ConnectDelay {
			continue
		}
		t.check.tell(1, "connecting to %s, and waiting for %v", d.Config.Name, delay)
		l.Quirks.ConnectDelay = delay
		if _, ok := t.askReopened(ctx, l, d.Config, patience); ok {
			d.Connect = delay
			return
		}
	}
}

// askReopened opens a line, asks a device for one register, closes the line, and returns how long the reply took.
func (t *trials) askReopened(ctx context.Context, l config.Line, d devices.Config,
	timeout time.Duration) (took time.Duration, ok bool) {
	link := l.NewLink(t.check.options.Log)
	defer link.Close()
	if _, err := link.Open(ctx); err != nil {
		return 0, false
	}
	if err := link.Ready(ctx); err != nil {
		return 0, false
	}
	resp, err := link.Exchange(ctx,
		ask(d, knownRegister(d), protocol.PriorityRead, protocol.Pace{Gap: d.Line.Pace.Gap, Timeout: timeout}))
	return resp.Done.Sub(resp.Sent), replied(err)
}
