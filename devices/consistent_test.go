package devices

import (
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
)

// apartProfile has a count and a power of which the words lie apart: low first, high far away.
func apartProfile(h *house) {
	h.cfg.Profile = houseWith(h.t, "points:\n", `points:
  - {key: total, name: Total count, at: [130, 230], type: u32, order: cdab, every: now, show: true, source: maker}
  - {key: near, name: Near power, at: [150, 152], type: s32, order: cdab, unit: W, class: power, every: now,
     show: true, source: maker}
  - {key: grid, name: Grid power, at: [140, 240], type: s32, order: cdab, unit: W, class: power, every: now,
     show: true, source: maker}
`)
	for _, addr := range []uint16{130, 140, 150, 151, 152, 230, 240} {
		h.unit.Set(protocol.HoldingRegister, addr, 0)
	}
}

// holds gives the point at low and high a value.
func (h *house) holds(low, high uint16, value int64) {
	h.unit.Set(protocol.HoldingRegister, low, uint16(value))
	h.unit.Set(protocol.HoldingRegister, high, uint16(value>>16))
}

// Values whose low word overflows between any two requests are never published in a state in which they never were.
func TestTornValuesAreNotPublished(t *testing.T) {
	total, grid := int64(65536-200), int64(300)
	var step time.Duration
	polled(t, func(h *house) {
		apartProfile(h)
		h.unit.Live(time.Millisecond, func(time.Time) {
			total += 37 // crosses the word again and again
			if total > 3*65536 {
				total += 20_000
			}
			grid -= 7
			h.holds(130, 230, total)
			h.holds(140, 240, grid)
		})
	}, func(h *house) {
		for range 500 {
			step += 3 * time.Millisecond
			h.pass(2*time.Second + step%97)
		}
		h.sink.mu.Lock()
		defer h.sink.mu.Unlock()
		last := map[string]float64{}
		count := map[string]int{}
		for _, r := range h.sink.readings {
			if r.Key != "total" && r.Key != "grid" {
				continue
			}
			count[r.Key]++
			if before, ok := last[r.Key]; ok {
				moved := r.Value.Num - before
				if r.Key == "total" && (moved < 0 || moved > 300_000) || r.Key == "grid" &&
					(moved > 0 || moved < -1000) {
					t.Errorf("%s went from %v to %v", r.Key, before, r.Value)
				}
			}
			last[r.Key] = r.Value.Num
		}
		if count["total"] < 400 || count["grid"] < 450 {
			t.Errorf("published %v", count)
		}
	})
}

// Words that one read brings cost no read more; others are read in turn: high, low, high.
func TestReadsOfWordsApart(t *testing.T) {
	for key, want := range map[string]int{"total": 3, "near": 1, "grid": 3} {
		polled(t, apartProfile, func(h *house) {
			h.device.SetEnabled(func(k string) bool { return k == key })
			h.pass(10 * time.Second)
			since, begun := h.line.Journal().Last(), len(h.sink.of(key))
			h.pass(20 * time.Second)
			cycles := len(h.sink.of(key)) - begun
			if n := int(h.line.Journal().Last() - since); n != want*cycles || cycles < 9 {
				t.Errorf("%s: %d requests in %d cycles", key, n, cycles)
			}
		})
	}
}

func TestNeverOfOneMoment(t *testing.T) {
	n := int64(0)
	polled(t, func(h *house) {
		apartProfile(h)
		h.unit.Live(0, func(time.Time) { n += 65537; h.holds(140, 240, n) })
	}, func(h *house) {
		h.pass(10 * time.Second)
		if v := h.sink.last("grid").Value; v.String() != "unknown" || len(h.sink.of("grid")) != 1 {
			t.Errorf("published %v", h.sink.of("grid"))
		}
		if _, err := h.device.Read(h.ctx, "grid"); err == nil {
			t.Error("read what cannot be known")
		}
		if len(h.sink.of("power")) < 4 {
			t.Error("the others are not read")
		}
	})
}

func TestWordsApartAreReadOnly(t *testing.T) {
	polled(t, apartProfile, func(h *house) {
		h.device.mu.Lock()
		for i, p := range h.device.points {
			if p.Key == "grid" {
				h.device.points[i].Write = &profile.Write{Min: -5000, Max: 5000, Step: 1}
			}
		}
		h.device.mu.Unlock()
		if e := h.refusal("grid", 100.0); e.Code != write.CodeReadOnly || e.Stage != write.StageRefused {
			t.Errorf("%s: %v", e.Code, e)
		}
	})
}
