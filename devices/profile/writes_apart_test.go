package profile

import (
	"strings"
	"testing"
)

// apart is a family that writes at addresses where it reads something else, as SolaX does.
const apart = `profile: apart
name: Apart
manufacturer: Test
sources: {paper: "Protocol V1"}
line: {writes_apart: true, source: paper}
identify: {serial: {at: 0, type: text, length: 7}, source: paper}
defaults: {source: paper}
around:
  unlock: {before: [{at: 0, value: 2014}]}
points:
  - {key: serial, name: Serial number, at: 0, type: text, length: 7}
  - {key: low, name: Low level, at: 147, mask: 0xFF00, write: {at: 97, mask: 0xFFFF, min: 10, max: 90, around: unlock},
     source: paper}
  - {key: other, name: Other, at: 97}
  - {key: wake, name: Wake up, at: 0, platform: button, press: 1}
  - {key: running, name: Running, at: 3, bool: {on: 1, off: 0}, write: {readback: false}}
`

func TestWritesApart(t *testing.T) {
	p, err := Load("apart.yaml", []byte(apart))
	if err != nil {
		t.Fatal(err)
	}
	points, err := p.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, point := range points {
		if point.Write != nil && !point.Write.Apart {
			t.Errorf("%s: %+v", point.Key, point.Write)
		}
	}
	for _, wrong := range []struct{ old, by, want string }{
		{"writes_apart: true, ", "", "low and other share bits of holding 97"},
		{", mask: 0xFFFF", "", "cannot be read first"},
		{"- {key: wake, name: Wake up, at: 0", "- {key: wake, name: Wake up, at: 97", "low and wake share bits"},
	} {
		_, err := Load("apart.yaml", []byte(strings.Replace(apart, wrong.old, wrong.by, 1)))
		if err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s: %v, want %q", wrong.old, err, wrong.want)
		}
	}
}
