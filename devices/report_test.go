package devices

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol/codec"
)

// A read that began before a write has ended must not bring the old value back.
func TestReadBegunBeforeAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{}
		r := newReporter(&Device{admitted: true, held: write.NewHeld(nil)}, sink)
		a, begun := profile.Point{Key: "a"}, time.Now()
		at := func(after time.Duration, value float64) Reading {
			return Reading{Key: "a", Value: codec.Number(value), Raw: []uint16{uint16(value)}, ReadAt: begun.Add(after)}
		}
		tell := func(reading Reading) { r.readings(t.Context(), []Reading{reading}) }
		tell(at(0, 1))
		tell(at(2*time.Second, 2))
		tell(at(time.Second, 1)) // overtaken by another read
		r.Begin(a)
		if _, fresh := r.Fresh("a", time.Hour); fresh {
			t.Error("fresh while it is written")
		}
		tell(at(3*time.Second, 2)) // while the device settles
		time.Sleep(10 * time.Second)
		found := at(5*time.Second, 9)
		r.End(t.Context(), a, write.End{Written: true, Found: &found, Confirmed: true})
		tell(at(4*time.Second, 2)) // begun before, here behind
		tell(at(5*time.Second, 9)) // the read-back itself, once more
		tell(at(6*time.Second, 8)) // turned at the device afterwards
		if got := fmt.Sprint(sink.of("a")); got != "[1 2 9 9 8]" {
			t.Errorf("reported %s", got)
		}
		r.Begin(a)
		time.Sleep(10 * time.Second)
		r.End(t.Context(), a, write.End{Written: true})
		tell(at(19*time.Second, 8))
		tell(at(21*time.Second, 7))
		r.Begin(a)
		r.End(t.Context(), a, write.End{})
		tell(at(22*time.Second, 6))
		if got := fmt.Sprint(sink.of("a")); got != "[1 2 9 9 8 7 6]" {
			t.Errorf("reported %s", got)
		}
	})
}
