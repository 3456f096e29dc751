package cli

import (
	"encoding/json"
	"fmt"
	"slices"

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
		"\npaper: the maker's own; two: two sources agree; one: one public source; "+
			"original: the first SolarHub's table alone")
	return err
}

func coverageOf(p *profile.Profile) coverage {
	c := coverage{Profile: p.ID}
	forms := map[string][]profile.Point{}
	for _, point := range p.All() {
		forms[point.Pattern] = append(forms[point.Pattern], point)
	}
	for _, points := range forms {
		c.Points.countOf(p, points, func(profile.Point) bool { return true })
		c.On.countOf(p, points, func(point profile.Point) bool { return point.Entity.Enabled })
		c.Written.countOf(p, points, func(point profile.Point) bool { return point.Write != nil })
	}
	return c
}

// countOf counts a point, if one of its forms is meant, by the form that is known least.
func (b *byLevel) countOf(p *profile.Profile, forms []profile.Point, meant func(profile.Point) bool) {
	worst := -1
	for _, point := range forms {
		if meant(point) {
			worst = max(worst, slices.Index(pointLevels, p.Level(point.Source)))
		}
	}
	if worst >= 0 {
		b.count(pointLevels[worst])
	}
}

// pointLevels are the levels of a point, the best first.
var pointLevels = []string{profile.LevelPaper, profile.LevelTwo, profile.LevelOne, profile.LevelOriginal}
