package cli

import (
	"context"

	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/config"
)

func (a *app) runCommand() *cobra.Command {
	var config configFlag
	command := &cobra.Command{
		Use:   "run",
		Short: "Read the devices and serve Home Assistant until Ctrl-C",
		Long: `Read the devices of the configuration and serve Home Assistant, until Ctrl-C or SIGTERM. The first signal ends it in
order: what is being written is finished, last values are kept for the next start, Home Assistant is told. A
second one ends it at once.

Lines, devices and Home Assistant may come and go meanwhile, in any order: it goes on by itself when they are back.`,
		Example: `  solarhub run
  solarhub run --config /etc/solarhub/solarhub.yaml --log-level debug`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			path, err := config.find()
			if err != nil {
				return err
			}
			return a.serve(command.Context(), path)
		},
	}
	config.register(command.Flags())
	return command
}

func (a *app) serve(ctx context.Context, path string) error {
	cfg, err := config.Load(path)
	if err != nil {
		a.findings(err)
		return errReported
	}
	log, err := a.logger()
	if err != nil {
		return err
	}
	p, err := plugin.New(cfg, plugin.Deps{Log: log, Version: a.manifest.Version})
	if err != nil {
		return err
	}
	log.Info().Str("version", a.manifest.Version).Str("configuration", path).Stringer("home_assistant", cfg.Host.URL).Msg("SolarHub starts")
	if err := p.Run(ctx); err != nil {
		return err
	}
	log.Info().Msg("SolarHub has ended in order")
	return nil
}
