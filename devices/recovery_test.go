package devices

import (
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// Whatever a line did, the first good value comes within one interval of the poll after it stops, and a timeout later if what it did
// is still on its way. A device that was away meanwhile is asked again as its back-off has it.
func TestRecovery(t *testing.T) {
	const interval = 2 * time.Second
	for _, rtu := range []bool{false, true} {
		for _, kind := range sim.Kinds() {
			for lasts, most := range map[time.Duration]time.Duration{
				500 * time.Millisecond: interval, 3 * time.Second: interval + protocol.DefaultTimeout, 10 * time.Second: 20 * time.Second,
			} {
				polled(t, func(h *house) {
					h.rtu = rtu
					h.cfg.Intervals = map[profile.Interval]time.Duration{profile.Now: interval}
				}, func(h *house) {
					h.pass(31 * time.Second) // the line has stayed up
					fault := sim.Fault{Kind: kind, Code: 6}
					if kind == sim.Late || kind == sim.Drip {
						fault.Delay = 1100 * time.Millisecond
					}
					h.fault(fault)
					h.pass(lasts)
					h.fault()
					if took := h.firstGood("power", time.Now()); took > most {
						t.Errorf("RTU %v, %s for %v: the first good value came after %v", rtu, kind, lasts, took)
					}
				})
			}
		}
	}
}

// firstGood returns how long after a moment the first value came of which the read began behind it, at most a minute.
func (h *house) firstGood(key string, after time.Time) time.Duration {
	for time.Since(after) < time.Minute {
		if r := h.sink.last(key); r.Value.Kind != codec.KindNone && r.ReadAt.After(after) {
			break
		}
		h.pass(10 * time.Millisecond)
	}
	return time.Since(after)
}
