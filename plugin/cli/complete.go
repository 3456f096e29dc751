package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"solarhub/plugin/config"
	"solarhub/plugin/control"
)

// completeWithin bounds what a shell waits for when somebody presses Tab.
const completeWithin = time.Second

// completePoints completes the name of a device, and behind it the keys of its points; most bounds how many, 0: any.
// It reads nothing from a device.
func (a *app) completePoints(flag *configFlag, most int) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		path, err := flag.find()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		cfg, err := config.Load(path)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		device, names := "", deviceNames(cfg)
		if len(args) > 0 {
			for _, n := range names {
				if n == args[0] {
					device, args = n, args[1:]
					break
				}
			}
		}
		var words []string
		if device == "" && len(args) == 0 {
			words = names
		}
		if most == 0 || len(args) < most {
			words = append(words, keysOf(command.Context(), cfg, device)...)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

func deviceNames(cfg config.Config) (names []string) {
	for _, l := range cfg.Lines {
		for _, d := range l.Devices {
			names = append(names, d.Name)
		}
	}
	return names
}

// keysOf returns the keys of a device: as the SolarHub that runs knows it, else those of a typical one.
func keysOf(ctx context.Context, cfg config.Config, device string) (keys []string) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	if c, err := control.Dial(ctx, cfg.Data); err == nil {
		points, _ := c.Points(ctx, device)
		for _, p := range points {
			keys = append(keys, p.Key+"\t"+p.Name)
		}
		return keys
	}
	_, d, err := cfg.Device(device)
	if err != nil {
		return nil
	}
	points, _ := d.Profile.Resolve(d.Profile.Cases()[0])
	for _, p := range points {
		keys = append(keys, p.Key+"\t"+d.Profile.FullName(p))
	}
	return keys
}

// completeDevice completes the name of a device.
func completeDevice(flag *configFlag) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		path, err := flag.find()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		cfg, _ := config.Load(path)
		return deviceNames(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}
