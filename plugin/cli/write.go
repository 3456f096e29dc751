package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
)

// writeFlags say how a value is written.
type writeFlags struct {
	config configFlag
	yes    bool
	force  bool
	json   bool
	within time.Duration
}

func (a *app) writeCommand() *cobra.Command {
	var flags writeFlags
	command := &cobra.Command{
		Use:   "write [DEVICE] POINT VALUE",
		Short: "Set a point of a device, and read it back",
		Long: `Set a point of a device. The value goes the way of a set-value of Home Assistant: it is checked against
the limits, written, and read back, and the ledger keeps it. A value out of range or between two
steps is refused with the limits, and nothing is written.

DEVICE is the name in the configuration, and can be left out if there is only one. POINT is a key, as
solarhub devices --writable lists them. VALUE is a number, on or off, an option by its word or as it
is called, a time of day as HH:MM, press for a command, or now for a clock. Home Assistant shows the
new value at once, if SolarHub runs.

Before it writes a setting of the installer, or a command such as a restart, it asks; --yes answers.
Without a terminal to ask at, and without --yes, it refuses.

--json prints an object: device, key, name, unit, old and read_back (null: unknown), new (as given), outcome
(written; unchanged: the device held it already; superseded: a newer value was written instead) and
took_ms; after a failure {"error": {"code", "reason", "fields"}}, with the codes of PROTOCOL.md.

` + exitHelp,
		Example: `  solarhub write Roof battery_charge_current_max 50
  solarhub write energy_priority "Load first"
  solarhub write Roof window_1_start 05:30 --json
  solarhub write Roof grid_power_offset -20`,
		ValidArgsFunction: a.completePoints(&flags.config, 1),
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 {
				return usagef("write takes [DEVICE] POINT VALUE, not %s", counted(len(args), "argument"))
			}
			return a.write(command.Context(), flags, args)
		},
	}
	flags.config.register(command.Flags())
	command.Flags().BoolVar(&flags.yes, "yes", false, "do not ask before something dangerous")
	command.Flags().BoolVar(&flags.force, "force", false, "write even if the device holds the value already")
	command.Flags().BoolVar(&flags.json, "json", false, "print an object for programs")
	command.Flags().DurationVar(&flags.within, "within", 30*time.Second, "give up if it was not sent by then")
	return command
}

// number is what looks like a flag and is none.
var number = regexp.MustCompile(`^-[0-9.]`)

// negative puts a negative value behind all flags, where it is none.
func negative(args []string) []string {
	at := slices.IndexFunc(args, number.MatchString)
	if len(args) == 0 || args[0] != "write" || at < 0 || slices.Contains(args, "--") {
		return args
	}
	value := args[at]
	return append(slices.Delete(slices.Clone(args), at, at+1), "--", value)
}

// written is what came of a write, for programs.
type written struct {
	Device   string          `json:"device"`
	Key      string          `json:"key"`
	Name     string          `json:"name"`
	Unit     string          `json:"unit,omitempty"`
	Old      json.RawMessage `json:"old"`
	New      string          `json:"new"`
	ReadBack json.RawMessage `json:"read_back"`
	Outcome  string          `json:"outcome"`
	TookMS   float64         `json:"took_ms"`
}

func (a *app) write(ctx context.Context, flags writeFlags, words []string) error {
	if flags.within <= 0 {
		return usagef("--within %v is not above 0", flags.within)
	}
	quiet := a.whileWaiting("Asking the device")
	defer quiet()
	r, err := a.reach(ctx, flags.config, words)
	if err != nil {
		return err
	}
	if len(r.words) != 2 {
		return errors.Join(usagef("write takes [DEVICE] POINT VALUE, but behind the device are %d words", len(r.words)),
			r.leave())
	}
	err = r.done(ctx, a.writeTo(ctx, flags, r, quiet))
	if flags.json {
		return a.failedJSON(err)
	}
	return err
}

func (a *app) writeTo(ctx context.Context, flags writeFlags, r reached, quiet func()) error {
	word, value := r.words[0], r.words[1]
	points, err := r.Points(ctx, r.device)
	if err != nil {
		return err
	}
	point := control.Point{Key: word} // one that is not there is refused by who knows all
	if i := slices.IndexFunc(points, func(p control.Point) bool { return p.Key == word }); i >= 0 {
		point = points[i]
	}
	old := control.Value{Value: json.RawMessage("null")}
	if point.Readable && point.Writable {
		asked := control.AskValues{Device: r.device, Points: []string{point.Key}}
		err := r.Read(ctx, asked, func(v control.Value) error { old = v; return nil })
		// Where the old value cannot be had, the write may still succeed: it has tries of its own.
		if failure, ok := errors.AsType[*control.Error](err); err != nil && !(ok && failure.Code == host.CodeNoAnswer) {
			return err
		}
	}
	quiet()
	if err := a.mayWrite(ctx, flags, point, old, value); err != nil {
		return err
	}
	done, err := r.Set(ctx, control.AskSet{Device: r.device, Point: word, Value: value, Force: flags.force,
		By: whoWrites(), WithinMS: flags.within.Milliseconds()})
	if err != nil {
		return err
	}
	if flags.json {
		return a.printJSON(written{done.Device, point.Key, point.Name, point.Unit, old.Value, value, done.Value,
			done.Outcome, done.TookMS})
	}
	_, err = fmt.Fprintln(a.Out, writtenText(point, old, value, done))
	return err
}

// whoWrites is who the ledger says has written.
func whoWrites() string {
	if u, err := user.Current(); err == nil {
		return "command (" + u.Username + ")"
	}
	return "command"
}

// mayWrite asks before something dangerous.
func (a *app) mayWrite(ctx context.Context, flags writeFlags, p control.Point, old control.Value, value string) error {
	if p.Danger == "" || flags.yes {
		return nil
	}
	who := a.person()
	if who == nil || flags.json {
		return usagef("%s is not written without a question: %s. There is no terminal to ask at: --yes answers it",
			p.Key, p.Danger)
	}
	what := fmt.Sprintf("%s: %s.\n", p.Name, p.Danger)
	if old.Key != "" {
		what += fmt.Sprintf("It is %s now. ", valueText(old))
	}
	fmt.Fprint(a.Err, what)
	yes, err := who.yes(ctx, "Write "+value, false)
	if err == nil && !yes {
		err = errLeft
	}
	return err
}

// writtenText is what came of a write, for people.
func writtenText(p control.Point, old control.Value, value string, done control.Outcome) string {
	took := ms(time.Duration(done.TookMS * float64(time.Millisecond)))
	found := valueText(control.Value{Text: done.Text, Value: done.Value, Unit: p.Unit})
	name := cmp.Or(p.Name, p.Key)
	switch {
	case done.Outcome == ledger.Unchanged:
		return fmt.Sprintf("%s: it was %s already, so nothing was written (%s ms)", name, found, took)
	case done.Outcome == ledger.Superseded:
		return fmt.Sprintf("%s: a newer value was written instead: it is %s (%s ms)", name, found, took)
	case done.Text == "":
		return fmt.Sprintf("%s: %s was written in %s ms. It cannot be read back", name, value, took)
	}
	return fmt.Sprintf("%s: %s -> %s, read back %s in %s ms", name, valueText(old), valueText(control.Value{
		Text: value, Unit: p.Unit}), found, took)
}
