package host

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestOutboxWaitsForQuiet(t *testing.T) {
	for _, c := range []struct {
		name  string
		every time.Duration // between two changes of different entities
		count int
		want  time.Duration // from the first change until they are due
	}{
		{"one change", 0, 1, Quiet},
		{"a burst", 10 * time.Millisecond, 5, 40*time.Millisecond + Quiet},
		{"no rest", 20 * time.Millisecond, 12, Longest},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := NewOutbox()
				if _, ok := o.due(); ok {
					t.Fatal("an empty outbox has something to send")
				}
				began := time.Now()
				for i := range c.count {
					if i > 0 {
						time.Sleep(c.every)
					}
					o.Put(States{Values: map[string]any{fmt.Sprint(i): i}})
				}
				wait, ok := o.due()
				if got := time.Since(began) + wait; !ok || got != c.want {
					t.Errorf("due after %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestOutboxSendsAvailabilityFirst(t *testing.T) {
	o := NewOutbox()
	values := map[string]any{}
	for i := range MaxStates {
		values[fmt.Sprint(i)] = i
	}
	o.Put(States{Values: values})
	o.Put(States{Available: map[string]bool{"1": false}, Devices: map[string]DeviceState{"d": {Online: true}}})
	f, last := o.take()
	if last || len(f.Devices) != 1 || len(f.Available) != 1 || len(f.Values) != MaxStates-2 {
		t.Errorf("first frame has %d, %d, %d, last %v", len(f.Devices), len(f.Available), len(f.Values), last)
	}
	if f, last = o.take(); !last || len(f.Values) != 2 {
		t.Errorf("second frame has %d values, last %v", len(f.Values), last)
	}
	if f, last = o.take(); !last || !f.empty() {
		t.Errorf("a third frame: %+v", f)
	}
}

func TestOutboxHoldsNoRepetitions(t *testing.T) {
	o := NewOutbox()
	changes := States{Values: map[string]any{"a": 1, "b": math.NaN()}, Available: map[string]bool{"a": true},
		Devices: map[string]DeviceState{"d": {Reason: "r"}}}
	o.Put(changes)
	if f, _ := o.take(); f.Values["b"] != nil || f.Values["a"] != int64(1) {
		t.Errorf("values are %v", f.Values)
	}
	o.Put(changes)
	if _, ok := o.due(); ok {
		t.Error("what has not changed is sent again")
	}
	o.markAll()
	if f, _ := o.take(); len(f.Values) != 2 || len(f.Devices) != 1 {
		t.Errorf("after a lost session: %+v", f)
	}
}

func TestOutboxConfirms(t *testing.T) {
	o := NewOutbox()
	o.Put(States{Values: map[string]any{"a": 1, "b": 2, "old": 3}, Cached: map[string]time.Time{"old": time.Now()}})
	got := o.confirm([]string{"a", "old", "nothing"})
	if !maps.Equal(got, map[string]any{"a": int64(1)}) {
		t.Errorf("confirmed %v", got)
	}
	f, _ := o.take()
	if keys := slices.Sorted(maps.Keys(f.Values)); !slices.Equal(keys, []string{"b", "old"}) {
		t.Errorf("sent after that: %v", keys)
	}
	if got := o.confirm([]string{"b"}); got["b"] != int64(2) {
		t.Errorf("what was sent already is confirmed as %v", got)
	}
	if _, ok := o.due(); ok {
		t.Error("something is left")
	}
}

// TestOutboxEndsWithTheNewest puts, takes, confirms and loses sessions in any order: in the end the host knows what was
// put last, and the outbox never holds more than there are entities.
func TestOutboxEndsWithTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := NewOutbox()
		truth, shown := map[string]any{}, map[string]any{}
		id := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		steps := rapid.IntRange(1, 60).Draw(t, "steps")
		for range steps {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				k, v := id.Draw(t, "id"), rapid.Float64Range(0, 3).Draw(t, "value")
				truth[k] = v
				o.Put(States{Values: map[string]any{k: v}})
			case 2:
				f, _ := o.take()
				maps.Copy(shown, f.Values)
			case 3:
				maps.Copy(shown, o.confirm([]string{id.Draw(t, "confirmed")}))
			case 4:
				clear(shown)
				o.markAll()
			}
			if n := len(o.unsentValues.order); n > 4 || n != len(o.unsentValues.in) {
				t.Fatalf("%d ids wait, %d of them different", n, len(o.unsentValues.in))
			}
		}
		for last := false; !last; {
			var f StatesFrame
			f, last = o.take()
			maps.Copy(shown, f.Values)
		}
		if !maps.Equal(shown, truth) {
			t.Fatalf("the host shows %v, want %v", shown, truth)
		}
	})
}

func TestOutboxForgets(t *testing.T) {
	o := NewOutbox()
	o.Put(States{Values: map[string]any{"a": 1, "b": 2}, Available: map[string]bool{"a": false},
		Devices: map[string]DeviceState{"d": {Online: true}, "e": {}}})
	o.Forget([]string{"a", "never there"}, []string{"d"})
	for range 2 { // what has changed, and then everything
		f, last := o.take()
		if !last || len(f.Values) != 1 || f.Values["b"] == nil || len(f.Available) != 0 || len(f.Devices) != 1 {
			t.Errorf("it holds %+v", f)
		}
		o.markAll()
	}
	o.Forget([]string{"b"}, []string{"e"})
	if _, waits := o.due(); waits {
		t.Error("there is something to send of what is forgotten")
	}
}
