package profile

import (
	"slices"
	"strings"
	"testing"
)

// FuzzLoad demands that the loader never panics, and that what it lets through is sound in every variant.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(family, "profile: family", "profile: good", 1)))
	f.Add([]byte(example(f)))
	f.Add([]byte(strings.Replace(grouped, "profile: grouped", "profile: good", 1)))
	for _, c := range slices.Concat(spoilt, spoiltGroups) {
		f.Add([]byte(c.yaml))
	}
	f.Add([]byte(point(`key: ec, name: Ec, at: 1, type: u64, mask: 0xFFFFFFFFFFFFFFFF, source: paper, ` +
		`write: {min: 0, max: 1e19, step: 1}`)))
	f.Add([]byte(point(`key: ec, name: Ec, at: {lv: 1, hv: [1, 5]}, type: {lv: text, hv: u32}, length: {lv: 3}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Load("good.yaml", data)
		if err != nil {
			if p != nil || err.Error() == "" {
				t.Fatalf("profile %v beside error %q", p, err)
			}
			return
		}
		for _, v := range p.Cases() {
			points, err := p.Resolve(v)
			if err != nil {
				t.Fatal(err)
			}
			for _, pt := range points {
				checkSound(t, p, pt)
				claimed(0, entry{point: pt})
			}
		}
	})
}
