package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"solarhub/devices/profile"
	"solarhub/plugin/forecast"
)

func (a *app) checkCommand() *cobra.Command {
	var flag configFlag
	var live, write bool
	var long time.Duration
	command := &cobra.Command{
		Use:   "check [PROFILE.yaml ...]",
		Short: "Check the configuration and profiles, and predict how fast it will be",
		Long: `Check the configuration and the profiles that it names. This touches neither a line nor Home
Assistant. It lists every mistake with file, line and column, and ends with 1 if there is one.

If there is none, it prints how each device will be read: the requests and the milliseconds that they take on the wire,
for the points that are on at first and for all points. For each line it prints how long a write waits at most.

If you name files, it checks these profiles instead.

With --live it opens the lines, reads the devices for a while, tries other settings if something fails, and says in a
sentence what is wrong with a line and what to do about it. It prints the settings that help; with --write it puts them
into the configuration and keeps your comments and layout. It writes nothing to a device and does not need Home
Assistant. It ends with 1 if you have to mend something.`,
		Example: `  solarhub check
  solarhub check --config /etc/solarhub/solarhub.yaml
  solarhub check ./my_inverter.yaml
  solarhub check --live --for 1m
  solarhub check --live --write`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case live && len(args) > 0:
				return usagef("--live checks the lines of a configuration, not a profile: leave out %s", args[0])
			case !live && command.Flags().Changed("for"):
				return usagef("--for needs --live")
			}
			if write && !live {
				return usagef("--write needs --live")
			}
			if len(args) > 0 {
				return a.checkProfiles(args)
			}
			if live {
				return a.checkLive(command.Context(), flag, long, write)
			}
			return a.checkConfig(flag)
		},
	}
	flag.register(command.Flags())
	command.Flags().BoolVar(&live, "live", false, "open the lines, read the devices, and say what is wrong")
	command.Flags().BoolVar(&write, "write", false, "with --live: write the settings that help into the configuration")
	command.Flags().DurationVar(&long, "for", 20*time.Second, "with --live: read the devices for this long")
	return command
}

// checkProfiles checks files and goes on after one with findings.
func (a *app) checkProfiles(files []string) error {
	failed := false
	for _, file := range files {
		p, err := profile.Open(file)
		if err == nil {
			fmt.Fprintf(a.Out, "%s is right: %s, %s\n", file, p.Name, counted(len(mostPoints(p)), "point"))
			continue
		}
		failed = true
		a.findings(err)
	}
	if failed {
		return errReported
	}
	return nil
}

// mostPoints returns the points of the case that has most of them.
func mostPoints(p *profile.Profile) (most []profile.Point) {
	for _, traits := range p.Cases() {
		if points, _ := p.Resolve(traits); len(points) > len(most) { // a loaded profile resolves each of its cases
			most = points
		}
	}
	return most
}

func (a *app) checkConfig(flag configFlag) error {
	path, cfg, err := a.load(flag)
	if err != nil {
		return err
	}
	lines, err := forecast.Of(cfg)
	if err != nil {
		return err
	}
	n := 0
	for _, l := range lines {
		n += len(l.Devices)
	}
	fmt.Fprintf(a.Out, "%s is right: %s with %s, for Home Assistant at %s\n", path, counted(len(lines), "line"),
		counted(n, "device"), cfg.Host.URL)
	for _, l := range lines {
		a.predictLine(l)
	}
	return nil
}
