package main

import (
	"bytes"
	"testing"

	"solarhub/devices/profile/facts"
	"solarhub/devices/profile/strict"
)

// TestDraftsAreFiles drafts every map: the result is a file that the strict reader takes.
func TestDraftsAreFiles(t *testing.T) {
	tables, err := facts.Tables()
	if err != nil {
		t.Fatal(err)
	}
	maps := map[string]bool{}
	for _, table := range tables {
		maps[table.Map] = true
	}
	for name := range maps {
		var out bytes.Buffer
		if err := draft(&out, []string{name}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		root, report := strict.Parse(name+".yaml", out.Bytes())
		if err := report.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if points := root.Fields("profile", "sources", "defaults", "points").Get("points"); len(points.Items()) == 0 {
			t.Errorf("%s: the draft has no points", name)
		}
	}
}
