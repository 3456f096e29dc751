package profile

import (
	"path"
	"testing"
)

// BenchmarkLoad loads each profile that comes with the program. For comparison, ms/all is the time for all of them.
func BenchmarkLoad(b *testing.B) {
	points := 0
	for b.Loop() {
		points = 0
		for _, id := range Names() {
			data, err := shipped.ReadFile(path.Join("maps", id+".yaml"))
			if err != nil {
				b.Fatal(err)
			}
			p, err := Load(id+".yaml", data)
			if err != nil {
				b.Fatal(err)
			}
			patterns := map[string]bool{}
			for _, pt := range p.All() {
				patterns[pt.Pattern] = true
			}
			points += len(patterns)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/all")
	b.ReportMetric(float64(points), "points")
}
