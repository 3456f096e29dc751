package devices

import (
	"testing"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
)

// Where a profile does not fit, the one that does is found, and no register is read that one of them forbids.
func TestTheProfileThatFits(t *testing.T) {
	forbids := houseWith(t, "source: maker}\nidentify:", "never: [holding 15..18], source: maker}\nidentify:",
		"{lv: 5, hv: 6}", "{lv: 77, hv: 78}")
	var known []*profile.Profile
	for _, file := range [][2]string{{"estate.yaml", traitProfile}, {"suns.yaml", sunProfile}} {
		p, err := profile.Load(file[0], []byte(file[1]))
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, p)
	}
	inHouse(t, func(h *house) {
		h.cfg.Profile = forbids
		unit, err := simulate.Unit(known[0], known[0].Cases()[0], "SN00000001")
		if err != nil {
			t.Fatal(err)
		}
		h.unit = unit
	}, func(h *house) {
		if err := h.device.identify(h.ctx); err == nil {
			t.Error("another device was taken")
		}
		since := h.line.Journal().Last()
		fit := Fit(h.ctx, h.bus, h.cfg, known)
		if len(fit) != 1 || fit[0].ID != "estate" {
			t.Errorf("%d profiles fit: %v", len(fit), fit)
		}
		for _, e := range h.line.Journal().Since(since) {
			if e.Range.Overlaps(protocol.Range{Addr: 15, Count: 4}) {
				t.Errorf("%v was read", e.Range)
			}
		}
	})
}

// Each family against all: what answers as one of them is taken by its own profile and by no other, but for the models
// of SunSpec, which any such device has. Where the registers that tell a family may not be read, no profile is named.
func TestConfusion(t *testing.T) {
	shipped, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, p := range shipped {
		inHouse(t, func(h *house) {
			h.cfg.Profile = p
			if h.unit, err = simulate.Unit(p, p.Cases()[0], "TEST123456"); err != nil {
				t.Fatal(err)
			}
			h.cfg.Unit = h.unit.ID()
		}, func(h *house) {
			for _, other := range shipped {
				cfg := Config{Profile: other, Unit: h.cfg.Unit, ID: "confused", Line: other.Line}
				_, err := Identify(h.ctx, h.bus, cfg)
				if want := p == other || other.ID == "sunspec" && p.SunSpec != nil; (err == nil) != want {
					t.Errorf("%s as %s: %v", p.ID, other.ID, err)
				}
			}
			fit := Fit(h.ctx, h.bus, h.cfg, shipped)
			if len(fit) > 1 || len(fit) == 1 && fit[0] != p {
				t.Errorf("%s: %d profiles fit, first %s", p.ID, len(fit), fit[0].ID)
			}
			named += len(fit)
		})
	}
	if named < 4 {
		t.Errorf("only %d families are named", named)
	}
}
