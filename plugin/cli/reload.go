package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"solarhub/plugin"
	"solarhub/plugin/control"
)

func (a *app) reloadCommand() *cobra.Command {
	var flag configFlag
	var asJSON bool
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
		RunE: func(command *cobra.Command, _ []string) error {
			return a.reload(command.Context(), flag, asJSON)
		},
	}
	flag.register(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON: changed, a list of sentences; or error")
	return command
}

func (a *app) reload(ctx context.Context, flag configFlag, asJSON bool) error {
	path, cfg, err := a.load(flag)
	if err != nil {
		return err
	}
	running, err := control.Dial(ctx, cfg.Data)
	if errors.Is(err, control.ErrNobody) {
		return fmt.Errorf("%w, %s: start it with `solarhub run`. After a change of data: stop the one that runs and "+
			"start it again. A systemd service has a folder of its own: name it with STATE_DIRECTORY", err, cfg.Data)
	}
	if err != nil {
		return err
	}
	quiet := a.whileWaiting("Waiting for the lines that change")
	changed, err := running.Reload(ctx)
	quiet()
	switch {
	case err != nil && asJSON:
		return a.failedJSON(err)
	case err != nil:
		return fmt.Errorf("%w\nNothing has changed", err)
	case asJSON:
		return a.printJSON(map[string][]string{"changed": append([]string{}, changed...)})
	case len(changed) == 0:
		changed = []string{path + " has not changed: everything goes on"}
	default:
		changed = append(changed, "Nothing else was interrupted.")
	}
	_, err = fmt.Fprintln(a.Out, strings.Join(changed, "\n"))
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
