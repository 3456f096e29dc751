package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/config"
)

func (a *app) forgetCommand() *cobra.Command {
	var flags configFlag
	command := &cobra.Command{
		Use:   "forget [DEVICE]",
		Short: "Forget which device was at an entry of the configuration, after it was replaced",
		Long: `SolarHub writes to no device but the one that it knows by its serial number. After an inverter was replaced, forget
the old one: at the next start SolarHub takes the device that answers. A device that was deleted in Home Assistant is
shown there again. DEVICE is the name in the configuration; it can be left out where there is only one.

Stop SolarHub first. As a systemd service it has a folder of its own, which is named here with STATE_DIRECTORY.`,
		Example: `  solarhub forget Roof
  sudo STATE_DIRECTORY=/var/lib/solarhub solarhub forget Roof`,
		Args: oneArgument,
		RunE: func(_ *cobra.Command, args []string) error {
			path, err := flags.find()
			if err != nil {
				return err
			}
			return a.forget(path, append(args, "")[0])
		},
	}
	flags.register(command.Flags())
	return command
}

func (a *app) forget(path, device string) error {
	cfg, err := config.Load(path)
	if err != nil {
		a.findings(err)
		return errReported
	}
	log, err := a.logger()
	if err != nil {
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
