package cli

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/doctor"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

func (a *app) dumpDiffCommand() *cobra.Command {
	var family string
	var asJSON bool
	command := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Show what two dumps hold differently",
		Long: `Show the registers that two dumps hold differently, such as before and after you changed a setting at
the display of the device: with the name of the point and its values, where the family is known. It is
the one that the first dump names, unless you give --profile.

--json prints a list: key and name (of a point), registers, and before and after, each with raw, value
and text. A dump that lacks a register has null for raw.`,
		Example: `  solarhub dump diff before.csv after.csv
  solarhub dump diff before.csv after.csv --profile ./my_inverter.yaml`,
		Args: needsTwo("two dumps"),
		RunE: func(_ *cobra.Command, args []string) error { return a.dumpDiff(args[0], args[1], family, asJSON) },
	}
	command.Flags().StringVar(&family, "profile", "", "family or profile of the device (default what the dump says)")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func (a *app) dumpDiff(before, after, family string, asJSON bool) error {
	was, named, traits, err := openDump(before)
	if err != nil {
		return err
	}
	is, _, _, err := openDump(after)
	if err != nil {
		return err
	}
	if name := cmp.Or(family, named); name != "" {
		p, err := profile.Open(name)
		if err != nil && family == "" { // a profile of somebody's own
			fmt.Fprintf(a.Err, "%s is of the family %s, which is not here: name its file with --profile\n", before,
				named)
		} else if err != nil {
			return err
		} else if was, err = was.Of(p, traits); err != nil {
			return err
		}
	}
	all, err := doctor.Diff(was, is)
	switch {
	case err != nil:
		return err
	case asJSON:
		return a.printJSON(differingJSON(was, all))
	}
	a.differing(was, all)
	return nil
}

// openDump reads a dump, and the family and traits that it names.
func openDump(path string) (dump doctor.Dump, family, traits string, err error) {
	data, err := strict.ReadFile(path)
	if err != nil {
		return dump, "", "", err
	}
	if dump.Words, err = sim.ParseDump(bytes.NewReader(data)); err != nil {
		return dump, "", "", fmt.Errorf("%s:\n%w", path, err)
	}
	family, traits = doctor.HeadOf(string(data))
	return dump, family, traits, nil
}

func (a *app) differing(of doctor.Dump, all []doctor.Differing) {
	if len(all) == 0 {
		fmt.Fprintln(a.Out, "They hold the same.")
		return
	}
	t := newTable(a.Out, "address", "key", "name", "before", "after", "raw before", "raw after")
	for _, d := range all {
		p, name := pointOf(d), ""
		if p.Key != "" {
			name = of.Profile.FullName(p)
		}
		t.AppendRow(table.Row{addresses(p), p.Key, name, shownText(d.Before), shownText(d.After), rawText(d.Before.Raw),
			rawText(d.After.Raw)})
	}
	t.Render()
	fmt.Fprintln(a.Out)
	fmt.Fprintln(a.Out, counted(len(all), "difference"))
}

// pointOf returns what differs: a point, or a register without a name.
func pointOf(d doctor.Differing) profile.Point {
	if d.Before.Point.Key == "" {
		return profile.Point{Ranges: []protocol.Range{d.At}}
	}
	return d.Before.Point
}

// held is what one of two dumps holds.
type held struct {
	Raw   []uint16 `json:"raw"`
	Value any      `json:"value,omitempty"`
	Text  string   `json:"text,omitempty"`
}

type differingRow struct {
	Key       string `json:"key,omitempty"`
	Name      string `json:"name,omitempty"`
	Registers string `json:"registers"`
	Before    held   `json:"before"`
	After     held   `json:"after"`
}

func differingJSON(of doctor.Dump, all []doctor.Differing) []differingRow {
	rows := []differingRow{}
	for _, d := range all {
		p := pointOf(d)
		row := differingRow{Key: p.Key, Registers: addresses(p), Before: heldOf(d.Before), After: heldOf(d.After)}
		if p.Key != "" {
			row.Name = of.Profile.FullName(p)
		}
		rows = append(rows, row)
	}
	return rows
}

func heldOf(s doctor.Shown) held {
	if s.Point.Key == "" {
		return held{Raw: s.Raw}
	}
	return held{s.Raw, s.Value.Any(), shownText(s)}
}
