package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"solarhub/plugin/control"
)

func (a *app) watchCommand() *cobra.Command {
	var flags readFlags
	command := &cobra.Command{
		Use:   "watch [DEVICE] [POINT]...",
		Short: "Print the points of a device as they change, until Ctrl-C",
		Long: `Print the values of now, and then each change as it comes, one on each line: the time, the point, and
what it held before and holds now. DEVICE and POINT are as for solarhub read, without registers.
Without a point it is all that are on. It also tells when the device stops answering, and answers
again.

If SolarHub runs, it is asked. If it does not, the line is opened until Ctrl-C; other commands go
through this one meanwhile.

--json prints an object for each change, one on each line: time, old (null: the first), new (both as
for solarhub read), about (of the device as a whole), lost (changes that came too fast to be told).`,
		Example: `  solarhub watch
  solarhub watch Roof battery_power grid_power
  solarhub watch battery_soc --json`,
		ValidArgsFunction: a.completePoints(&flags.config, 0),
		RunE: func(command *cobra.Command, args []string) error {
			return a.watch(command.Context(), flags, joinTables(args))
		},
	}
	flags.config.register(command.Flags())
	command.Flags().BoolVar(&flags.json, "json", false, "print objects for programs")
	return command
}

func (a *app) watch(ctx context.Context, flags readFlags, words []string) error {
	quiet := a.whileWaiting("Asking the device")
	defer quiet()
	r, err := a.reach(ctx, flags.config, words)
	if err != nil {
		return err
	}
	err = r.Watch(ctx, control.AskValues{Device: r.device, Points: r.words}, func(c control.Change) error {
		quiet()
		if flags.json {
			return a.printJSON(c)
		}
		_, err := fmt.Fprintln(a.Out, changeText(c))
		return err
	})
	late := r.leave()
	if ctx.Err() != nil {
		return late // Ctrl-C is how it ends
	}
	if err = errors.Join(err, late); flags.json {
		return a.failedJSON(err)
	}
	return err
}

// changeText is one line: the time, the point, and what it held and holds.
func changeText(c control.Change) string {
	at := c.Time.Local().Format(time.TimeOnly)
	lost := ""
	if c.Lost > 0 {
		lost = fmt.Sprintf("  (%s before it came too fast)", counted(c.Lost, "change"))
	}
	switch {
	case c.New.Key == "":
		return fmt.Sprintf("%s  %s: %s%s", at, c.New.Device, c.About, lost)
	case c.Old == nil:
		return fmt.Sprintf("%s  %s  %s%s", at, c.New.Key, valueText(c.New), lost)
	}
	return fmt.Sprintf("%s  %s  %s -> %s%s", at, c.New.Key, valueText(*c.Old), valueText(c.New), lost)
}
