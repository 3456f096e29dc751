package cli

import (
	"encoding/json"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"solarhub/devices/profile"
)

// coverage counts the points of one family, or of all, by how well each is known. A point that repeats counts once, and
// one that has conditions counts as if they held.
type coverage struct {
	Profile string  `json:"profile"`
	Points  byLevel `json:"points"`
	On      byLevel `json:"on_at_first"`
	Written byLevel `json:"writable"`
}

// byLevel are numbers of points, by the level of their sources.
type byLevel struct {
	All      int `json:"all"`
	Paper    int `json:"paper"`
	Two      int `json:"two"`
	One      int `json:"one"`
	Original int `json:"original"`
}

func (b *byLevel) count(level string) {
	b.All++
	switch level {
	case profile.LevelPaper:
		b.Paper++
	case profile.LevelTwo:
		b.Two++
	case profile.LevelOne:
		b.One++
	default:
		b.Original++
	}
}

func (b *byLevel) add(o byLevel) {
	b.All += o.All
	b.Paper += o.Paper
	b.Two += o.Two
	b.One += o.One
	b.Original += o.Original
}

func (a *app) coverageCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "coverage",
		Short: "Count the points by how well they are known",
		Long: `Count the points of each device family by the level of their sources: the maker's paper, two public
sources that agree, one public source, or the table of the first SolarHub alone. A point that repeats
counts once. What rests on one source is off at first and cannot be written.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return a.coverage(asJSON) },
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func (a *app) coverage(asJSON bool) error {
	profiles, err := profile.Embedded()
	if err != nil {
		return err
	}
	total := coverage{Profile: "total"}
	var all []coverage
	for _, p := range profiles {
		c := coverageOf(p)
		total.Points.add(c.Points)
		total.On.add(c.On)
		total.Written.add(c.Written)
		all = append(all, c)
	}
	all = append(all, total)
	if asJSON {
		e := json.NewEncoder(a.Out)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	t := newTable(a.Out, "profile", "points", "paper", "two", "one", "original", "on at first", "of one source",
		"writable", "of one source ")
	t.SetColumnConfigs(rightAligned("points", "paper", "two", "one", "original", "on at first", "of one source",
		"writable", "of one source "))
	for _, c := range all {
		t.AppendRow(table.Row{c.Profile, c.Points.All, c.Points.Paper, c.Points.Two, c.Points.One, c.Points.Original,
			c.On.All, c.On.One + c.On.Original, c.Written.All, c.Written.One + c.Written.Original})
	}
	t.Render()
	_, err = fmt.Fprintln(a.Out,
		"\npaper: the maker's own; two, one: public sources; original: the first SolarHub's table")
	return err
}

func coverageOf(p *profile.Profile) coverage {
	c := coverage{Profile: p.ID}
	var points []profile.Point
	at := map[string]int{}
	for _, point := range p.All() {
		i, known := at[point.Pattern]
		if !known {
			at[point.Pattern] = len(points)
			points = append(points, point)
			continue
		}
		points[i].Entity.Enabled = points[i].Entity.Enabled || point.Entity.Enabled
		if points[i].Write == nil {
			points[i].Write = point.Write
		}
	}
	for _, point := range points {
		level := p.Level(point.Source)
		c.Points.count(level)
		if point.Entity.Enabled {
			c.On.count(level)
		}
		if point.Write != nil {
			c.Written.count(level)
		}
	}
	return c
}
