package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"solarhub/devices/profile/strict"
)

// tokenFlags are the three ways of handing over an access token of Home Assistant.
type tokenFlags struct{ text, file, variable string }

func (t *tokenFlags) register(set *pflag.FlagSet) {
	set.StringVar(&t.text, "token", "",
		"long-lived access token; other users of this machine can see it on the command line")
	set.StringVar(&t.file, "token-file", "", "file that holds the token and nothing else")
	set.StringVar(&t.variable, "token-env", "", "environment variable that holds the token")
}

// read returns the token from the one place that is named.
func (t tokenFlags) read() (string, error) {
	given := 0
	for _, way := range []string{t.text, t.file, t.variable} {
		given += count(way != "")
	}
	if given != 1 {
		return "", usagef("name exactly one of --token-file, --token-env and --token")
	}
	text, from := t.text, "--token"
	switch {
	case t.file != "":
		data, err := strict.ReadFile(t.file)
		if err != nil {
			return "", fmt.Errorf("read the token: %w", err)
		}
		text, from = string(data), t.file
	case t.variable != "":
		text, from = os.Getenv(t.variable), "the environment variable "+t.variable
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("there is no token in %s", from)
	}
	return text, nil
}
