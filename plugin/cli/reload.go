package cli

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"solarhub/plugin"
)

func (a *app) reloadCommand() *cobra.Command {
	var flag configFlag
	command := &cobra.Command{
		Use:   "reload",
		Short: "Have the SolarHub that runs take over a changed configuration or profile",
		Long: `Have the SolarHub that runs take over what you have changed in its configuration, or in a profile of
your own. Only a line on which anything differs is interrupted, for a moment: its entities keep their
values, and what is set meanwhile waits. The other lines, the connection with Home Assistant and its
entities go on. If anything is wrong with a file, all findings are shown, and nothing changes.

To change name: or data: takes a restart. Where a service manager runs SolarHub, SIGHUP does the same:
the log says what has changed. A systemd service keeps its data in a folder of its own: name it with
STATE_DIRECTORY, or use systemctl reload with ExecReload=/usr/local/bin/solarhub reload.

It ends with 1 if the changes were not taken over.`,
		Example: `  solarhub reload
  sudo STATE_DIRECTORY=/var/lib/solarhub solarhub reload`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.reload(flag) },
	}
	flag.register(command.Flags())
	return command
}

func (a *app) reload(flag configFlag) error {
	path, cfg, err := a.load(flag)
	if err != nil {
		return err
	}
	pid, err := plugin.Owner(cfg)
	if err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(syscall.SIGHUP)
	}
	if err != nil {
		return fmt.Errorf("ask the SolarHub that runs (process %d): %w", pid, err)
	}
	_, err = fmt.Fprintf(a.Out, "%s is right. The SolarHub that runs (process %d) takes it over: its log says what "+
		"has changed.\n", path, pid)
	return err
}

// reloads has a plugin take over its configuration whenever a signal comes, until ctx ends. A terminal that goes away
// sends the same signal to what was started on it: that ends instead.
func (a *app) reloads(ctx context.Context, signals <-chan os.Signal, end func(), p *plugin.Plugin) {
	attended := terminal(a.Err)
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
		}
		if attended && !terminal(a.Err) {
			end()
			return
		}
		_, _ = p.Reload(ctx) // it has logged what came of it
	}
}
