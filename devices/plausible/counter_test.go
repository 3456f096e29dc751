package plausible

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// at returns a moment of a day in September; "+1" behind it is the next day.
func at(t *testing.T, clock string) time.Time {
	t.Helper()
	clock, next := strings.CutSuffix(clock, "+1")
	when, err := time.Parse("15:04:05", clock)
	if err != nil {
		t.Fatal(err)
	}
	day := 13
	if next {
		day++
	}
	return time.Date(2026, 9, day, when.Hour(), when.Minute(), when.Second(), 0, time.UTC)
}

func counter(key, typed string) profile.Point {
	p := profile.Point{Key: key, Name: "Energy", Unit: "kWh", Range: profile.Span{High: 1e8},
		Ranges: []protocol.Range{{Count: 2}}, Spec: codec.Spec{Type: codec.U32, Scale: 0.1}}
	switch typed {
	case "u16":
		p.Spec.Type = codec.U16
	case "s16":
		p.Spec.Type = codec.S16
	case "f32":
		p.Spec = codec.Spec{Type: codec.F32}
	}
	p.Quantity, p.Entity.StateClass = key, "total_increasing"
	return p
}

func ruleOf(t *testing.T, p profile.Point) Rule {
	t.Helper()
	r, ok := RuleOf(p, time.UTC)
	if !ok {
		t.Fatal("no rule")
	}
	return r
}

// TestCounters plays series of readings, each with the moment of its reading. What is shown is the value, "-" where the
// reading is left out, and "unknown".
func TestCounters(t *testing.T) {
	const life, today = "pv_energy", "pv_energy_today"
	tests := []struct{ name, key, typed, read, shown string }{
		{"a counter counts", life, "u32", "06:00:00 100, 06:00:15 100.1, 06:00:30 100.1, 06:01:00 100.4",
			"100 100.1 100.1 100.4"},
		{"0 at wake-up", life, "u32", "05:59:50 5354.8, 06:00:00 0, 06:00:15 0, 06:00:30 0, 06:00:40 5354.8",
			"5354.8 - - - 5354.8"},
		{"0 for long", life, "u32", "06:00:00 5354.8, 06:01:00 0, 06:10:00 0, 06:11:00 0, 12:00:00 0, 12:00:15 5354.9",
			"5354.8 - - unknown unknown 5354.9"},
		{"a new meter", life, "u32", "06:00:00 5354.8, 06:01:00 0, 06:02:00 0.1, 06:02:15 0.1, " +
			"06:02:30 0.1, 06:03:00 0.2",
			"5354.8 - - - 0.1 0.2"},
		{"one wrong reading", life, "u32", "06:00:00 500, 06:00:15 65535, 06:00:30 500, 06:00:45 12, 06:01:00 500.1",
			"500 - 500 - 500.1"},
		{"a step back of a float", life, "f32", "06:00:00 29023.385, 06:00:02 29023.381, 06:00:04 29023.386",
			"29023.385 29023.385 29023.386"},
		{"a step too far that lasts", life, "u32", "06:00:00 500, 06:00:15 4000, 06:05:00 4000, 06:10:15 4000.1",
			"500 - - 4000.1"},
		{"a long absence", life, "u32", "06:00:00 500, 18:00:00 560", "500 560"},
		{"its owner has reset it", "energy_import_resettable", "f32",
			"06:00:00 12.5, 06:05:00 0, 06:10:00 0, 06:15:00 0, 06:20:00 0.1", "12.5 - - 0 0.1"},
		{"first 0", life, "u32", "06:00:00 0, 06:00:15 0, 06:01:00 0, 06:02:00 0.1", "- - 0 0.1"},
		{"first 0, then the count", life, "u32", "06:00:00 0, 06:00:15 0, 06:00:30 5354.8", "- - 5354.8"},

		{"back by tenths", today, "u16", "12:00:00 0.2, 12:01:00 0.3, 12:02:00 0.2, 12:03:00 0.3, " +
			"12:04:00 0.4, 12:05:00 0.3",
			"0.2 0.3 0.3 0.3 0.4 0.4"},
		{"negative", today, "u16", "12:00:00 6.3, 12:01:00 6.0, 12:02:00 6553.3, 12:30:00 6553.3, 12:31:00 6.4",
			"6.3 6.3 - unknown 6.4"},
		{"negative at first", today, "u16", "12:00:00 6553.3, 12:00:15 6553.3, 12:01:00 0.1", "- unknown 0.1"},
		{"negative with a sign", today, "s16", "12:00:00 6.3, 12:01:00 -0.3, 12:02:00 6.4", "6.3 - 6.4"},
		{"midnight", today, "u16", "23:59:50 21.7, 00:00:05+1 0, 00:00:20+1 0, 00:01:05+1 0, 00:01:20+1 0.1",
			"21.7 - - 0 0.1"},
		{"midnight of a clock that is behind", today, "u16",
			"23:59:50 21.7, 00:40:00+1 21.8, 00:55:00+1 0, 00:56:00+1 0", "21.7 21.8 - 0"},
		{"midnight of a clock that is fast", today, "u16", "22:59:50 21.7, 23:00:05 0, 23:01:05 0.1, 00:10:00+1 0.3",
			"21.7 - 0.1 0.3"},
		{"a day with little", today, "u16", "22:30:00 0.2, 23:59:50 0.3, 00:00:05+1 0, 00:01:05+1 0, 09:00:00+1 0.1",
			"0.2 0.3 - 0 0.1"},
		{"a day with little, of a clock that is behind", today, "u16", "23:50:00 0, 23:59:50 0.3, 00:05:00+1 0.3, " +
			"00:40:00+1 0, 00:41:00+1 0, 09:00:00+1 0.1",
			"0 0.3 0.3 - 0 0.1"},
		{"the first light", today, "u16", "20:00:00 21.7, 06:10:00+1 0, 06:11:00+1 0", "21.7 - 0"},
		{"0 at noon", today, "u16", "12:00:00 9, 12:00:02 0, 12:00:04 0, 12:00:07 9", "9 - - 9"},
		{"0 at noon for good", today, "u16", "12:00:00 9, 12:00:02 0, 12:05:00 0, 12:10:02 0, 12:10:10 0.1",
			"9 - - 0 0.1"},
		{"0 in the morning after the night", today, "u16",
			"23:59:50 21.7, 00:00:05+1 0, 00:01:05+1 0, 12:00:00+1 9, 12:00:05+1 0, 12:02:00+1 0, 12:03:00+1 9",
			"21.7 - 0 9 - - 9"},
	}
	for _, tt := range tests {
		r, mark, got := ruleOf(t, counter(tt.key, tt.typed)), Mark{}, []string{}
		r.Zone = time.UTC
		for one := range strings.SplitSeq(tt.read, ", ") {
			clock, number, _ := strings.Cut(one, " ")
			var v float64
			fmt.Sscan(number, &v)
			var f Finding
			mark, f = r.Judge(mark, v, at(t, clock), Circumstances{})
			got = append(got, []string{fmt.Sprint(v), fmt.Sprint(mark.Value), "-", "unknown"}[f.Verdict])
			if (f.Verdict >= Held) != (f.Reason != "") {
				t.Errorf("%s: %s: reason %q", tt.name, one, f.Reason)
			}
		}
		if text := strings.Join(got, " "); text != tt.shown {
			t.Errorf("%s:\nhave %s\nwant %s", tt.name, text, tt.shown)
		}
	}
}

// TestBalances: what may fall, or be below 0, is no counter.
func TestBalances(t *testing.T) {
	formula := func(state string, second float64) profile.Point {
		return profile.Point{Key: "energy_total_net", Unit: "kWh", Spec: codec.Spec{Type: codec.F64},
			Entity:  profile.EntityHints{StateClass: state},
			Formula: &profile.Formula{Terms: []profile.Term{{Factor: 1}, {Factor: second}}}}
	}
	net := counter("energy_net", "f32")
	net.Range.Low = -1e8
	for name, c := range map[string]struct {
		p    profile.Point
		kind Kind
	}{
		"a balance of the vocabulary":            {net, Free},
		"a sum that the owner derives":           {formula("total", 1), Lifetime},
		"a difference that the owner derives":    {formula("total", -1), Free},
		"a difference that is said only to rise": {formula("total_increasing", -1), Lifetime},
	} {
		if kind := kindOf(c.p); kind != c.kind {
			t.Errorf("%s: %v, want %v", name, kind, c.kind)
		}
	}
}

// TestRange: beyond its range a number is read once more, and then unknown.
func TestRange(t *testing.T) {
	r := Rule{Name: "State of charge", Unit: "%", Low: 0, High: 100}
	mark, f := r.Judge(Mark{}, 24710, at(t, "12:00:00"), Circumstances{})
	if f.Verdict != Held || !f.Again {
		t.Fatalf("%+v", f)
	}
	mark, f = r.Judge(mark, 24710, at(t, "12:00:01"), Circumstances{})
	if f.Verdict != Unknown || f.Again ||
		f.Reason != "the device holds 24710 %, and State of charge is between 0 % and 100 %" {
		t.Fatalf("%+v", f)
	}
	if mark, f = r.Judge(mark, 100, at(t, "12:00:02"), Circumstances{}); f.Verdict != Believed || mark.Odd() {
		t.Fatalf("%+v", f)
	}
}

// TestFallIsTold: a lower counter is told once, and only where it was believed. While others are odd it takes longer.
func TestFallIsTold(t *testing.T) {
	r := ruleOf(t, counter("pv_energy", "u32"))
	for _, odd := range []bool{false, true} {
		mark, _ := r.Judge(Mark{}, 500, at(t, "12:00:00"), Circumstances{Odd: odd})
		told, after := 0, time.Duration(0)
		for s := 15; s < 3600; s += 15 {
			when := at(t, "12:00:00").Add(time.Duration(s) * time.Second)
			var f Finding
			if mark, f = r.Judge(mark, 20+float64(s)/10000, when, Circumstances{Odd: odd}); f.Fell {
				told++
				after = when.Sub(at(t, "12:00:00"))
				if f.Before != 500 {
					t.Errorf("before %v", f.Before)
				}
			}
		}
		want := 45 * time.Second
		if odd {
			want = 615 * time.Second
		}
		if told != 1 || after != want {
			t.Errorf("odd %v: told %d times, after %v", odd, told, after)
		}
	}
}

// TestLifetimeNeverFalls: whatever a device reads, what is shown of a lifetime counter falls only where that is told,
// and is never 0 when it was more.
func TestLifetimeNeverFalls(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 2000 {
		r, mark, shown := ruleOf(t, counter("pv_energy", []string{"u32", "u16", "f32"}[random.IntN(3)])), Mark{}, 0.0
		now, real := at(t, "00:00:00"), math.Round(random.Float64()*1e5)/10
		for range 200 {
			now = now.Add(time.Duration(random.IntN(60)) * time.Second)
			real += float64(random.IntN(3)) / 10
			v := real
			switch random.IntN(8) {
			case 0:
				v = 0
			case 1:
				v = random.Float64() * 7000
			case 2:
				v = real - 0.3
			}
			var f Finding
			if mark, f = r.Judge(mark, v, now, Circumstances{Odd: random.IntN(2) == 0}); f.Verdict >= Held {
				continue
			}
			if mark.Value < shown && !f.Fell || mark.Value == 0 && shown > 0 {
				t.Fatalf("shows %v after %v, read %v: %+v", mark.Value, shown, v, f)
			}
			shown = mark.Value
		}
	}
}

// TestMarks: counters of one device know of each other, and a restart keeps the marks.
func TestMarks(t *testing.T) {
	var m Marks
	total, today := counter("pv_energy", "u32"), counter("pv_energy_today", "u16")
	free := profile.Point{Key: "power", Spec: codec.Spec{Type: codec.S16}}
	m.Watch([]profile.Point{total, today, free}, time.UTC)
	m.Recall(map[string]Kept{"pv_energy": {5354.8, at(t, "05:00:00")}, "pv_energy_today": {3.2, at(t, "05:00:00")}})
	for s := range 9 { // both read 0 for two minutes: the counter of the day is not believed either
		now := at(t, "06:00:00+1").Add(time.Duration(s) * 15 * time.Second)
		for _, key := range []string{"pv_energy", "pv_energy_today"} {
			if _, f := m.Take(key, codec.Number(0), now); f.Verdict != Held || f.Again != (s == 0) {
				t.Fatalf("%s at %v: %+v", key, now, f)
			}
		}
		if v, f := m.Take("power", codec.Number(-5), now); f.Verdict != Believed || v.Num != -5 {
			t.Fatalf("%v %+v", v, f)
		}
	}
	if m.Total() != 18 || len(m.Odd()) != 2 {
		t.Errorf("%d, %v", m.Total(), m.Odd())
	}
	m.Watch([]profile.Point{total, today}, time.UTC)
	v, f := m.Take("pv_energy", codec.Number(5354.9), at(t, "06:05:00+1"))
	if f.Verdict != Believed || v.Num != 5354.9 {
		t.Errorf("%v %+v", v, f)
	}
	if m.Forget(); len(m.Odd()) != 0 {
		t.Error("odd after it was forgotten")
	}
	if v, f := m.Take("pv_energy", codec.Number(7), at(t, "06:06:00+1")); f.Verdict != Believed || v.Num != 7 {
		t.Errorf("%v %+v", v, f)
	}
}

// BenchmarkTake is what each reading costs while all is well.
func BenchmarkTake(b *testing.B) {
	var m Marks
	m.Watch([]profile.Point{counter("pv_energy", "u32")}, time.UTC)
	now := time.Now()
	for n := 0; b.Loop(); n++ {
		now = now.Add(time.Second)
		m.Take("pv_energy", codec.Number(100+float64(n)/1e4), now)
	}
	b.ReportAllocs()
}
