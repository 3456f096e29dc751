package devices

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// traitProfile has a trait of each source, values that follow from others, and values that are written elsewhere.
const traitProfile = `
profile: estate
name: Estate inverter
manufacturer: House
sources: {maker: "The makers paper"}
line: {unit: 1, turnaround: 5ms, source: maker}
identify:
  serial: [{at: 3, type: text, length: 5}, {at: 10, type: text, length: 5}]
  model: {at: 15, type: text, length: 4}
  expect: [{at: 0, values: [5, 6]}]
  source: maker
traits:
  battery: {at: 0, values: {lv: 5, hv: 6}}
  phases: {at: 22, mask: 0x000F, number: 1..3, otherwise: 3}
  generation: {serial: {H34: g4, H35: g5}, otherwise: g3}
  size: {model: {BIG: big}, otherwise: small}
  meter: {answers: 500}
  meter_phases: {at: 501, number: 1..3, otherwise: 1, when: meter}
  unit: {choice: {tenth: "0.1 kWh", whole: "Whole kWh"}, otherwise: tenth, ask: Which does the display show?}
defaults: {write: multiple}
points:
  - {key: power_a, name: Power A, at: 100, type: s16, unit: W, class: power, every: slow, source: maker}
  - {key: power_b, name: Power B, at: 101, type: s16, unit: W, class: power, every: now, show: true, source: maker}
  - {key: direction, name: Direction, at: 102, options: {0: {out: Out}, 1: {in: In}}, every: slow, source: maker}
  - {key: total, name: Total, value: power_a + 0.5 * power_b, negative: {direction: [in]}, unit: W, class: power,
     precision: 0, every: now, show: true, source: maker}
  - {key: energy, name: Energy, at: 110, scale: {tenth: 0.1, whole: 1}, unit: kWh, class: energy, every: now,
     show: true, source: maker}
  - {key: meter_power, name: Meter power, at: 502, unit: W, class: power, every: now, show: true, when: meter,
     source: maker}
  - {key: scaled, name: Scaled limit, at: 120, scale_at: 130, unit: "%", every: now, show: true,
     write: {min: 0, max: 100, step: 0.5}, source: maker}
  - {key: moved, name: Moved limit, at: 121, scale: 0.1, unit: A, class: current, every: now, show: true,
     write: {at: 221, scale: 1, min: 0, max: 50, step: 1}, source: maker}
  - {key: lone, name: Lone, at: 122, unit: W, class: power, every: now, show: true, alone: true, source: maker}
`

// estate is polled with an inverter of traitProfile with these traits.
func estate(t *testing.T, traits profile.Traits, set func(*house), f func(*house)) {
	t.Helper()
	p, err := profile.Load("estate.yaml", []byte(traitProfile))
	if err != nil {
		t.Fatal(err)
	}
	full := maps.Clone(p.Cases()[0])
	maps.Copy(full, traits)
	polled(t, func(h *house) {
		h.cfg.Profile, h.cfg.Line = p, p.Line
		if h.unit, err = simulate.Unit(p, full, "SN00000001"); err != nil {
			t.Fatal(err)
		}
		if set != nil {
			set(h)
		}
	}, f)
}

func TestTraitsAreSettled(t *testing.T) {
	all := profile.Traits{"battery": "hv", "phases": "2", "generation": "g5", "size": "big", "meter": "yes",
		"meter_phases": "3"}
	few := profile.Traits{"battery": "lv", "phases": "1", "generation": "g3", "size": "small", "meter": "no"}
	for name, c := range map[string]struct {
		traits profile.Traits
		set    func(*house)
		want   string
		reads  int // at most
	}{
		"all": {all, nil, "hv, phases 2, g5, big, meter, meter_phases 3, tenth", 3},
		"few": {few, nil, "lv, phases 1, g3, small, not meter, meter_phases 1, tenth", 2},
		"no phases": {few, func(h *house) { h.unit.Remove(protocol.Range{Addr: 22, Count: 1}) }, "lv, phases 3, g3",
			20},
		"odd phases": {few, func(h *house) { h.unit.Set(protocol.HoldingRegister, 22, 7) }, "lv, phases 3, g3", 2},
		"fixed": {all, func(h *house) {
			h.cfg.Traits = profile.Traits{"unit": "whole", "meter": "no", "generation": "g4", "phases": "3"}
		}, "hv, phases 3, g4, big, not meter, meter_phases 1, whole", 2},
		"silent meter": {few, func(h *house) {
			h.unit.Limit(sim.Limits{Undefined: sim.Silence})
		}, "lv, phases 1, g3, small, not meter", 20},
	} {
		estate(t, c.traits, c.set, func(h *house) {
			h.pass(20 * time.Second)
			if s := h.device.Status(); !s.Identified || !strings.HasPrefix(s.Identity.Traits, c.want) {
				t.Errorf("%s: %+v, want %s", name, s, c.want)
			}
			_, has := h.device.point("meter_power")
			if want := strings.Contains(c.want, ", meter,"); has != want {
				t.Errorf("%s: meter power is there: %v", name, has)
			}
			reads := 0
			for _, e := range h.line.Journal().Since(0) {
				if e.Range.Addr >= 100 && e.Range.Addr < 500 {
					break
				}
				reads++
			}
			if reads > c.reads {
				t.Errorf("%s: identified in %d reads", name, reads)
			}
		})
	}
}

// The second candidate counts where the first gives no text that can be an id.
func TestSecondSerialNumber(t *testing.T) {
	estate(t, nil, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 3, 0, 0, 0, 0, 0)
		h.unit.Set(protocol.HoldingRegister, 10, 0x4131, 0x4232, 0x4333, 0x4434, 0x4535)
	}, func(h *house) {
		if id := h.device.ID(); id != "A1B2C3D4E5" {
			t.Errorf("id %q: %+v", id, h.device.Status())
		}
	})
}

// A reply that is lost while the device comes back changes no trait.
func TestSilenceChangesNoTrait(t *testing.T) {
	estate(t, profile.Traits{"meter": "yes", "meter_phases": "2"}, nil, func(h *house) {
		before := h.device.Identity()
		h.unit.Remove(protocol.Range{Addr: 500, Count: 3})
		h.unit.Limit(sim.Limits{Undefined: sim.Silence})
		h.hangUp()
		h.pass(30 * time.Second)
		if now := h.device.Identity(); now != before || !h.device.Status().Online {
			t.Errorf("%+v became %+v: %s", before, now, h.device.Status().Reason)
		}
	})
}

func TestDerivedValues(t *testing.T) {
	estate(t, nil, func(h *house) { h.unit.Set(protocol.HoldingRegister, 100, 1000, 102, 0) }, func(h *house) {
		if got := h.sink.last("total"); got.Value.Num != 1051 || len(h.sink.of("power_a")) > 0 ||
			len(h.sink.of("power_b")) == 0 {
			t.Errorf("total %+v, operands %v", got, h.sink.of("power_a"))
		}
		h.unit.Set(protocol.HoldingRegister, 100, 2000, 100, 1)
		h.pass(2500 * time.Millisecond) // as often as the value itself, not every five minutes
		if got := h.sink.last("total"); got.Value.Num != -2050 || !got.ReadAt.Equal(h.sink.last("power_b").ReadAt) {
			t.Errorf("total %+v", got)
		}
		h.unit.Set(protocol.HoldingRegister, 102, 7) // no direction, no total
		h.pass(2500 * time.Millisecond)
		if got := h.sink.last("total"); got.Value.Any() != nil {
			t.Errorf("total %+v", got)
		}
		if got, err := h.device.Read(h.ctx, "total"); err != nil || got.Value.Any() != nil {
			t.Errorf("read: %+v, %v", got, err)
		}
		h.device.SetEnabled(func(key string) bool { return key == "power_b" })
		h.sink.forget()
		h.pass(5 * time.Second)
		if n := len(h.sink.of("total")); n > 0 {
			t.Errorf("%d values of what is off", n)
		}
	})
}

func TestReadingsOfOtherTraitsCountNoMore(t *testing.T) {
	estate(t, nil, nil, func(h *house) {
		if _, fresh := h.device.out.Fresh("power_b", time.Minute); !fresh {
			t.Fatal("nothing was read")
		}
		other := h.device.Identity()
		other.Traits = strings.Replace(other.Traits, "lv", "hv", 1)
		if err := h.device.accept(other, "", 1); err != nil {
			t.Fatal(err)
		}
		if old, fresh := h.device.out.Fresh("power_b", time.Minute); fresh {
			t.Errorf("%+v still counts", old)
		}
	})
}

func TestWrittenElsewhere(t *testing.T) {
	estate(t, nil, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 120, 300)
		h.unit.Set(protocol.HoldingRegister, 130, 0xFFFF)
	}, func(h *house) {
		if got := h.sink.last("scaled").Value.Num; got != 30 {
			t.Errorf("scaled is %v", got)
		}
		if _, err := h.write("scaled", 45.5); err != nil || h.word(120) != 455 || h.word(130) != 0xFFFF {
			t.Errorf("scaled: %v, holds %d", err, h.word(120))
		}
		h.unit.Set(protocol.HoldingRegister, 130, 0) // the power is read again before the next write
		if e := h.refusal("scaled", 40.5); !strings.Contains(e.Error(), "each 1") {
			t.Error(e)
		}
		if o, err := h.write("moved", 12.0); err != nil || h.word(221) != 12 || h.word(121) != 120 ||
			o.Reading.Value.Num != 12 {
			t.Errorf("moved: %v, %+v, holds %d", err, o, h.word(121))
		}
		since := h.line.Journal().Last()
		if o, err := h.write("moved", 12.0); err != nil || !o.Unchanged || len(h.writes(since)) > 0 {
			t.Errorf("moved again: %v, %+v", err, o)
		}
		if !slices.ContainsFunc(h.line.Journal().Since(0), func(e sim.Exchange) bool {
			return e.Range == protocol.Range{Addr: 122, Count: 1}
		}) {
			t.Error("what is read alone was read with others")
		}
	})
}

// sunProfile holds models of SunSpec.
const sunProfile = `
profile: suns
name: SunSpec inverter
manufacturer: House
sources: {maker: "The standard"}
line: {unit: 1, turnaround: 5ms, source: maker}
sunspec: {bases: [40000, 0]}
identify:
  serial: {at: {model: 1, offset: 50}, type: text, length: 16}
  source: maker
points:
  - {key: power, name: Power, at: {model: [101, 103], offset: 14}, type: s16, scale_at: {model: [101, 103], offset: 15},
     unit: W, class: power, every: now, show: true, source: maker}
  - {key: limit, name: Limit, at: {model: 123, offset: 5}, scale_at: {model: 123, offset: 23}, unit: "%", every: now,
     show: true, write: {min: 0, max: 100, step: 1}, source: maker}
`

func TestSunSpecChain(t *testing.T) {
	p, err := profile.Load("suns.yaml", []byte(sunProfile))
	if err != nil {
		t.Fatal(err)
	}
	const chain = "40000 1:66 103:50 123:24"
	for name, c := range map[string]struct {
		set    func(h *house)
		reason string
		traits string
	}{
		"whole": {func(*house) {}, "", chain},
		"known": {func(h *house) {
			h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "sunspec " + chain}
		}, "", chain},
		"longer than known": {func(h *house) {
			h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "sunspec 40000 1:66 103:50"}
		}, "", chain},
		"no models": {func(h *house) { h.unit.Set(protocol.HoldingRegister, 40000, 1) },
			"it holds no SunSpec models (looked at [40000 0])", ""},
		"broken": {func(h *house) { h.unit.Set(protocol.HoldingRegister, 40070, 0) },
			"its SunSpec models break off at 40070, behind 1 of them: a model 0 of 50 registers cannot be", ""},
		"endless": {func(h *house) { h.unit.Set(protocol.HoldingRegister, 40123, 60000) },
			"model 123 leaves the addresses with its 60000 registers", ""},
	} {
		polled(t, func(h *house) {
			h.cfg.Profile, h.cfg.Line = p, p.Line
			if h.unit, err = simulate.Unit(p, profile.Traits{"sunspec": chain}, "SN00000001"); err != nil {
				t.Fatal(err)
			}
			c.set(h)
		}, func(h *house) {
			h.pass(time.Second)
			s := h.device.Status()
			if s.Online != (c.reason == "") || !strings.Contains(s.Reason, c.reason) {
				t.Fatalf("%s: %+v", name, s)
			}
			if c.traits == "" {
				return
			}
			if _, err := h.write("limit", 40.0); err != nil || s.Identity.Traits != "sunspec "+chain ||
				h.sink.last("power").Value.Num != 1500 {
				t.Errorf("%s: %v, %+v, %+v", name, err, s, h.sink.last("power"))
			}
			walk := 0
			for _, e := range h.line.Journal().Since(0) {
				if e.Range.Count <= 2 && e.Range.Addr >= 40000 {
					walk++
				}
			}
			if name == "known" && walk > 4 || name == "whole" && walk > 6 {
				t.Errorf("%s: %d reads for the chain", name, walk)
			}
		})
	}
}

// A hidden point is an entity only where the configuration asks for it, and is read and written in any case.
func TestHiddenPoints(t *testing.T) {
	for name, c := range map[string]struct {
		shown []string
		want  bool
	}{"by itself": {nil, false}, "by its key": {[]string{"cell"}, true}, "all": {[]string{AllPoints}, true}} {
		p, err := profile.Load("estate.yaml", []byte(traitProfile+`
  - {key: cell, name: Cell, at: 140, unit: A, class: current, every: now, entity: false, write: {min: 0, max: 9},
     source: maker}
`))
		if err != nil {
			t.Fatal(err)
		}
		polled(t, func(h *house) {
			h.cfg.Profile, h.cfg.Line, h.cfg.Shown = p, p.Line, c.shown
			if h.unit, err = simulate.Unit(p, p.Cases()[0], "SN00000001"); err != nil {
				t.Fatal(err)
			}
		}, func(h *house) {
			has := slices.ContainsFunc(h.device.Entities(), func(e Entity) bool { return e.Key == "cell" })
			if has != c.want || len(h.sink.of("cell")) > 0 {
				t.Errorf("%s: entity %v, polled %v", name, has, h.sink.of("cell"))
			}
			if _, err := h.write("cell", 7.0); err != nil || h.word(140) != 7 {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
