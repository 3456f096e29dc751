package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) simulateCommand() *cobra.Command {
	flags := &simulateFlags{seed: 1}
	command := &cobra.Command{
		Use:   "simulate DEVICE [flags of this device] [DEVICE [flags] ...]",
		Short: "Stand in for real devices, to try SolarHub without hardware",
		Long: `Simulate devices until Ctrl-C: their registers can be read and written as those of real ones, and each write
is printed. DEVICE is the name of a device family (see: solarhub devices) or the path of a profile of your own.
The flags behind a name belong to that device.

Devices at the same place are on one line and need different unit ids. A device with several places, as
with --pty and --tcp, answers at each of them: what SolarHub writes over one can be read by any tool over the other.

A device can also be one of a person's: --dump has it hold the registers that were read from a real one, and no others, so
that what happened there happens here. The file has a line for each register, as "holding,588,51", and is what solarhub dump writes.

--fault takes faults with commas between, each NAME=SHARE or NAME=SHARE:ARGUMENT, where the share is a part of all requests:

` + faultHelp() + `

A journal has one line of JSON for each write, with the time at which the last byte of the request had passed
and with what the device holds since.`,
		Example: `  solarhub simulate powdrive                    Modbus TCP at ` + defaultTCP + `
  solarhub simulate powdrive --pty /tmp/powdrive --baud 9600 --turnaround 20ms senergy --tcp 127.0.0.1:5020
  solarhub simulate powdrive --pty /tmp/bus powdrive --pty /tmp/bus --unit 2      two on one line
  solarhub simulate powdrive --fault late=1%:1.2s,exception=2%:6 --journal -
  solarhub simulate powdrive --dump roof.csv --tcp 127.0.0.1:5020 powdrive --unit 2 --dump barn.csv --tcp 127.0.0.1:5020
  solarhub simulate powdrive --pty /tmp/bus --busy loses --min-gap 50ms --fault reply-lost=1%`,
		DisableFlagParsing: true, // parseSimulate does it: flags belong to the device before them
		RunE: func(command *cobra.Command, args []string) error {
			devices, err := parseSimulate(args, func(set *pflag.FlagSet) {
				flags.register(set)
				set.AddFlagSet(command.Root().PersistentFlags())
			})
			if errors.Is(err, pflag.ErrHelp) {
				return command.Help()
			}
			if err == nil {
				err = a.logging.check()
			}
			if err != nil {
				return err
			}
			return a.simulate(command.Context(), devices, *flags)
		},
	}
	flags.register(command.Flags()) // for --help only
	new(simulated).register(command.Flags())
	return command
}

func (a *app) simulate(ctx context.Context, devices []*simulated, flags simulateFlags) error {
	lines, err := wire(devices, flags.seed)
	if err != nil {
		return usage(err)
	}
	report, err := a.openReport(flags.journal)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err = openAll(ctx, lines)
	if err == nil {
		a.introduce(report.people, lines, flags.seed)
		err = serveAll(ctx, cancel, lines, report)
	}
	return errors.Join(err, report.close())
}

// openAll takes the places of all lines; if one is not to be had, those before it are given back.
func openAll(ctx context.Context, lines []*simLine) error {
	for i, l := range lines {
		if err := l.open(ctx); err != nil {
			ended, end := context.WithCancel(ctx)
			end()
			for _, opened := range lines[:i] {
				_ = opened.serve(ended) // ends at once and closes the place
			}
			return fmt.Errorf("open %s: %w", l, err)
		}
	}
	return nil
}

// serveAll serves until ctx ends or one line fails, and returns when nothing runs any more.
func serveAll(ctx context.Context, cancel context.CancelFunc, lines []*simLine, report *report) error {
	failed := make([]error, len(lines))
	var serving, printing sync.WaitGroup
	for i, l := range lines {
		writes, stop := l.line.Journal().Writes(4096)
		printing.Go(func() { report.follow(l, writes) })
		serving.Go(func() {
			defer cancel()
			defer stop()
			if err := l.serve(ctx); err != nil {
				failed[i] = fmt.Errorf("serve %s: %w", l, err)
			}
		})
	}
	serving.Wait()
	printing.Wait()
	return errors.Join(failed...)
}

// introduce prints what is simulated and how to reach it.
func (a *app) introduce(w io.Writer, lines []*simLine, seed uint64) {
	t := newTable(w, "device", "variant", "serial number", "unit", "where", "faults")
	faulty := false
	for _, l := range lines {
		for _, u := range l.units {
			t.AppendRow(table.Row{u.profile.Name, u.variant, u.serial, u.memory.ID(), l.String(), u.args.fault})
			faulty = faulty || u.args.fault != ""
		}
	}
	t.Render()
	if faulty {
		fmt.Fprintf(w, "The faults are drawn with --seed %d.\n", seed)
	}
	fmt.Fprintln(w, "Ctrl-C ends it. Writes are printed as they come:")
}

// openReport returns the report for people on the standard output, and the journal if one is wanted. Where that takes the
// standard output, people read the standard error.
func (a *app) openReport(journal string) (*report, error) {
	switch journal {
	case "":
		return newReport(a.Out, nil), nil
	case "-":
		return newReport(a.Err, nopCloser{a.Out}), nil
	}
	f, err := os.OpenFile(journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return newReport(a.Out, f), nil
}

// nopCloser is a writer that stays open.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
