package demo

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anySettings draws settings as an owner may make them, sensible or not.
func anySettings(t *rapid.T) Settings {
	watts := rapid.OneOf(rapid.Just(0.0), rapid.Just(math.Inf(1)), rapid.Float64Range(0, 12000))
	percent := rapid.OneOf(rapid.Just(0.0), rapid.Just(100.0), rapid.Float64Range(0, 100))
	return Settings{
		Mode:   rapid.SampledFrom([]Mode{SelfUse, FeedIn, Backup, Discharge, ""}).Draw(t, "mode"),
		Charge: watts.Draw(t, "charge"), Discharge: watts.Draw(t, "discharge"),
		LowSoC: percent.Draw(t, "low"), HighSoC: percent.Draw(t, "high"),
		FromGrid: rapid.Bool().Draw(t, "from grid"), GridCharge: watts.Draw(t, "grid charge"), GridSoC: percent.Draw(t,
			"grid soc"),
		Export: watts.Draw(t, "export"), ExportDenied: rapid.Bool().Draw(t, "export denied"),
	}
}

func home(seed uint64, start time.Duration) *House {
	return NewHouse(HouseOptions{Seed: seed, Start: start, Systems: []System{
		{Peak: 9000, Capacity: 14300, Volts: 51.2, Rated: 8000, Loads: []Load{{Watts: 300},
			{Watts: 2200, From: 17 * time.Hour, To: 20 * time.Hour, On: 4 * time.Minute, Every: 9 * time.Minute}}},
		{Peak: 4200, Capacity: 7200, Volts: 51.2, Rated: 3000, Loads: []Load{{Watts: 150, On: 12 * time.Minute,
			Every: 40 * time.Minute}}},
	}})
}

// TestEnergyAddsUp lives through days under settings that change, in steps of any length, and keeps its own account.
func TestEnergyAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := home(rapid.Uint64().Draw(t, "seed"), 0)
		at := h.at
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			i := rapid.IntRange(0, 1).Draw(t, "system")
			s := anySettings(t)
			h.Set(i, s)
			at += time.Duration(rapid.IntRange(1, 4*3600).Draw(t, "seconds")) * time.Second
			accountFor(t, h, at)
		}
	})
}

// accountFor lives until a moment, step by step, and checks each.
func accountFor(t *rapid.T, h *House, until time.Duration) {
	for h.at < until {
		before := append([]system{}, h.systems...)
		dt := min(longest, until-h.at, day-h.at%day)
		h.live(h.at + dt)
		for i, s := range h.systems {
			f := s.flows
			if sum := f.Solar + f.Battery + f.Grid - f.Load; math.Abs(sum) > 1e-6 || f.Solar < -1e-6 || f.Load < 0 {
				t.Fatalf("system %d at %s: %+v leaves %g W", i, h.at, f, sum)
			}
			if soc := s.soc(); soc < 0 || soc > 100 {
				t.Fatalf("system %d at %s: state of charge %g", i, h.at, soc)
			}
			obeys(t, s)
			if wrong := counted(before[i].total, s.total, f, dt.Hours()); wrong != "" {
				t.Fatalf("system %d at %s: %s: from %+v to %+v at %+v", i, h.at, wrong, before[i].total, s.total, f)
			}
			kept := s.stored - before[i].stored
			if flowed := -f.Battery * dt.Hours(); kept > math.Max(flowed, 0)+1e-6 || kept < math.Min(flowed, 0)-1e-6 {
				t.Fatalf("system %d at %s: %g Wh flowed into the battery and %g are more in it", i, h.at, flowed, kept)
			}
		}
		whole := h.Look(Whole).Flows
		if sum := whole.Solar + whole.Battery + whole.Grid - whole.Load; math.Abs(sum) > 1e-6 {
			t.Fatalf("at %s the house leaves %g W", h.at, sum)
		}
	}
}

// obeys checks what a system may never do under its settings.
func obeys(t *rapid.T, s system) {
	f, set := s.flows, s.settings
	for what, over := range map[string]float64{
		"charges more than it may":    -f.Battery - set.Charge,
		"discharges more than it may": f.Battery - set.Discharge,
		"exports more than it may":    -f.Grid - set.exportable(),
	} {
		if over > 1e-6 {
			t.Fatalf("%s by %g W: %+v under %+v", what, over, f, set)
		}
	}
}

// counted says what the counters did with a flow that they should not have: each way is counted by itself, and none
// ever falls.
func counted(a, b Energy, f Flows, hours float64) string {
	both := func(in, out, power float64) bool {
		return in < -1e-9 || out < -1e-9 || math.Abs(in-out-power*hours) > 1e-6 || math.Min(in, out) > 1e-6
	}
	switch {
	case both(b.Solar-a.Solar, 0, f.Solar):
		return "solar"
	case both(b.Load-a.Load, 0, f.Load):
		return "load"
	case both(b.Import-a.Import, b.Export-a.Export, f.Grid):
		return "import and export"
	case both(b.Discharge-a.Discharge, b.Charge-a.Charge, f.Battery):
		return "discharge and charge"
	}
	return ""
}

func TestSettingsActAtOnce(t *testing.T) {
	noon := 12*time.Hour + 30*time.Minute
	for name, test := range map[string]struct {
		set  func(*Settings)
		ok   func(Flows) bool
		want string
	}{
		"as it is": {func(*Settings) {}, func(f Flows) bool { return f.Battery < -100 },
			"the battery charges"},
		"charge limit 0": {func(s *Settings) { s.Charge = 0 },
			func(f Flows) bool {
				return f.Battery >= 0 &&
					f.Grid < -100
			}, "the battery does not charge, the grid takes it"},
		"nothing to the grid": {func(s *Settings) { s.Charge, s.ExportDenied = 0, true },
			func(f Flows) bool { return f.Grid >= 0 && f.Solar <= f.Load }, "the panels give what the house takes"},
		"feed in first": {func(s *Settings) { s.Mode = FeedIn },
			func(f Flows) bool { return f.Battery >= 0 && f.Grid < -100 }, "the surplus is sold"},
		"battery emptied": {func(s *Settings) { s.Mode = Discharge },
			func(f Flows) bool { return f.Battery > 1000 }, "the battery discharges"},
		"low state of charge": {func(s *Settings) { s.Mode, s.LowSoC = Discharge, 100 },
			func(f Flows) bool { return f.Battery <= 0 }, "the battery gives nothing"},
		"charged from grid": {func(s *Settings) { s.FromGrid = true },
			func(f Flows) bool { return f.Battery < -5000 }, "the battery charges at full power"},
	} {
		t.Run(name, func(t *testing.T) {
			h := home(3, noon)
			s := Unlimited()
			test.set(&s)
			h.systems[0].stored = 0.5 * h.systems[0].Capacity
			h.Set(0, s)
			h.live(noon + time.Second)
			if f := h.systems[0].flows; !test.ok(f) {
				t.Errorf("%s: %+v", test.want, f)
			}
		})
	}
}

func TestSameSeedSameDay(t *testing.T) {
	a, b, other := home(5, 11*time.Hour), home(5, 11*time.Hour), home(6, 11*time.Hour)
	if a.Look(Whole) != b.Look(Whole) {
		t.Error("the same seed gives two days")
	}
	if a.Look(Whole) == other.Look(Whole) {
		t.Error("two seeds give the same day")
	}
}

func TestDayRunsFasterAndCountersBeginAnew(t *testing.T) {
	h := NewHouse(HouseOptions{Seed: 1, Day: 5 * time.Minute, Start: 12 * time.Hour,
		Systems: home(1, 0).options.Systems})
	began := time.Now()
	h.Advance(began)
	noon := h.Look(Whole)
	h.Advance(began.Add(2*time.Minute + 29*time.Second)) // 23:55
	night := h.Look(Whole)
	h.Advance(began.Add(2*time.Minute + 31*time.Second)) // 00:05
	next := h.Look(Whole)
	h.Advance(began) // the past changes nothing
	if h.Look(Whole).At != next.At {
		t.Error("time has run backwards")
	}
	if noon.Solar < 500 || night.Solar != 0 || night.Today.Solar <= noon.Today.Solar {
		t.Errorf("solar %g W at noon and %g at night; %g Wh, later %g", noon.Solar, night.Solar, noon.Today.Solar,
			night.Today.Solar)
	}
	if next.Today.Solar != 0 || next.Today.Load <= 0 || next.Today.Load > 1000 ||
		next.Total.Solar != night.Total.Solar {
		t.Errorf("after midnight today is %+v, total %+v", next.Today, next.Total)
	}
}
