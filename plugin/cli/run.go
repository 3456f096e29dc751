package cli

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/config"
)

func (a *app) runCommand() *cobra.Command {
	var flag configFlag
	command := &cobra.Command{
		Use:   "run",
		Short: "Read the devices and serve Home Assistant until Ctrl-C",
		Long: `Read the devices of the configuration and serve Home Assistant, until Ctrl-C or SIGTERM. After the
first signal it finishes the write that is under way, keeps the last values for the next start, and
tells Home Assistant. A second signal ends it at once.

Lines, devices and Home Assistant may go away and come back at any time, in any order. It carries on by itself.

After you have changed the configuration or a profile of your own, ` + "`solarhub reload`" + ` or SIGHUP has it take
over what differs, and goes on with everything else. If a file is wrong, the log says all that is, and
nothing changes.`,
		Example: `  solarhub run
  solarhub run --config /etc/solarhub/solarhub.yaml --log-level debug`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return a.serve(command.Context(), flag)
		},
	}
	flag.register(command.Flags())
	return command
}

// memoryPercent is how much garbage may pile up on top of the live memory before it is collected. Go's default is 100.
// The process has 5 MB of live memory and makes so little garbage that it collects twice a minute, in 2 ms; to collect
// twice as often costs nothing that can be measured and saves 3 MB of 30. The environment variable GOGC goes before.
const memoryPercent = 50

func (a *app) serve(ctx context.Context, flag configFlag) error {
	signals := make(chan os.Signal, 1) // one that waits is as good as several
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	path, cfg, log, err := a.loadWithLog(flag)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(memoryPercent)
	}
	p, err := plugin.New(cfg, plugin.Deps{Log: log, Version: a.manifest.Version,
		Load: func() (config.Config, error) { return config.Load(path) }})
	if err != nil {
		return err
	}
	log.Info().Str("version", a.manifest.Version).Str("configuration", path).Stringer("home_assistant", cfg.Host.URL).
		Msg("SolarHub starts")
	ctx, end := context.WithCancel(ctx)
	var reloading sync.WaitGroup
	reloading.Go(func() { a.reloads(ctx, signals, end, p) })
	err = p.Run(ctx)
	end()
	reloading.Wait()
	if err != nil {
		return err
	}
	log.Info().Msg("SolarHub has ended in order")
	return nil
}
