package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/control"
)

func (a *app) ledgerCommand() *cobra.Command {
	var flag configFlag
	var device string
	var asJSON bool
	command := &cobra.Command{
		Use:   "ledger",
		Short: "List what was set, by whom, and how it ended",
		Long: `List the last set-values, newest last: those of Home Assistant and those of solarhub write. The last
500 are kept, over restarts too. It works whether SolarHub runs or not.

The outcome is written (and read back), unchanged (the device held it already), superseded (a newer
value was written instead), begun (its end is not known), or why it failed. Reverted is what the
device held later, though nobody had set it here.

--json prints an object for each, one on each line: number, at, by, device, key, action, value, force,
outcome, reason, found, took_ms, reverted.`,
		Example: `  solarhub ledger
  solarhub ledger --device Roof --json
  sudo STATE_DIRECTORY=/var/lib/solarhub solarhub ledger`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return a.ledger(command.Context(), flag, device, asJSON)
		},
	}
	flag.register(command.Flags())
	command.Flags().StringVar(&device, "device", "", "list only those of this device, by its name or id")
	command.Flags().BoolVar(&asJSON, "json", false, "print objects for programs")
	return command
}

func (a *app) ledger(ctx context.Context, flag configFlag, device string, asJSON bool) error {
	_, cfg, err := a.load(flag)
	if err != nil {
		return err
	}
	var all []control.Entry
	c, err := control.Dial(ctx, cfg.Data)
	switch {
	case err == nil:
		all, err = c.Ledger(ctx, device)
	case errors.Is(err, control.ErrNobody):
		log, wrong := a.debugLogger()
		if wrong != nil {
			return wrong
		}
		all, err = plugin.Ledger(cfg, device, log)
	}
	switch {
	case err != nil:
		return err
	case asJSON:
		for _, e := range all {
			if err := a.printJSON(e); err != nil {
				return err
			}
		}
		return nil
	case len(all) == 0:
		_, err := fmt.Fprintf(a.Out, "Nothing was set, as far as %s knows.\n", cfg.Data)
		return err
	}
	t := newTable(a.Out, "when", "device", "point", "value", "outcome", "ms", "by")
	narrow(t, "outcome", 60)
	for _, e := range all {
		value := fmt.Sprint(e.Value)
		if e.Value == nil {
			value = e.Action
		}
		t.AppendRow(table.Row{e.At.Local().Format(time.DateTime), e.Device, e.Key, value, endText(e), e.TookMS, e.By})
	}
	t.Render()
	return nil
}

// endText is how a set-value ended.
func endText(e control.Entry) string {
	text := cmp.Or(e.Reason, e.Outcome)
	if e.Reverted != "" {
		text += fmt.Sprintf("; later the device held %s", e.Reverted)
	}
	return text
}
