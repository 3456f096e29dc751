package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/config"
	"strings"

	"github.com/spf13/pflag"
)

// configPlaces are where a configuration is looked for, in this order.
var configPlaces = []string{"./solarhub.yaml", "/etc/solarhub/solarhub.yaml"}

// configFlag names the configuration.
type configFlag struct{ path string }

func (c *configFlag) register(flags *pflag.FlagSet) {
	flags.StringVarP(&c.path, "config", "c", "", "the configuration (default "+strings.Join(configPlaces,
		", else ")+")")
}

// load reads the configuration that the flag names, or prints all that is wrong with it.
func (a *app) load(flag configFlag) (path string, c config.Config, err error) {
	if path, err = flag.find(); err != nil {
		return "", c, err
	}
	if c, err = config.Load(path); err != nil {
		a.findings(err)
		return path, config.Config{}, errReported
	}
	return path, c, nil
}

// findings prints what is wrong with a file, each finding on its line as compilers do.
func (a *app) findings(err error) {
	fmt.Fprintln(a.Err, err)
	var found strict.Findings
	if errors.As(err, &found) {
		fmt.Fprintln(a.Err, counted(len(found), "finding"))
	}
}

// find returns the path of the configuration.
func (c configFlag) find() (string, error) {
	if c.path != "" {
		return c.path, nil
	}
	for _, place := range configPlaces {
		_, err := os.Stat(place)
		if err == nil {
			return place, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for the configuration: %w", err)
		}
	}
	return "", fmt.Errorf("there is no configuration: neither %s exists. Name one with --config, or let "+
		"solarhub init write one",
		strings.Join(configPlaces, " nor "))
}
