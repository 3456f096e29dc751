package poll

import (
	"testing"
	"time"

	"solarhub/protocol"
)

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
