package profile

import "testing"

// BenchmarkLoad loads all profiles that come with the program: as the program does, and from their YAML files, as it
// loads those of an owner.
func BenchmarkLoad(b *testing.B) {
	b.Run("shipped", func(b *testing.B) { loadAll(b, get) })
	b.Run("yaml", func(b *testing.B) { loadAll(b, loadShipped) })
}

func loadAll(b *testing.B, load func(id string) (*Profile, error)) {
	b.ReportAllocs()
	entries := 0
	for b.Loop() {
		entries = 0
		for _, id := range Names() {
			p, err := load(id)
			if err != nil {
				b.Fatal(err)
			}
			entries += len(p.entries)
		}
	}
	b.ReportMetric(float64(entries), "points")
}
