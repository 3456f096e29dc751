package poll

import (
	"fmt"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// A point that stands alone is in no other read, not even as a register between those that are wanted.
func TestAlone(t *testing.T) {
	point := func(key string, at uint16, alone bool) profile.Point {
		return profile.Point{Key: key, Ranges: []protocol.Range{{Addr: at, Count: 1}}, Alone: alone}
	}
	for want, points := range map[string][]profile.Point{
		"[holding 10+1 holding 12+1 holding 11+1]": {point("a", 10, false), point("b", 11, true),
			point("c", 12, false)},
		"[holding 10+3 holding 11+1]": {point("a", 10, false), point("b", 11, true), point("same", 11, false),
			point("c", 12, false)},
	} {
		l, unreadable := newLayout(points, plan.Limits{}, nil, protocol.Timing{Turnaround: time.Second})
		var got []protocol.Range
		for _, r := range l.reads {
			got = append(got, r.Range)
		}
		if fmt.Sprint(got) != want || len(unreadable) > 0 {
			t.Errorf("reads %v, want %s, unreadable %v", got, want, unreadable)
		}
	}
}

func TestMaxRegistersFor(t *testing.T) {
	serial := protocol.DefaultSerial
	slow := protocol.Timing{Serial: &serial, Turnaround: 20 * time.Millisecond}
	for _, c := range []struct {
		bound time.Duration
		most  uint16
	}{
		{time.Second, 125}, {124*time.Millisecond + 200*time.Microsecond, 40}, {124 * time.Millisecond, 39},
		{42 * time.Millisecond, 0},
	} {
		most, shortest := MaxRegistersFor(c.bound, slow)
		if most != c.most || shortest != slow.Exchange(protocol.Read, protocol.Range{Count: 1}) {
			t.Errorf("within %v at most %d registers, shortest %v, want %d", c.bound, most, shortest, c.most)
		}
	}
	if most, _ := MaxRegistersFor(time.Second, protocol.Timing{}); most != 125 {
		t.Errorf("over TCP at most %d", most)
	}
}
