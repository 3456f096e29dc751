package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"solarhub/devices/profile"
	"solarhub/plugin/cli"
)

type counted struct{ All, Paper, Two, One, Original int }

func (c counted) sum() int { return c.Paper + c.Two + c.One + c.Original }

// TestCoverage adds up what the command counts, and compares it with the profiles.
func TestCoverage(t *testing.T) {
	code, out, errs := do(t, "devices", "coverage", "--json")
	if code != cli.ExitOK {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	var all []struct {
		Profile                       string
		Points, On_At_First, Writable counted
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(profile.Names())+1 || all[len(all)-1].Profile != "total" {
		t.Fatalf("%d lines for %d profiles", len(all), len(profile.Names()))
	}
	total := 0
	for _, c := range all[:len(all)-1] {
		for what, n := range map[string]counted{"points": c.Points, "on": c.On_At_First, "writable": c.Writable} {
			if n.All != n.sum() || n.All > c.Points.All {
				t.Errorf("%s: %s are %d, by level %+v", c.Profile, what, n.All, n)
			}
		}
		total += c.Points.All
	}
	if got := all[len(all)-1].Points.All; got != total {
		t.Errorf("the total is %d, not %d", got, total)
	}
	if _, table, _ := do(t, "devices", "coverage"); !strings.Contains(table, "total") {
		t.Errorf("the table lacks the total:\n%s", table)
	}
}
