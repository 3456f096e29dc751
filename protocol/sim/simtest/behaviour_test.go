package simtest_test

import (
	"testing"
	"time"

	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

func TestBehaviours(t *testing.T) {
	const addr, old = 10, 1010
	for _, tt := range []struct {
		name      string
		behaviour sim.Behaviour
		wanted    uint16
		now, soon uint16 // at once, and a second later
	}{
		{"ignores", simtest.Ignore(), 7, old, old},
		{"clamps below", simtest.Clamp(10, 20), 7, 10, 10},
		{"clamps above", simtest.Clamp(10, 20), 0xFFFF, 20, 20},
		{"leaves what fits", simtest.Clamp(10, 20), 15, 15, 15},
		{"clamps signed", simtest.Clamp(-5, 5), 0xFFF0, 0xFFFB, 0xFFFB},
		{"alters", simtest.Alter(func(_, old, wanted uint16) uint16 { return old&0xFF00 | wanted&0xFF }), 7, 0x0307,
			0x0307},
		{"settles", simtest.StoreAfter(time.Second), 7, old, 7},
		{"reverts", simtest.RevertAfter(time.Second), 7, 7, old},
	} {
		now := tt.wanted
		if f := tt.behaviour.Store; f != nil {
			now = f(addr, old, tt.wanted)
		}
		soon := now
		if f := tt.behaviour.Later; f != nil {
			var after time.Duration
			if soon, after = f(addr, old, tt.wanted); after != time.Second {
				t.Errorf("%s: after %v", tt.name, after)
			}
		}
		if now != tt.now || soon != tt.soon {
			t.Errorf("%s: %d, then %d; want %d, then %d", tt.name, now, soon, tt.now, tt.soon)
		}
	}
}
