package cli

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"solarhub/devices/profile"
)

func (a *app) pageCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "page",
		Short: "Write a page about all device families",
		Long: `Write a page in Markdown about all device families: maker, models, how well its registers are known,
what it lacks, how it talks, and where all this comes from. It is devices/profile/DEVICES.md.`,
		Example: "  solarhub devices page > DEVICES.md",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return devicesPage(a.Out) },
	}
}

// devicesPage writes the page: a table of all families, then a section for each, by maker.
func devicesPage(w io.Writer) error {
	profiles, err := profile.Embedded()
	if err != nil {
		return err
	}
	slices.SortStableFunc(profiles, func(a, b *profile.Profile) int {
		return cmp.Compare(strings.ToLower(a.Manufacturer), strings.ToLower(b.Manufacturer))
	})
	var b strings.Builder
	b.WriteString(pageHead)
	total := coverage{}
	for _, p := range profiles {
		c := coverageOf(p)
		total.Points.add(c.Points)
		total.Written.add(c.Written)
		fmt.Fprintf(&b, "| %s | [%s](#%s) | `%s` | %d | %d | %s | %s | %s |\n", p.Manufacturer, p.Name, anchor(p),
			p.ID, c.Points.All, c.Written.All, share(c.Points.Paper, c.Points.All), share(c.Points.Two, c.Points.All),
			orNothing(len(p.Captures)))
	}
	t := total.Points
	fmt.Fprintf(&b, "| all | %d families | | %d | %d | %s | %s | |\n", len(profiles), t.All, total.Written.All,
		share(t.Paper, t.All), share(t.Two, t.All))
	for _, p := range profiles {
		familySection(&b, p)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// pageHead comes before the lines of the table.
//
//go:embed devices_page.md
var pageHead string

// anchor is how a page refers to the section of a family.
func anchor(p *profile.Profile) string { return strings.ReplaceAll(p.ID, "_", "-") }

func familySection(b *strings.Builder, p *profile.Profile) {
	c := coverageOf(p)
	fmt.Fprintf(b, "\n<a id=\"%s\"></a>\n## %s\n\n`%s`", anchor(p), called(p), p.ID)
	if len(p.Aliases) > 0 {
		fmt.Fprintf(b, ", or `%s`", strings.Join(p.Aliases, "`, `"))
	}
	b.WriteString(".")
	if len(p.Models) > 0 {
		fmt.Fprintf(b, " Models: %s.", strings.Join(p.Models, ", "))
	}
	b.WriteString("\n\n")
	fmt.Fprintf(b, "- %d points, %d on at first, %d settable. %d on the maker's paper, %d by two sources, %d by one.\n",
		c.Points.All, c.On.All, c.Written.All, c.Points.Paper, c.Points.Two, c.Points.One+c.Points.Original)
	if len(p.Captures) > 0 {
		fmt.Fprintf(b, "- Captures: %s.\n", strings.Join(p.Captures, ", "))
	}
	for _, lack := range p.Lacks {
		fmt.Fprintf(b, "- Lacks: %s\n", lack)
	}
	if all := traitsOf(p); len(all) > 0 {
		fmt.Fprintf(b, "- Its devices differ in: %s; %s.\n", strings.Join(all, ", "), whoTells(p))
	}
	if needsID(p) {
		b.WriteString("- It tells no serial number: its entry in the configuration needs an `id`.\n")
	}
	fmt.Fprintf(b, "- Line: %s.\n", lineText(p.Line))
	b.WriteString("- Sources:\n")
	for _, short := range slices.Sorted(maps.Keys(p.Sources)) {
		if s := p.Sources[short]; len(s.All) == 0 {
			fmt.Fprintf(b, "  - `%s`: %s\n", short, s.Text)
		}
	}
}

// lineText says how a family talks: what it is delivered with, and what is not the default.
func lineText(l profile.LineSettings) string {
	all := []string{fmt.Sprintf("unit id %d", max(l.Unit, 1))}
	if l.Serial.Baud != 0 {
		all = append([]string{l.Serial.String()}, all...)
	}
	for _, k := range profile.Settings {
		if text := k.Text(l); k.Key != "holes" && text != k.Default() {
			all = append(all, k.Key+" "+text)
		}
	}
	return strings.Join(all, ", ")
}
