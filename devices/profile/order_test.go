package profile

import (
	"slices"
	"strings"
	"testing"

	"solarhub/protocol/codec"
)

// A device can say itself in which order it sends: Kostal's register 5 does.
const ordered = `profile: ordered
name: Ordered inverter
manufacturer: Ordered
sources: {paper: "The maker's paper"}
line: {source: paper}
identify: {serial: {at: 0, type: text, length: 5}, source: paper}
traits:
  byte_order: {at: 5, values: {little: 0, big: 1}}
defaults: {order: {little: cdab, big: abcd}, source: paper}
points:
- {key: power, name: Power, at: 252, type: f32, unit: W, class: power}
- {key: fixed, name: Fixed, at: 260, type: u32, order: dcba}
- {key: relay, name: Relay, at: coil 3}
- {key: sum, name: Sum, value: power + fixed}
`

func TestOrderThatTheDeviceTells(t *testing.T) {
	p, err := Load("ordered.yaml", []byte(ordered))
	if err != nil {
		t.Fatal(err)
	}
	for word, order := range map[string]codec.Order{"little": codec.CDAB, "big": codec.ABCD} {
		points, err := p.Resolve(Traits{"byte_order": word})
		if err != nil || len(points) != 4 {
			t.Fatal(len(points), err)
		}
		for key, want := range map[string]codec.Order{"power": order, "fixed": codec.DCBA} {
			i := slices.IndexFunc(points, func(one Point) bool { return one.Key == key })
			if got := points[i].Spec.Order; got != want {
				t.Errorf("%s: %s is read as %v, want %v", word, key, got, want)
			}
		}
	}
	for bad, want := range map[string]string{
		"{little: cdab}":                `ordered.yaml:9:19: order: big is missing`,
		"{little: cdab, big: up}":       `ordered.yaml:9:39: "up" is not allowed here`,
		"{little: cdab, large: abcd}":   `ordered.yaml:9:34: order: "large" is no word of byte_order`,
		"{small: cdab, enormous: abcd}": `ordered.yaml:9:19: `,
	} {
		_, err := Load("ordered.yaml", []byte(strings.Replace(ordered, "{little: cdab, big: abcd}", bad, 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", bad, err, want)
		}
	}
}
