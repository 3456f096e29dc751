package devices

import (
	"testing"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
)

// Each family against all: what answers as one of them is taken by its own profile and by no other, but for the models
// of SunSpec, which any such device has. Package scan has the test of what is found where nobody names a family.
func TestConfusion(t *testing.T) {
	shipped, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
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
		})
	}
}
