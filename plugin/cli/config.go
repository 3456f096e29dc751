package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// configPlaces are where a configuration is looked for, in this order.
var configPlaces = []string{"./solarhub.yaml", "/etc/solarhub/solarhub.yaml"}

// configFlag names the configuration.
type configFlag struct{ path string }

func (c *configFlag) register(flags *pflag.FlagSet) {
	flags.StringVarP(&c.path, "config", "c", "", "the configuration; if none is named: "+strings.Join(configPlaces, ", else "))
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
	return "", fmt.Errorf("there is no configuration: neither %s exists. Name one with --config; README.md has an example to begin with",
		strings.Join(configPlaces, " nor "))
}
