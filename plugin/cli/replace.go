package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/control"
)

func (a *app) replaceCommand() *cobra.Command {
	var flags configFlag
	var asJSON bool
	command := &cobra.Command{
		Use:   "replace OLD NEW",
		Short: "Let a new device go on as the one that it has replaced",
		Long: `SolarHub writes only to the device that it knows by its serial number. After you have replaced an
inverter, the new one goes on with the entities, the history and the settings in Home Assistant of
the old one. OLD is the device id of the old one: its serial number, unless it has replaced another
itself. NEW is the serial number of the new one. Its counters begin anew.

If SolarHub runs, the new one must answer already, and goes on at once; Home Assistant asks you the
same under Settings, System, Repairs. Else it goes on at the next start. A systemd service keeps its
data in a folder of its own: name it with STATE_DIRECTORY. To begin with the new device from nothing,
use ` + "`solarhub forget`" + ` instead.

--json prints an object: id (with which the new one goes on) and now (false: from the next start on).`,
		Example: `  solarhub replace 2106194011 2411028433
  sudo STATE_DIRECTORY=/var/lib/solarhub solarhub replace 2106194011 2411028433`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("replace takes two serial numbers, OLD and NEW, not %s", counted(len(args), "argument"))
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			return a.replace(command.Context(), flags, args[0], args[1], asJSON)
		},
	}
	flags.register(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "print an object for programs")
	return command
}

func (a *app) replace(ctx context.Context, flag configFlag, id, serial string, asJSON bool) error {
	_, cfg, log, err := a.loadWithLog(flag)
	if err != nil {
		return err
	}
	goesOn := fmt.Sprintf("%s goes on as %s, with its entities and their history.", serial, id)
	c, err := control.Dial(ctx, cfg.Data)
	if err == nil {
		if err := c.Replace(ctx, id, serial); err != nil {
			return err
		}
		return a.told(asJSON, id, true, goesOn)
	} else if !errors.Is(err, control.ErrNobody) {
		return err
	}
	if err := plugin.Replace(cfg, id, serial, log); err != nil {
		return err
	}
	return a.told(asJSON, id, false, "At the next start "+goesOn)
}
