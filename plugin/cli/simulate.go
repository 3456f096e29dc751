package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"solarhub/devices/profile/strict"
	"solarhub/plugin/demo"
	"solarhub/protocol/sim"
)

// defaultTCP is where a device answers if no place is named. The standard's port 502 is open to root only.
const defaultTCP = "127.0.0.1:5020"

// simulateFlags are those of simulate: a line with one device on it, or a file with a scenario.
type simulateFlags struct {
	scenario string
	journal  string
	seed     uint64
	busy     string
	traits   []string
	line     demo.LineConfig
	places   map[demo.Transport]*string
	device   demo.DeviceConfig
}

func (a *app) simulateCommand() *cobra.Command {
	var flags simulateFlags
	command := &cobra.Command{
		Use:   "simulate [DEVICE]",
		Short: "Stand in for real devices, to try SolarHub without hardware",
		Long: `Simulate a device until Ctrl-C: you can read and write its registers as those of a real one, and it
prints each write. DEVICE is the name of a device family (see: solarhub devices) or the path of a
profile of your own.

With --pty and --tcp the device answers at both: what SolarHub writes over one, any tool can read over the other.

With --from the device holds the registers that were read from a real one, and no others, so that what happened there
happens here. The file is what solarhub dump writes: a line for each register, such as "holding,588,51".

--fault takes faults with commas between them, each NAME=SHARE or NAME=SHARE:ARGUMENT. SHARE is the part of all
requests that it happens to:

` + faultHelp() + `

The journal has a line of JSON for each write, with the time at which the last byte of the request arrived and with
what the device holds since.

--scenario simulates several lines with several devices. The file is YAML, with the same words as the flags:

  lines:
    - tcp: 127.0.0.1:5020
      busy: loses
      devices:
        - {profile: powdrive, dumps: [roof.csv]}
        - {profile: powdrive, unit: 2, set: {battery_soc: 72}, fault: late=1%:1.2s}`,
		Example: `  solarhub simulate powdrive                    Modbus TCP at ` + defaultTCP + `
  solarhub simulate powdrive --pty /tmp/powdrive --baud 9600 --turnaround 20ms
  solarhub simulate powdrive --fault late=1%:1.2s,exception=2%:6 --journal -
  solarhub simulate powdrive --from roof.csv
  solarhub simulate --scenario house.yaml`,
		Args:              oneArgument,
		ValidArgsFunction: completeProfiles,
		RunE: func(command *cobra.Command, args []string) error {
			s, err := flags.read(command.Flags(), args)
			if err != nil {
				return usage(err)
			}
			return a.simulate(command.Context(), s, flags.journal)
		},
	}
	flags.register(command.Flags())
	completeSettings(command, "set")
	return command
}

func (f *simulateFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.scenario, "scenario", "", "simulate the lines and devices that this YAML file describes")
	set.StringVar(&f.journal, "journal", "",
		"append a line of JSON for each write to this file; - is the standard output")
	set.Uint64Var(&f.seed, "seed", 1, "what faults are drawn from: the same seed and requests give the same faults")
	l := &f.line
	f.places = map[demo.Transport]*string{}
	for _, w := range demo.Ways() {
		help := w.Help
		if w.Transport == demo.OnTCP {
			help += " (the default is " + defaultTCP + " if no place is named)"
		}
		f.places[w.Transport] = set.String(strings.ReplaceAll(string(w.Transport), "_", "-"), "", help)
	}
	set.IntVar(&l.Baud, "baud", 0, "pace of the line; 0 is the device's own on a pty and no pace on a network")
	set.DurationVar(&l.MinGap, "min-gap", 0, "a request that comes sooner than this after a reply is not heard")
	set.DurationVar(&l.Deaf, "deaf", 0, "a request that comes sooner than this after a connection opened is not heard")
	set.DurationVar(&l.Waking, "waking", 0, "the first reply on a connection comes this much later")
	set.BoolVar(&l.Echo, "echo", false, "each request comes back first, as from an adapter that hears itself")
	set.StringVar(&f.busy, "busy", demo.BusyWords[0],
		"what happens to a request that comes while another one is answered: queues or loses")
	d := &f.device
	set.Uint8Var(&d.UnitID, "unit", 0, "unit id; 0 is the one the device is delivered with")
	set.DurationVar(&d.Turnaround, "turnaround", -1,
		"time from a request to its reply; what is typical of the device if it is not given")
	set.Lookup("turnaround").DefValue = "0s" // keeps -1ns out of the help
	set.StringArrayVar(&f.traits, "trait", nil,
		"what tells it from others of its family, such as kind=lv; repeat it for more")
	set.StringVar(&d.SerialNumber, "serial-number", "", "serial number; SIM and a number if none is given")
	set.StringArrayVar(&d.Set, "set", nil,
		"what it holds at first, such as battery_soc=72; repeat it for more. solarhub devices lists the keys")
	set.Uint16Var(&d.MaxRegisters, "max-registers", 0,
		"longer reads are refused with exception 3; 0 is what the standard allows")
	set.BoolVar(&d.Silent, "silent", false,
		"longer reads, and registers that do not exist, get no answer instead of a refusal")
	set.StringVar(&d.Faults, "fault", "",
		"what goes wrong how often, such as late=1%:1.2s,exception=2%:6; the table above lists all faults")
	set.StringArrayVar(&d.Dumps, "from", nil,
		"hold the registers of this dump and no others; repeat it for more")
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "dump" { // as it was called once
			name = "from"
		}
		return pflag.NormalizedName(name)
	})
}

// general are the flags that do not describe the one device.
var general = []string{"scenario", "journal", "seed", "log-level", "log-format"}

// read returns the scenario that the flags ask for.
func (f *simulateFlags) read(set *pflag.FlagSet, args []string) (demo.Scenario, error) {
	switch {
	case f.scenario != "":
		return f.readScenario(set, args)
	case len(args) == 0:
		return demo.Scenario{}, errors.New("which device? For example: solarhub simulate powdrive; solarhub devices " +
			"lists them all")
	}
	busy := slices.Index(demo.BusyWords, f.busy)
	if busy < 0 {
		return demo.Scenario{}, fmt.Errorf("--busy %s: it is none of %s", f.busy, strings.Join(demo.BusyWords, ", "))
	}
	l := f.line
	l.Busy = sim.Busy(busy)
	l.Places = demo.Places{}
	for transport, address := range f.places {
		if *address != "" {
			l.Places[transport] = *address
		}
	}
	if len(l.Places) == 0 {
		l.Places[demo.OnTCP] = defaultTCP
	}
	f.device.Profile, f.device.Traits = args[0], traitsText(f.traits)
	l.Devices = []demo.DeviceConfig{f.device}
	return demo.Scenario{Seed: f.seed, Lines: []demo.LineConfig{l}}, nil
}

// readScenario reads the file; the seed may be given beside it.
func (f *simulateFlags) readScenario(set *pflag.FlagSet, args []string) (demo.Scenario, error) {
	if len(args) > 0 {
		return demo.Scenario{}, fmt.Errorf("--scenario describes the devices: %q must not be there", args[0])
	}
	var beside error
	set.Visit(func(flag *pflag.Flag) {
		if !slices.Contains(general, flag.Name) {
			beside = errors.Join(beside, fmt.Errorf("--%s belongs to a device on the command line, not to --scenario",
				flag.Name))
		}
	})
	if beside != nil {
		return demo.Scenario{}, beside
	}
	data, err := strict.ReadFile(f.scenario)
	if err != nil {
		return demo.Scenario{}, fmt.Errorf("--scenario: %w", err)
	}
	s, err := demo.ParseScenario(f.scenario, data)
	if set.Changed("seed") {
		s.Seed = f.seed
	}
	return s, err
}

func (a *app) simulate(ctx context.Context, s demo.Scenario, journal string) error {
	lines, err := demo.NewLines(s)
	if err != nil {
		return usage(err)
	}
	people, report, err := a.openReport(journal)
	if err != nil {
		return err
	}
	err = demo.Open(ctx, lines)
	if err == nil {
		introduce(people, lines, s.Seed)
		err = demo.Serve(ctx, lines, report)
	}
	return errors.Join(err, report.Close())
}

// introduce prints what is simulated and how to reach it.
func introduce(w io.Writer, lines []*demo.Line, seed uint64) {
	t := newTable(w, "device", "traits", "serial number", "unit", "where", "faults")
	faulty := false
	for _, l := range lines {
		for _, d := range l.Devices {
			t.AppendRow(table.Row{d.Profile.Name, d.Profile.TraitsText(d.Traits), d.SerialNumber, d.Unit.ID(),
				l.String(), d.Config.Faults})
			faulty = faulty || d.Config.Faults != ""
		}
	}
	t.Render()
	if faulty {
		fmt.Fprintf(w, "The faults are drawn with --seed %d.\n", seed)
	}
	fmt.Fprintln(w, "Press Ctrl-C to end it. It prints writes as they come:")
}

// openReport returns where people read, and the report of writes to them and to the journal if one is wanted. A journal
// on the standard output leaves that to programs: people read the standard error then.
func (a *app) openReport(journal string) (people io.Writer, report *demo.Report, err error) {
	switch journal {
	case "":
		return a.Out, demo.NewReport(a.Out, nil), nil
	case "-":
		return a.Err, demo.NewReport(a.Err, nopCloser{a.Out}), nil
	}
	f, err := os.OpenFile(journal, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("open the journal: %w", err)
	}
	return a.Out, demo.NewReport(a.Out, f), nil
}

// nopCloser is a writer that stays open.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
