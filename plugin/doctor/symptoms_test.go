package doctor

import (
	"reflect"
	"testing"
	"time"

	"solarhub/protocol"
)

func TestAGaugeLooksBackOverItsWindow(t *testing.T) {
	g, now := NewGauge(Line{Bus: protocol.NewBus(nil, protocol.BusOptions{})}), time.Now()
	for after := time.Second; after <= time.Hour; after += time.Second {
		g.Measure(now.Add(after))
	}
	if n := len(g.past); n < int(window/MeasureEvery) || n > int(window/MeasureEvery)+2 {
		t.Errorf("%d samples are kept", n)
	}
	if first := now.Add(time.Hour).Sub(g.past[0].at); first < window || first > window+2*MeasureEvery {
		t.Errorf("the oldest is %v old", first)
	}
}

// TestEveryCounterIsTakenSince fails when a counter is added to protocol.Stats and forgotten in since.
func TestEveryCounterIsTakenSince(t *testing.T) {
	at := func(n uint64) protocol.Stats {
		s := protocol.Stats{Busy: time.Duration(n), Units: map[protocol.UnitID]protocol.UnitStats{}}
		var unit protocol.UnitStats
		for _, v := range []reflect.Value{reflect.ValueOf(&s).Elem(), reflect.ValueOf(&s.Frames).Elem(),
			reflect.ValueOf(&unit).Elem()} {
			for _, f := range v.Fields() {
				if f.Kind() == reflect.Uint64 {
					f.SetUint(n)
				}
			}
		}
		s.Units[1] = unit
		return s
	}
	got := since(at(5), at(3))
	if want := at(2); !reflect.DeepEqual(onlyCounters(got), onlyCounters(want)) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// onlyCounters takes out what is a state, not a counter.
func onlyCounters(s protocol.Stats) protocol.Stats {
	s.Openings, s.Connection = 0, 0
	return s
}
