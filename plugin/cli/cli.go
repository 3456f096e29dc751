// Package cli is the commands of solarhub, one file for each.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"solarhub/plugin/config"
	"solarhub/plugin/control"
)

// Environment is what a command has of the world beside its arguments.
type Environment struct {
	Manifest []byte    // manifest.json of the integration
	In       io.Reader // answers of a person
	Out      io.Writer // results
	Err      io.Writer // logs, progress and errors
}

// manifest is what the commands need of manifest.json.
type manifest struct {
	Domain  string `json:"domain"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

// app is one run of the program.
type app struct {
	Environment
	manifest manifest
	logging  logging
}

// Run carries out one command line, without the program's name, and returns the exit code of the process. A command
// that serves (run, simulate) ends in order when ctx ends, with ExitOK.
func Run(ctx context.Context, env Environment, args []string) int {
	a := &app{Environment: env}
	if err := json.Unmarshal(env.Manifest, &a.manifest); err != nil {
		fmt.Fprintf(env.Err, "solarhub: manifest.json: %v\n", err)
		return ExitFailed
	}
	root := a.root()
	root.SetArgs(negative(args))
	command, err := root.ExecuteContextC(ctx)
	return a.report(command, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "solarhub",
		Short: "Inverters, batteries and meters on Modbus as native entities of Home Assistant",
		Long: `SolarHub reads solar inverters, batteries and meters over Modbus (RS485 or network) and shows each
register as a native entity of Home Assistant. When you set a value there, SolarHub writes it to the
device and reads it back before the action returns.

It ends with 0 if all went well, with 1 if something did not work or a check found something, and with
2 if the command line is wrong and nothing was done. Commands that ask a device have more to say: see
their help.`,
		Example: `  solarhub demo                      see it without any hardware and without Home Assistant
  solarhub init                      set everything up, step by step
  solarhub check                     is the configuration right, and how fast will it be?
  solarhub run                       serve until Ctrl-C
  solarhub devices powdrive          what a device family offers`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	a.logging.register(root.PersistentFlags())
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.logging.check() }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	addGroups(root, []group{
		{"Set up", []*cobra.Command{a.initCommand(), a.loginCommand(), a.installCommand(), a.scanCommand(),
			a.checkCommand()}},
		{"Serve", []*cobra.Command{a.runCommand(), a.reloadCommand()}},
		{"Look and change", []*cobra.Command{a.readCommand(), a.watchCommand(), a.writeCommand(), a.ledgerCommand(),
			a.dumpCommand(), a.forgetCommand(), a.replaceCommand()}},
		{"Device families, and trying out", []*cobra.Command{a.devicesCommand(), a.demoCommand(), a.simulateCommand()}},
	})
	root.AddCommand(a.versionCommand())
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.InitDefaultCompletionCmd()
	fitHelp(root, a.Out)
	return root
}

// loadWithLog returns what load does, and the log.
func (a *app) loadWithLog(flag configFlag) (path string, cfg config.Config, log zerolog.Logger, err error) {
	if path, cfg, err = a.load(flag); err == nil {
		log, err = a.logger()
	}
	return path, cfg, log, err
}

// logger returns the log that the flags ask for.
func (a *app) logger() (zerolog.Logger, error) { return a.logging.open(a.Err) }

// debugLogger returns the log for commands whose output says it all: it is silent unless debugging is asked for.
func (a *app) debugLogger() (zerolog.Logger, error) {
	log, err := a.logger()
	if err == nil && log.GetLevel() > zerolog.DebugLevel {
		log = zerolog.Nop()
	}
	return log, err
}

// usageError is a mistake in the command line.
type usageError struct{ err error }

func usage(err error) error { return &usageError{err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// errReported is a failure that the command has printed already.
var errReported = errors.New("already reported")

// report prints why a command failed, and after a mistake on the command line where to read more.
func (a *app) report(command *cobra.Command, err error) int {
	wrong := (*usageError)(nil)
	reported := (*reportedError)(nil)
	failure := (*control.Error)(nil)
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errReported):
		return ExitFailed
	case errors.As(err, &reported):
		return reported.code
	// the root itself fails only over a command it does not know
	case errors.As(err, &wrong) || command.Parent() == nil:
		fmt.Fprintf(a.Err, "solarhub: %v\nSee: %s --help\n", err, command.CommandPath())
		return ExitUsage
	}
	fmt.Fprintf(a.Err, "solarhub: %v\n", err)
	if errors.As(err, &failure) {
		return exitOf(failure)
	}
	return ExitFailed
}

// noArguments and oneArgument are the checks of cobra with an error that says what to do.
func noArguments(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, but there is %q", command.Name(), args[0])
	}
	return nil
}

func oneArgument(command *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s takes one argument, but there is %q after %q", command.Name(), args[1], args[0])
	}
	return nil
}

// needsOne, needsTwo and needsSome are the checks of cobra for arguments that must be there.
func needsOne(what string) cobra.PositionalArgs { return needs(1, 1, what) }

func needsTwo(what string) cobra.PositionalArgs { return needs(2, 2, what) }

func needsSome(what string) cobra.PositionalArgs { return needs(1, -1, what) }

func needs(least, most int, what string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s needs %s: %s", command.Name(), what, command.UseLine())
		case most >= 0 && len(args) > most:
			return usagef("%s takes %s only, but there is %q too", command.Name(), what, args[most])
		}
		return nil
	}
}
