// Command draft makes profiles from the register facts, and says where a profile and the facts differ.
//
//	go run ./devices/profile/facts/draft draft FAMILY
//
// README.md in the folder above describes the subcommands.
package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// command is one subcommand: it writes to out what it found.
type command struct {
	arguments string
	run       func(out io.Writer, args []string) error
}

func commands() map[string]command {
	return map[string]command{
		"draft":   {"FAMILY", draft},
		"diff":    {"PROFILE or FILE", diff},
		"express": {"FOLDER", express},
		"golden":  {"[PROFILE or FILE...]", golden},
		"sunspec": {"> devices/profile/maps/sunspec.yaml", sunspec},
	}
}

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	if len(args) == 0 {
		return usage()
	}
	c, ok := commands()[args[0]]
	if !ok {
		return usage()
	}
	return c.run(out, args[1:])
}

func usage() error {
	text := "usage: draft SUBCOMMAND, where the subcommand is one of"
	all := commands()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text += "\n  " + name + " " + all[name].arguments
	}
	return fmt.Errorf("%s", text)
}
