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
	command := &cobra.Command{
		Use:   "forget [DEVICE]",
		Short: "Forget which device was at an entry of the configuration, after it was replaced",
		Long: `SolarHub writes only to the device that it knows by its serial number. After you have replaced an
inverter, forget the old one: SolarHub then takes the device that answers for new, at once if it
runs, else at the next start. If you deleted the device in Home Assistant, it appears there again.
DEVICE is the name in the configuration; leave it out if there is only one.

A systemd service keeps its data in a folder of its own: name it with STATE_DIRECTORY.`,
		Example: `  solarhub forget Roof
  sudo STATE_DIRECTORY=/var/lib/solarhub solarhub forget Roof`,
		Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			return a.forget(command.Context(), flags, append(args, "")[0])
		},
	}
	flags.register(command.Flags())
	return command
}

func (a *app) forget(ctx context.Context, flag configFlag, device string) error {
	_, cfg, log, err := a.loadWithLog(flag)
	if err != nil {
		return err
	}
	c, err := control.Dial(ctx, cfg.Data)
	if err == nil {
		id, err := c.Forget(ctx, device)
		if err == nil {
			_, err = fmt.Fprintf(a.Out, "%s is forgotten. SolarHub takes the device that answers now.\n", id)
		}
		return err
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
	_, err = fmt.Fprintf(a.Out, "%s is forgotten. The next start takes the device that answers.\n", id)
	return err
}
