package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/config"
)

// linted is all that is to be said of one profile.
type linted struct {
	File     string          `json:"file"`
	Mistakes []lintedMistake `json:"mistakes"`
	Remarks  []lintedRemark  `json:"remarks"`
}

type lintedMistake struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

type lintedRemark struct {
	Key  string `json:"key,omitempty"`
	Text string `json:"text"`
}

func (a *app) lintCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "lint PROFILE...",
		Short: "Find the mistakes in profiles of your own, and what is odd in them",
		Long: `Read profiles and list every mistake with file, line and column. Of a profile without a mistake it
says what is odd, which harms nothing but may not be meant: limits that the register cannot hold,
points that are never read, hardly a point that is on. It ends with 1 if there is a mistake.

--json prints a list: file, mistakes (line, column, text) and remarks (key, text).`,
		Example:           `  solarhub devices lint ./my_inverter.yaml`,
		Args:              needsSome("the profile"),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.lint(args, asJSON) },
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func (a *app) lint(files []string, asJSON bool) error {
	var all []linted
	wrong := false
	for _, file := range files {
		l, err := lintOf(file)
		if err != nil {
			return err
		}
		wrong = wrong || len(l.Mistakes) > 0
		all = append(all, l)
	}
	if asJSON {
		if err := a.printJSON(all); err != nil {
			return err
		}
	} else {
		for _, l := range all {
			a.printLinted(l)
		}
	}
	if wrong {
		return errReported
	}
	return nil
}

func (a *app) printLinted(l linted) {
	for _, m := range l.Mistakes {
		fmt.Fprintf(a.Out, "%s:%d:%d: %s\n", l.File, m.Line, m.Column, m.Text)
	}
	for _, r := range l.Remarks {
		fmt.Fprintf(a.Out, "%s: %s\n", l.File, strings.TrimPrefix(r.Key+": "+r.Text, ": "))
	}
	fmt.Fprintf(a.Out, "%s: %s, %s\n", l.File, counted(len(l.Mistakes), "mistake"), counted(len(l.Remarks), "remark"))
}

// lintOf reads a profile. The error is that there is no such file.
func lintOf(file string) (linted, error) {
	l := linted{File: file, Mistakes: []lintedMistake{}, Remarks: []lintedRemark{}}
	p, err := profile.Open(file)
	var found strict.Findings
	switch {
	case errors.As(err, &found):
		for _, f := range found {
			l.Mistakes = append(l.Mistakes, lintedMistake{f.Line, f.Column, f.What})
		}
		return l, nil
	case err != nil:
		return l, err
	}
	for _, r := range p.Remarks() {
		l.Remarks = append(l.Remarks, lintedRemark(r))
	}
	points, err := p.Resolve(p.Cases()[0])
	if err != nil {
		return l, err
	}
	if _, err := devices.ReadPlan(points, config.DefaultDevice(p).Line); err != nil {
		l.Remarks = append(l.Remarks, lintedRemark{Text: err.Error()})
	}
	if needsID(p) {
		l.Remarks = append(l.Remarks, lintedRemark{Text: noSerialNumber})
	}
	return l, nil
}
