package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// ownFamily has an order for all, a point with its own, and limits that differ by a trait.
const ownFamily = `profile: own
name: Own inverter
manufacturer: Own
sources: {maker: "The maker's paper"}
line: {source: maker}
identify: {serial: {at: 3, type: u32}, source: maker}
traits: {kind: {at: 0, values: {lv: 5, hv: 6}}}
defaults: {order: cdab, source: maker}
points:
  - {key: total, name: Total, at: 500, type: u32, scale: 0.1, unit: kWh, class: energy}
  - {key: float, name: Float, at: 252, type: f32, order: abcd, unit: W, class: power}
  - {key: current, name: Current limit, at: 108, unit: A, class: current, write: {min: 0, max: {lv: 240, hv: 50}},
     source: maker}
  - {key: fixed, name: Fixed, at: 109, scale: 0.1, unit: A, class: current, write: {min: 0, max: 10}, source: maker}
  - {key: code, name: Code, at: 110, entity: false}
`

// What an owner says of a device counts for it, and is told beside what the profile says.
func TestWhatAnOwnerKnowsBetter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(file, []byte(ownFamily), 0o600); err != nil {
		t.Fatal(err)
	}
	c := parsed(t, "host: {url: \"http://ha:8123\", token: "+goodToken+`}
lines:
  - tcp: h
    devices:
      - profile: `+file+`
        order: abcd
        points:
          - current: {max: 350}
          - {float: {order: dcba}, fixed: {scale: 0.01, max: 5.5}}
          - code
      - {profile: `+file+`, unit: 2, traits: {kind: lv}, points: {current: {max: 350}}}
      - {profile: `+file+`, unit: 3}
`)
	first, second, third := c.Lines[0].Devices[0], c.Lines[0].Devices[1], c.Lines[0].Devices[2]
	point := func(p *profile.Profile, key string) profile.Point {
		points, err := p.Resolve(profile.Traits{"kind": "lv"})
		if err != nil {
			t.Fatal(err)
		}
		return points[slices.IndexFunc(points, func(one profile.Point) bool { return one.Key == key })]
	}
	if w := point(first.Profile, "current").Write; w.Max != 350 || w.Min != 0 || w.Step != 1 {
		t.Errorf("limits %+v", w)
	}
	fixed := point(first.Profile, "fixed")
	if w := fixed.Write; w.Max != 5.5 || w.Step != 0.01 || fixed.Spec.Scale != 0.01 || fixed.Entity.Precision != 2 {
		t.Errorf("scaled %+v, %+v", fixed, w)
	}
	for key, want := range map[string]codec.Order{"total": codec.ABCD, "float": codec.DCBA} {
		if got := point(first.Profile, key).Spec.Order; got != want {
			t.Errorf("%s is read as %v", key, got)
		}
	}
	if got := first.Profile.Identify.Serial().Spec.Order; got != codec.ABCD {
		t.Errorf("the serial number is read as %v", got)
	}
	if !slices.Equal(first.Shown, []string{"code"}) {
		t.Errorf("shown %v", first.Shown)
	}
	for _, c := range []struct {
		of   []string
		want string
	}{
		{first.Profile.Overridden(first.Traits), `The order of its bytes is yours, abcd; the profile says cdab.
The limit of Current limit is yours, 0 to 350 A; the profile says 0 to 240 A or 0 to 50 A.
The scale of Fixed is yours, 0.01; the profile says 0.1.
The limit of Fixed is yours, 0 to 5.5 A; the profile says 0 to 10 A.
The order of bytes of Float is yours, dcba; the profile says abcd.`},
		{second.Profile.Overridden(second.Traits),
			"The limit of Current limit is yours, 0 to 350 A; the profile says 0 to 240 A."},
		{third.Profile.Overridden(third.Traits), ""},
	} {
		if got := strings.Join(c.of, "\n"); got != c.want {
			t.Errorf("told\n%s\nwant\n%s", got, c.want)
		}
	}
	p, total := point(third.Profile, "current"), point(third.Profile, "total")
	if p.Write.Max != 240 || total.Spec.Order != codec.CDAB {
		t.Errorf("another device of the family has %+v", p)
	}
}
