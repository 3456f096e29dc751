package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"solarhub/plugin/control"
)

// readFlags say how values are read and printed.
type readFlags struct {
	config configFlag
	now    bool
	json   bool
}

func (a *app) readCommand() *cobra.Command {
	var flags readFlags
	command := &cobra.Command{
		Use:   "read [DEVICE] [POINT]...",
		Short: "Read points or registers of a device",
		Long: `Read points of a device and print what they hold: the value, the raw words, how old it is and where
it comes from. DEVICE is the name in the configuration, and can be left out if there is only one.
POINT is a key, as solarhub devices lists them, a quantity such as "pv_{n}_voltage" for all strings,
or registers: holding 588, 588..599, input 0+10. Without a point it is all that are on.

If SolarHub runs, it is asked, and reads for this command: two programs on one line would spoil each
other's answers. Without a point it tells what it knows; with --now it reads all of it anew. If it
does not run, the line is opened for as long as it takes.

The source is device (read for you now), program (read by the SolarHub that runs), or cache (read
before it started). A device that does not answer leaves what is known of it.

--json prints an object for each value, one on each line: device, key, name, registers, raw (words),
value (null: unknown), text, unit, reason (why it is unknown), read_at, age_ms, source; after a
failure {"error": {"code", "reason", "fields"}}.

` + exitHelp,
		Example: `  solarhub read                                all that is on
  solarhub read Roof battery_soc battery_power
  solarhub read Roof holding 588..599          registers, and the points in them
  solarhub read battery_soc --json`,
		ValidArgsFunction: a.completePoints(&flags.config, 0),
		RunE: func(command *cobra.Command, args []string) error {
			return a.read(command.Context(), flags, joinTables(args))
		},
	}
	flags.config.register(command.Flags())
	command.Flags().BoolVar(&flags.now, "now", false, "read everything from the device, not only what is named")
	command.Flags().BoolVar(&flags.json, "json", false, "print objects for programs")
	return command
}

// joinTables joins "holding" and "588" where they are two arguments.
func joinTables(args []string) (words []string) {
	for i := 0; i < len(args); i++ {
		word := args[i]
		if slices.Contains([]string{"holding", "input", "coil", "discrete"}, word) && i+1 < len(args) {
			i++
			word += " " + args[i]
		}
		words = append(words, word)
	}
	return words
}

func (a *app) read(ctx context.Context, flags readFlags, words []string) error {
	quiet := a.whileWaiting("Asking the device")
	r, err := a.reach(ctx, flags.config, words)
	if err != nil {
		quiet()
		return err
	}
	var all []control.Value
	asked := control.AskValues{Device: r.device, Points: r.words}
	if len(r.words) == 0 && !r.alone && !flags.now {
		all, err = r.Values(ctx, asked)
	} else {
		err = r.Read(ctx, asked, func(v control.Value) error {
			all = append(all, v)
			return nil
		})
	}
	failed := err
	if failure, ok := errors.AsType[*control.Error](err); ok && exitOf(failure) == ExitAway && ctx.Err() == nil {
		all, _ = r.Values(ctx, asked) // what is known of a device that is away
		all = slices.DeleteFunc(all, func(v control.Value) bool { return v.Source == "" })
	}
	err = r.done(ctx, failed)
	quiet()
	if shown := a.showValues(all, flags.json); shown != nil {
		return errors.Join(shown, err)
	}
	if flags.json {
		return a.failedJSON(err)
	}
	return err
}

func (a *app) showValues(all []control.Value, asJSON bool) error {
	if asJSON {
		for _, v := range all {
			if err := a.printJSON(v); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		return nil
	}
	t := newTable(a.Out, "point", "value", "raw", "registers", "age", "source")
	narrow(t, "value", 48)
	for i, v := range all {
		if i+1 < len(all) && v.Key == "" && all[i+1].Key != "" && all[i+1].Registers == v.Registers {
			continue // the point says it all
		}
		t.AppendRow(table.Row{cmp.Or(v.Key, "-"), valueText(v), rawText(v.Raw), v.Registers, ageText(v), v.Source})
	}
	t.Render()
	return nil
}

// valueText is a value with its unit, or why there is none.
func valueText(v control.Value) string {
	text := v.Text
	if string(v.Value) == "null" && v.Reason != "" {
		return text + " (" + v.Reason + ")"
	}
	if v.Unit != "" && string(v.Value) != "null" {
		text += " " + v.Unit
	}
	return text
}

// mostRaw is how many words are shown in a table.
const mostRaw = 4

// rawText is words as tools print them, the first ones of many.
func rawText(raw []uint16) string {
	var texts []string
	for _, w := range raw[:min(len(raw), mostRaw)] {
		texts = append(texts, fmt.Sprintf("0x%04X", w))
	}
	if len(raw) > mostRaw {
		texts = append(texts, "...")
	}
	return strings.Join(texts, " ")
}

// ageText is how old a value is.
func ageText(v control.Value) string {
	if v.ReadAt.IsZero() {
		return ""
	}
	age := time.Duration(v.AgeMS) * time.Millisecond
	switch {
	case age < 0:
		return "?" // the clock was set back
	case age < time.Second:
		return fmt.Sprintf("%d ms", age.Milliseconds())
	case age < time.Minute:
		return fmt.Sprintf("%.1f s", age.Seconds())
	case age < time.Hour:
		return fmt.Sprintf("%.0f min", age.Minutes())
	case age < 48*time.Hour:
		return fmt.Sprintf("%.0f h", age.Hours())
	}
	return fmt.Sprintf("%.0f days", age.Hours()/24)
}
