package devices

import (
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
)

// What the owner chooses counts at once, is kept, and gives way to the configuration.
func TestChoice(t *testing.T) {
	var kept Learned
	energy := func(h *house) float64 { return h.sink.last("energy").Value.Num }
	set := func(h *house) { h.cfg.Learned = kept }
	estate(t, nil, set, func(h *house) {
		h.pass(5 * time.Second)
		before := energy(h)
		all := h.device.Choices()
		if len(all) != 1 || all[0].Trait.Name != "unit" || all[0].Word != "tenth" {
			t.Fatalf("choices: %+v", all)
		}
		for trait, word := range map[string]string{"unit": "gallons", "phases": "2", "nothing": "x"} {
			if h.device.Choose(trait, word) == nil {
				t.Errorf("%s can be %s", trait, word)
			}
		}
		if err := h.device.Choose("unit", "whole"); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		if s := h.device.Status(); !s.Online || !strings.HasSuffix(s.Identity.Traits, "whole") {
			t.Errorf("after the choice: %+v", s)
		}
		if after := energy(h); before == 0 || after != 10*before {
			t.Errorf("energy was %v and is %v", before, after)
		}
		kept = h.device.Learned()
	})
	estate(t, nil, set, func(h *house) {
		h.pass(5 * time.Second)
		if s := h.device.Identity(); !strings.HasSuffix(s.Traits, "whole") {
			t.Errorf("after a restart: %+v", s)
		}
	})
	estate(t, nil, func(h *house) {
		set(h)
		h.cfg.Traits = profile.Traits{"unit": "tenth"}
	}, func(h *house) {
		h.pass(5 * time.Second)
		if s := h.device.Identity(); !strings.HasSuffix(s.Traits, "tenth") || len(h.device.Choices()) != 0 {
			t.Errorf("with a configuration: %+v, choices %+v", s, h.device.Choices())
		}
	})
}

// A device whose profile knows no word to begin with waits for its owner, and says for what.
func TestDeviceWaitsForAChoice(t *testing.T) {
	p, err := profile.Load("estate.yaml", []byte(strings.Replace(traitProfile, "otherwise: tenth, ", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	inHouse(t, func(h *house) {
		h.cfg.Profile, h.cfg.Line = p, p.Line
		if h.unit, err = simulate.Unit(p, p.Cases()[0], "SN00000001"); err != nil {
			t.Fatal(err)
		}
	}, func(h *house) {
		h.running.Go(func() { _ = h.device.Run(h.ctx) })
		h.pass(5 * time.Second)
		if s := h.device.Status(); s.Identified || !strings.Contains(s.Reason, "Which does the display show?") ||
			!strings.Contains(s.Reason, "tenth | whole") {
			t.Errorf("before the choice: %+v", s)
		}
		if all := h.device.Choices(); len(all) != 1 || all[0].Word != "" {
			t.Errorf("choices: %+v", all)
		}
		if err := h.device.Choose("unit", "whole"); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		if s := h.device.Status(); !s.Identified || !strings.HasSuffix(s.Identity.Traits, "whole") {
			t.Errorf("after the choice: %+v", s)
		}
	})
}
