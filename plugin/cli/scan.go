package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"solarhub/devices/profile/strict"
	"solarhub/devices/scan"
	"solarhub/plugin/config"
	"solarhub/plugin/control"
	"solarhub/plugin/search"
)

// scanFlags say where it is searched, and what becomes of what is found.
type scanFlags struct {
	config configFlag
	units  string
	bauds  []int
	parity string
	write  bool
	json   bool
}

func (a *app) scanCommand() *cobra.Command {
	var flags scanFlags
	command := &cobra.Command{
		Use:   "scan [PORT | HOST | HOST:PORT | NETWORK]...",
		Short: "Find devices on serial ports and in networks, and say what they are",
		Long: `Find out which devices answer, at which setting and unit id, and of which family they are. It
prints the block of the configuration that they need; with --write it goes into the file.

Without a place it searches all serial ports of this machine and asks the networks that it is in
for Wi-Fi sticks. A serial port is searched in the order that is most likely to succeed: at 9600
baud with the unit ids that devices are delivered with first. That takes half a minute where
somebody answers at once, and some minutes where nobody does. Of a host or a network it asks the
ports at which inverters, gateways and sticks are known to answer.

A scan only reads, and nothing that any device family forbids. Stop other programs that use the
port: two at a time spoil each other's answers.

--json prints an object with "devices" and "notes". A device has transport, address, baud and parity
(serial ports only), unit, and fits: the families that take it for their own, the likeliest first,
each with profile, name, serial_number, model, traits, score (0 to 100: how unlikely it is to find
all this by chance) and reasons. A note has place and text.`,
		Example: `  solarhub scan                                  all serial ports, and sticks by broadcast
  solarhub scan /dev/ttyUSB0                     one serial port
  solarhub scan /dev/ttyUSB0 --units 1-247 --baud 9600
  solarhub scan 192.168.1.50                     one host
  solarhub scan 192.168.1.0/24 --write           a network, and what is found into the configuration`,
		RunE: func(command *cobra.Command, args []string) error {
			o, err := flags.options(args)
			if err != nil {
				return usage(err)
			}
			return a.scan(command.Context(), o, flags)
		},
	}
	flags.config.register(command.Flags())
	f := command.Flags()
	f.StringVar(&flags.units, "units", "", "ask these unit ids only, such as 1-10,247 (default the likely ones)")
	f.IntSliceVar(&flags.bauds, "baud", nil, "try these rates only, such as 9600,19200 (default all that are usual)")
	f.StringVar(&flags.parity, "parity", "", "try this parity only: none, even or odd (default all that are usual)")
	f.BoolVar(&flags.write, "write", false, "write what is found into the configuration")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	return command
}

// scan searches, prints what it found and writes it down.
func (a *app) scan(ctx context.Context, o search.Options, flags scanFlags) error {
	o.Running = linesOfRunning(ctx, flags.config)
	found, err := a.searched(ctx, o)
	if err != nil {
		return err
	}
	if flags.json {
		err = a.scanJSON(found)
	} else {
		a.scanned(found, ctx.Err() != nil)
		err = a.additions(found, flags)
	}
	if err == nil && len(found.Findings) == 0 {
		return errReported
	}
	return err
}

// linesOfRunning returns what finds the lines of the SolarHub that runs with a configuration; nil if none does.
func linesOfRunning(ctx context.Context, flag configFlag) func(endpoint string) (config.Line, scan.Do, bool) {
	path, err := flag.find()
	if err != nil {
		return nil
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil // one that is wrong runs nowhere
	}
	program, err := control.Dial(ctx, cfg.Data)
	if err != nil {
		return nil
	}
	return func(endpoint string) (config.Line, scan.Do, bool) {
		for _, l := range cfg.Lines {
			if l.Endpoint() == endpoint {
				return l, program.Line(endpoint).Do, true
			}
		}
		return config.Line{}, nil, false
	}
}

// searched searches and shows a person how far it is. What was found until ctx ends is no error.
func (a *app) searched(ctx context.Context, o search.Options) (found search.Report, err error) {
	if o.Log, err = a.debugLogger(); err != nil {
		return found, err
	}
	var notes []search.Note
	if len(o.Places) == 0 {
		o.Places, notes = search.Everywhere(ctx)
	}
	var names []string
	for _, p := range o.Places {
		names = append(names, p.String())
	}
	show := showProgress(a.Err, "Searching. Ctrl-C ends it early and prints what was found.", names)
	o.Tell = func(now search.Progress) { show.tell(now.Place, now.What, now.Done, now.Over) }
	defer show.end()
	if found, err = search.Run(ctx, o); ctx.Err() != nil {
		err = nil
	}
	found.Notes = append(notes, found.Notes...)
	return found, err
}

// additions prints the block of the configuration, or writes it.
func (a *app) additions(found search.Report, flags scanFlags) error {
	all := found.Additions()
	if len(all) == 0 {
		return nil
	}
	if flags.write {
		path, skipped, err := writeAdditions(flags.config, all)
		if err == nil {
			a.written(path, all, skipped)
			return nil
		}
		fmt.Fprintf(a.Err, "Nothing was written: %v\n", err)
	}
	block, err := config.Block(all)
	if err != nil {
		return err
	}
	heading := "Paste this into the configuration, or let --write write it:"
	if flags.write {
		heading = "This is what belongs there:"
	}
	fmt.Fprintf(a.Out, "\n%s\n\n%s", heading, block)
	if flags.write {
		return errReported
	}
	return nil
}

func (a *app) written(path string, all, skipped []config.Addition) {
	switch n := len(all) - len(skipped); n {
	case 0:
		fmt.Fprintf(a.Out, "\n%s has them already.\n", path)
	default:
		fmt.Fprintf(a.Out, "\nWritten into %s: %s. See what will happen with: solarhub check\n", path,
			counted(n, "device"))
	}
}

// writeAdditions writes devices into the configuration that a flag names. One that does not exist is made.
func writeAdditions(flag configFlag, all []config.Addition) (path string, skipped []config.Addition, err error) {
	if path, err = flag.find(); err != nil {
		path = configPlaces[0]
	}
	data, err := readOrNothing(path)
	if err != nil {
		return path, nil, err
	}
	text, skipped, err := config.Add(path, data, all)
	if err != nil {
		return path, nil, err
	}
	return path, skipped, writeConfig(path, data, text)
}

// readOrNothing returns what a file holds; nil if there is none.
func readOrNothing(path string) ([]byte, error) {
	data, err := strict.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// writeConfig writes a configuration, whose text was nil if there was none.
func writeConfig(path string, before, text []byte) error {
	if before == nil {
		return config.Create(path, text)
	}
	return config.Save(path, text)
}

// options reads the command line.
func (f scanFlags) options(args []string) (o search.Options, err error) {
	for _, text := range args {
		p, err := search.ParsePlace(text)
		if err != nil {
			return o, err
		}
		if !slices.Contains(o.Places, p) {
			o.Places = append(o.Places, p)
		}
	}
	if o.Units, err = search.ParseUnits(f.units); err != nil {
		return o, fmt.Errorf("--units: %w", err)
	}
	if o.Serials, err = search.Settings(f.bauds, strings.ToLower(f.parity)); err != nil {
		return o, err
	}
	return o, nil
}
