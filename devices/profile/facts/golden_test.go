package facts

import (
	"slices"
	"testing"

	"solarhub/devices/profile"
)

// TestGolden compares every point of every profile with every source that has its register. Where they differ, the why
// of the point must name the source.
func TestGolden(t *testing.T) {
	tables, err := Tables()
	if err != nil {
		t.Fatal(err)
	}
	families, err := Families()
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		t.Run(p.ID, func(t *testing.T) {
			if !slices.ContainsFunc(families, func(f Family) bool { return f.Profile == p.ID }) {
				t.Fatal("families.csv does not say which tables belong to it")
			}
			judged, err := Golden(p, families, tables)
			if err != nil {
				t.Fatal(err)
			}
			equal, explained := 0, 0
			for _, j := range judged {
				switch {
				case j.Equal():
					equal++
				case j.Explained:
					explained++
				default:
					t.Error(j)
				}
			}
			t.Logf("%d compared, %d equal, %d differ with a why", len(judged), equal, explained)
			if equal < len(judged)*8/10 {
				t.Errorf("%d of %d comparisons are equal: are its tables the right ones?", equal, len(judged))
			}
		})
	}
}
