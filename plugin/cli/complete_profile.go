package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"solarhub/devices/profile"
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

// completeSettings completes KEY= of a flag by the points of the family that the first argument names.
func completeSettings(command *cobra.Command, name string) {
	_ = command.RegisterFlagCompletionFunc(name, // fails only for a flag that is not there
		func(_ *cobra.Command, args []string, begun string) (keys []string, _ cobra.ShellCompDirective) {
			const noMore = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
			if len(args) == 0 {
				return nil, noMore
			}
			p, err := profile.Open(args[0])
			if err != nil {
				return nil, noMore
			}
			for _, point := range mostPoints(p) {
				if strings.HasPrefix(point.Key, begun) {
					keys = append(keys, point.Key+"=")
				}
			}
			return keys, noMore
		})
}
