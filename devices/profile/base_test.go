package profile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// twoKinds is a family that has one key for each of two kinds of devices.
const twoKinds = `profile: both
name: Both
manufacturer: Both
sources: {paper: {level: paper, text: a paper}}
line: {unit: 1, source: paper}
identify: {serial: {at: 3, type: text, length: 5}, source: paper}
traits:
  kind: {at: 0, values: {old: 1, new: 2}}
defaults: {source: paper}
points:
  - {is: grid_frequency, when: kind = old, at: 10, type: u16, scale: 0.1}
  - {is: grid_frequency, when: kind = new, at: 20, type: u16, scale: 0.01}
  - {is: grid_power, at: 30, type: s16}
`

func loadOn(t *testing.T, base, text string) (*Profile, error) {
	t.Helper()
	return load("own.yaml", []byte(text), func(id string) (string, []byte, error) {
		if id != "both" {
			return "", nil, errors.New("no such file")
		}
		return "both.yaml", []byte(base), nil
	})
}

// TestPointsOfABase changes each point of the base that has a key, and states anew what was dropped.
func TestPointsOfABase(t *testing.T) {
	p, err := loadOn(t, twoKinds, `profile: own
base: both
drop: [grid_power]
defaults: {source: paper}
points:
  - {is: grid_frequency, why: of both kinds}
  - {is: grid_power, at: 40, type: s16, scale: -1}
`)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{
		"old": "grid_frequency 10 0.1 of both kinds, grid_power 40 -1 ",
		"new": "grid_frequency 20 0.01 of both kinds, grid_power 40 -1 ",
	} {
		points, err := p.Resolve(Traits{"kind": kind})
		var texts []string
		for _, pt := range points {
			texts = append(texts, fmt.Sprint(pt.Key, " ", pt.Ranges[0].Addr, " ", pt.Spec.Scale, " ", pt.Why))
		}
		if got := strings.Join(texts, ", "); got != want || err != nil {
			t.Errorf("%s: %q, %v, not %q", kind, got, err, want)
		}
	}
	if _, err := loadOn(t, twoKinds, "profile: own\nbase: both\ndrop: [grid_volts]\npoints: []\n"); err == nil ||
		!strings.Contains(err.Error(), `drop: the base has no point "grid_volts"`) {
		t.Errorf("%v", err)
	}
}
