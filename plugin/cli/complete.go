package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"solarhub/devices/profile"
	"solarhub/plugin/config"
)

// completeProfiles completes the name of a family; a path is completed by the shell.
func completeProfiles(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsAny(begun, "./~") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var fitting []string
	for _, name := range profile.Names() {
		if strings.HasPrefix(name, begun) {
			fitting = append(fitting, name)
		}
	}
	return fitting, cobra.ShellCompDirectiveDefault
}

// deviceNames returns the names of the devices of a configuration that begin with what is typed.
func deviceNames(flag *configFlag, begun string) []string {
	path, err := flag.find()
	if err != nil {
		return nil
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil
	}
	var fitting []string
	for _, l := range cfg.Lines {
		for _, d := range l.Devices {
			if strings.HasPrefix(d.Name, begun) {
				fitting = append(fitting, d.Name)
			}
		}
	}
	return fitting
}

// completeDevice completes the first argument by the devices of the configuration.
func completeDevice(flag *configFlag) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return deviceNames(flag, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeDevices completes a flag by the devices of the configuration.
func completeDevices(command *cobra.Command, name string, flag *configFlag) {
	_ = command.RegisterFlagCompletionFunc(name, // fails only for a flag that is not there
		func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return deviceNames(flag, begun), cobra.ShellCompDirectiveNoFileComp
		})
}
