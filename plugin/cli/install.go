package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"solarhub/plugin/companion"
	"solarhub/plugin/host"
)

// lookEvery is how often a restarting host is looked at. It is out of reach for a second or two, which must not be
// missed.
const lookEvery = 200 * time.Millisecond

// installFlags say where to install, and how to reach the host.
type installFlags struct {
	folder   string
	url      string
	token    tokenFlags
	restart  bool
	insecure bool
	force    bool
	timeout  time.Duration
}

func (a *app) installCommand() *cobra.Command {
	var flags installFlags
	command := &cobra.Command{
		Use:   "install",
		Short: "Put the SolarHub integration into Home Assistant",
		Long: `Put the SolarHub integration into a configuration folder of Home Assistant (the folder with
configuration.yaml in it), as custom_components/solarhub. With the address of the running Home Assistant
and the token of an administrator, it also sets SolarHub up there, as you would under Settings > Devices
& services.

Home Assistant finds new files only when it starts: --restart restarts it and waits until it is back. Make the token in
Home Assistant under your profile > Security > Long-lived access tokens.

With Home Assistant OS the folder is on another machine. Mount it with the Samba app and name it here. Or install into
an empty folder with --force, copy custom_components from there with the SSH app, and then leave out --ha-config.`,
		Example: `  solarhub install --ha-config /srv/homeassistant
  solarhub install --ha-config /srv/homeassistant --url http://localhost:8123 --token-file token.txt --restart
  solarhub install --url http://homeassistant.local:8123 --token-env HASS_TOKEN`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.install(command.Context(), flags) },
	}
	f := command.Flags()
	f.StringVar(&flags.folder, "ha-config", "",
		"configuration folder of Home Assistant, the one with configuration.yaml")
	f.StringVar(&flags.url, "url", "", "address of Home Assistant, such as http://homeassistant.local:8123")
	flags.token.register(f)
	f.BoolVar(&flags.restart, "restart", false, "restart Home Assistant and wait until it is back")
	f.BoolVar(&flags.insecure, "insecure", false,
		"accept any certificate, such as one that Home Assistant signed itself; only on a network that you trust")
	f.BoolVar(&flags.force, "force", false,
		"install into a folder without configuration.yaml too, to copy it from there")
	f.DurationVar(&flags.timeout, "timeout", 3*time.Minute, "give up after this long")
	return command
}

func (a *app) install(ctx context.Context, flags installFlags) error {
	rest, err := flags.rest()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, flags.timeout)
	defer cancel()
	if flags.folder != "" {
		if err := a.copyCompanion(flags.folder, flags.force); err != nil {
			return err
		}
	}
	if flags.url == "" {
		fmt.Fprintf(a.Out, "next: restart Home Assistant, then Settings > Devices & services > Add integration > %s\n",
			a.manifest.Name)
		return nil
	}
	if flags.restart {
		if err := a.restart(ctx, rest); err != nil {
			return err
		}
	}
	created, err := rest.CreateEntry(ctx)
	var unknown *host.HTTPError
	if errors.As(err, &unknown) && unknown.Status == 404 && !flags.restart {
		return fmt.Errorf("%w\nTo have it restarted now: the same command with --restart", err)
	}
	if err != nil {
		return err
	}
	if created {
		fmt.Fprintf(a.Out, "set up %s at %s\n", a.manifest.Name, flags.url)
	} else {
		fmt.Fprintf(a.Out, "%s is set up at %s already\n", a.manifest.Name, flags.url)
	}
	fmt.Fprintln(a.Out, "next: solarhub run")
	return nil
}

// copyCompanion puts the integration into the folder.
func (a *app) copyCompanion(folder string, force bool) error {
	install := companion.Install
	if force {
		install = companion.InstallAnyway
	}
	report, err := install(folder, a.Manifest)
	if errors.Is(err, companion.ErrNotConfiguration) {
		return fmt.Errorf("%w\nHome Assistant shows the right one under Settings > System > Repairs > ... > System "+
			"information; --force takes any", err)
	}
	switch {
	case err != nil:
		return fmt.Errorf("install the integration: %w", err)
	case report.Unchanged():
		fmt.Fprintf(a.Out, "version %s is in %s already\n", report.Version, report.Folder)
	case report.Before == "":
		fmt.Fprintf(a.Out, "installed version %s in %s\n", report.Version, report.Folder)
	default:
		fmt.Fprintf(a.Out, "replaced version %s by %s in %s\n", report.Before, report.Version, report.Folder)
	}
	return nil
}

// restart restarts the host and returns when it runs again.
func (a *app) restart(ctx context.Context, rest host.REST) error {
	if _, err := rest.Running(ctx); err != nil {
		return fmt.Errorf("look at Home Assistant before restarting it: %w", err)
	}
	if err := rest.Restart(ctx); err != nil {
		return err
	}
	fmt.Fprintln(a.Out, "restarting Home Assistant ...")
	began, away := time.Now(), false
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		running, err := rest.Running(ctx)
		switch {
		case errors.Is(err, host.ErrAuth):
			return err
		case err != nil || !running:
			away = true
		case away:
			fmt.Fprintf(a.Out, "it is back after %s\n", time.Since(began).Round(time.Second/10))
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("restart Home Assistant: it is not back after %s, see its log: %w",
				time.Since(began).Round(time.Second), ctx.Err())
		}
	}
}

// rest checks the flags and returns the host's API; the zero REST if no address is given.
func (f installFlags) rest() (host.REST, error) {
	switch {
	case f.folder == "" && f.url == "":
		return host.REST{}, usagef("nothing to do: name the configuration folder with --ha-config, or the address " +
			"with --url")
	case f.url == "" && f.restart:
		return host.REST{}, usagef("--restart needs --url and a token")
	case f.url == "" && f.token != tokenFlags{}:
		return host.REST{}, usagef("a token needs --url")
	case f.url == "":
		return host.REST{}, nil
	}
	address, err := host.ParseAddress(f.url)
	if err != nil {
		return host.REST{}, usage(err)
	}
	token, err := f.token.read()
	if err != nil {
		return host.REST{}, err
	}
	return host.REST{Address: address, Token: host.NewSecret(token), Client: host.NewHTTPClient(f.insecure)}, nil
}
