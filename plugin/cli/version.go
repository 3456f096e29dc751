package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Print the version of SolarHub, of the Go it was built with, and of the source where that is known.",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Out, "%s %s (%s, %s/%s%s)\n", a.manifest.Domain, a.manifest.Version,
				runtime.Version(), runtime.GOOS,
				runtime.GOARCH, revision())
			return err
		},
	}
}

// revision returns the commit that the binary was built from, with a comma in front, or nothing.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	text, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			text = ", commit " + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	if text == "" {
		return ""
	}
	return text + changed
}
