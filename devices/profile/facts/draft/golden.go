package main

import (
	"fmt"
	"io"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
)

// golden compares the points of profiles with the tables. With the name of a profile, or the path of a file, it lists
// every difference.
func golden(out io.Writer, args []string) error {
	tables, err := facts.Tables()
	if err != nil {
		return err
	}
	families, err := facts.Families()
	if err != nil {
		return err
	}
	names := args
	if len(args) == 0 {
		names = profile.Names()
	}
	fmt.Fprintf(out, "%-14s %8s %8s %8s %12s %8s\n", "profile", "points", "compared", "equal", "with a why", "without")
	for _, name := range names {
		p, err := profile.Open(name)
		if err != nil {
			return err
		}
		judged, err := facts.Golden(p, families, tables)
		if err != nil {
			return err
		}
		points := map[string]bool{}
		var equal, explained int
		var open []facts.Judgement
		for _, j := range judged {
			points[j.Key] = true
			switch {
			case j.Equal():
				equal++
			case j.Explained:
				explained++
			default:
				open = append(open, j)
			}
		}
		fmt.Fprintf(out, "%-14s %8d %8d %8d %12d %8d\n", p.ID, len(points), len(judged), equal, explained, len(open))
		for _, j := range open {
			if len(args) > 0 {
				fmt.Fprintln(out, " ", j)
			}
		}
	}
	return nil
}
