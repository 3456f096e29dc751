package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/control"
)

func (a *app) forgetCommand() *cobra.Command {
	var flags configFlag
	var asJSON bool
	command := &cobra.Command{
		Use:   "forget [DEVICE]",
		Short: "Forget which device was at an entry of the configuration, after it was replaced",
		Long: `SolarHub writes only to the device that it knows by its serial number. After you have replaced an
inverter, forget the old one: SolarHub then takes the device that answers for new, at once if it
runs, else at the next start. If you deleted the device in Home Assistant, it appears there again.
DEVICE is the name in the configuration; leave it out if there is only one.

A systemd service keeps its data in a folder of its own: name it with STATE_DIRECTORY.

--json prints an object: id (that was forgotten) and now (false: it counts from the next start on).`,
		Example: `  solarhub forget Roof
  sudo STATE_DIRECTORY=/var/lib/solarhub solarhub forget Roof`,
		Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			return a.forget(command.Context(), flags, append(args, "")[0], asJSON)
		},
	}
	flags.register(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "print an object for programs")
	return command
}

func (a *app) forget(ctx context.Context, flag configFlag, device string, asJSON bool) error {
	_, cfg, log, err := a.loadWithLog(flag)
	if err != nil {
		return err
	}
	c, err := control.Dial(ctx, cfg.Data)
	if err == nil {
		id, err := c.Forget(ctx, device)
		if err != nil {
			return err
		}
		return a.told(asJSON, id, true, fmt.Sprintf("%s is forgotten. SolarHub takes the device that answers now.", id))
	} else if !errors.Is(err, control.ErrNobody) {
		return err
	}
	id, err := plugin.Forget(cfg, device, log)
	switch {
	case err != nil:
		return err
	case id == "":
		return fmt.Errorf("nothing is remembered of this device in %s: is that the folder of the SolarHub that runs?",
			cfg.Data)
	}
	return a.told(asJSON, id, false, fmt.Sprintf("%s is forgotten. The next start takes the device that answers.", id))
}

// told prints what was done to the device with an id, and whether it counts now or from the next start on.
func (a *app) told(asJSON bool, id string, now bool, sentence string) error {
	if asJSON {
		return a.printJSON(map[string]any{"id": id, "now": now})
	}
	_, err := fmt.Fprintln(a.Out, sentence)
	return err
}
