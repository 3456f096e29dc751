package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
	"solarhub/devices/profile/strict"
)

// mapNames returns the register maps of which the project has tables.
func mapNames(t *testing.T) map[string]bool {
	t.Helper()
	tables, err := facts.Tables()
	if err != nil {
		t.Fatal(err)
	}
	maps := map[string]bool{}
	for _, table := range tables {
		maps[table.Map] = true
	}
	return maps
}

// TestDraftsAreFiles drafts every map: the result is a file that the strict reader takes.
func TestDraftsAreFiles(t *testing.T) {
	maps := mapNames(t)
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

// TestDiffOfAChangedTable changes one row: the diff names the point that reads it otherwise.
func TestDiffOfAChangedTable(t *testing.T) {
	tables, _, err := tablesOf("iammeter")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Get("iammeter")
	if err != nil {
		t.Fatal(err)
	}
	held, err := pointsOf(p)
	if err != nil {
		t.Fatal(err)
	}
	lines := func() string {
		var out bytes.Buffer
		writeDiff(&out, held, tables)
		return out.String()
	}
	if strings.Contains(lines(), "~") {
		t.Errorf("the profile is not as its tables are:\n%s", lines())
	}
	changed := 0.5
	for i := range tables {
		tables[i].Rows[0].Scale = &changed
	}
	if want := "scale 0.01V, where ha_iammeter_modbus, table has 0.5V"; !strings.Contains(lines(), want) {
		t.Errorf("the diff lacks %q:\n%s", want, lines())
	}
}

// lossy are the register maps of which the format cannot hold every row, and what it cannot say of them.
var lossy = []string{
	"afore_hybrid",     // one row has a mask with a gap
	"deye_p3",          // one table has three registers in two places, and some that it calls neither read nor written
	"marstek_venus_e2", // one table has masks with gaps
	"solis",            // one row has a mask with a gap
}

// TestExpressTheShippedTables puts every table of the project into the format, but for what it cannot hold.
func TestExpressTheShippedTables(t *testing.T) {
	maps := mapNames(t)
	var out bytes.Buffer
	if err := express(&out, []string{"../tables"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range lossy {
		if !strings.Contains("\n"+out.String(), "\n"+name+" (") {
			t.Errorf("the format holds all of %s", name)
		}
	}
	want := fmt.Sprintf("%d of %d register maps can be held without loss", len(maps)-len(lossy), len(maps))
	if !strings.Contains(out.String(), want) {
		t.Errorf("not %q:\n%s", want, out.String())
	}
}

// TestSunSpecIsMadeFromItsModels holds the shipped profile to what the generator makes of the standard.
func TestSunSpecIsMadeFromItsModels(t *testing.T) {
	var out bytes.Buffer
	if err := sunspec(&out, nil); err != nil {
		t.Fatal(err)
	}
	held, err := os.ReadFile("../../maps/sunspec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), held) {
		t.Error("maps/sunspec.yaml is not what `draft sunspec` writes")
	}
}
