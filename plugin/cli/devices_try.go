package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
)

// tryFlags say which device a profile is tried on.
type tryFlags struct {
	config configFlag
	device string
	at     map[config.Transport]*string // where a line leads
	baud   int
	parity string
	unit   uint8
	asJSON bool
}

func (a *app) tryCommand() *cobra.Command {
	flags := tryFlags{at: map[config.Transport]*string{}}
	command := &cobra.Command{
		Use:   "try PROFILE",
		Short: "Read a device as a profile of your own says, and show each point beside its raw words",
		Long: `Read every point of a profile from a device, and show its registers, its raw words, the value that
the profile makes of them, and what is wrong with it. PROFILE is the path of your own profile, or the
name of a family.

The device is one of the configuration (--device), or any other that you name by its line and unit id.
Nothing is written to it. If solarhub run has the line, it reads for this command.

--json prints an object: profile, traits, serial_number, unlike (why the device is not what the profile
says), and points, each with key, name, registers, raw, value, text, unit and odd.`,
		Example: `  solarhub devices try ./my_inverter.yaml --device Roof
  solarhub devices try ./my_inverter.yaml --serial /dev/ttyUSB0 --baud 9600 --unit 1
  solarhub devices try ./my_inverter.yaml --tcp 192.168.1.50`,
		Args:              needsOne("the profile"),
		ValidArgsFunction: completeProfiles,
		RunE: func(command *cobra.Command, args []string) error {
			return a.try(command.Context(), args[0], flags, command.Flags())
		},
	}
	f := command.Flags()
	flags.config.register(f)
	f.StringVar(&flags.device, "device", "", "name of the device in the configuration")
	for _, t := range config.Transports() {
		name := strings.ReplaceAll(t.String(), "_", "-")
		flags.at[t] = f.String(name, "", "or on a line of this kind, at "+t.Example())
	}
	f.IntVar(&flags.baud, "baud", 0, "baud of that line (default what the profile says)")
	f.StringVar(&flags.parity, "parity", "", "parity of that line: none, even or odd (default what the profile says)")
	f.Uint8Var(&flags.unit, "unit", 0, "unit id on that line (default what the profile says)")
	f.BoolVar(&flags.asJSON, "json", false, "print JSON")
	device := completeDevice(&flags.config)
	_ = command.RegisterFlagCompletionFunc("device", // fails only for a flag that is not there
		func(command *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return device(command, nil, begun)
		})
	return command
}

func (a *app) try(ctx context.Context, name string, flags tryFlags, set *pflag.FlagSet) error {
	p, err := profile.Open(name)
	if err != nil {
		a.findings(err)
		return errReported
	}
	cfg, device, err := a.tryOn(name, p, flags, set)
	if err != nil {
		return err
	}
	dump, err := a.readDump(ctx, cfg, device, nil)
	if err != nil {
		return err
	}
	points, err := dump.Points()
	if err != nil {
		return err
	}
	if flags.asJSON {
		return a.tryJSON(dump, points)
	}
	a.tried(dump, points)
	return nil
}

// tryOn returns a configuration whose device has the profile, and the name of that device.
func (a *app) tryOn(name string, p *profile.Profile, flags tryFlags, set *pflag.FlagSet) (config.Config, string,
	error) {
	for _, t := range config.Transports() {
		if *flags.at[t] != "" {
			cfg, err := tryLine(name, t, flags)
			return cfg, "", err
		}
	}
	for _, flag := range []string{"baud", "parity", "unit"} {
		if set.Changed(flag) {
			return config.Config{}, "", usagef("--%s needs a line: --tcp, --serial or another", flag)
		}
	}
	_, cfg, err := a.load(flags.config)
	if err != nil {
		return cfg, "", err
	}
	l, d, err := cfg.Device(flags.device)
	if err != nil {
		return cfg, "", err
	}
	l.Devices = []devices.Config{wearing(d, p)}
	cfg.Lines = []config.Line{l}
	return cfg, d.Name, nil
}

// wearing returns a device with another profile. What its line needs stays, and what must not be read of it.
func wearing(d devices.Config, p *profile.Profile) devices.Config {
	own := config.DefaultDevice(p)
	own.Name, own.Unit, own.ID = d.Name, d.Unit, cmp.Or(d.ID, "try")
	own.Line.Pace = d.Line.Pace
	own.Line.MaxRegisters = min(cmp.Or(own.Line.MaxRegisters, 125), cmp.Or(d.Line.MaxRegisters, 125))
	own.Line.Never = slices.Concat(own.Line.Never, d.Line.Never)
	return own
}

// tryLine returns the configuration of a device that is in none: the host in it is never asked.
func tryLine(name string, t config.Transport, flags tryFlags) (config.Config, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "host: {url: \"http://127.0.0.1\", token: no.to.ken}\nlines:\n- %s: %q\n", t, *flags.at[t])
	if flags.baud != 0 {
		fmt.Fprintf(&b, "  baud: %d\n", flags.baud)
	}
	if flags.parity != "" {
		fmt.Fprintf(&b, "  parity: %q\n", flags.parity)
	}
	fmt.Fprintf(&b, "  devices:\n  - profile: %q\n    id: the-device\n    name: \"the device\"\n", name)
	if flags.unit != 0 {
		fmt.Fprintf(&b, "    unit: %d\n", flags.unit)
	}
	cfg, err := config.Parse("the command line", []byte(b.String()))
	if err != nil {
		return cfg, usage(err)
	}
	return cfg, nil
}

// tried prints the points of a device, and how many of them are odd.
func (a *app) tried(dump doctor.Dump, points []doctor.Shown) {
	fmt.Fprintf(a.Out, "%s%s\n\n", dump.Profile.Name, orText(", ", dump.Profile.TraitsText(dump.Traits)))
	t := newTable(a.Out, "key", "name", "address", "raw", "value", "odd")
	narrow(t, "odd", 40)
	odd := 0
	for _, s := range points {
		odd += count(s.Odd != "")
		t.AppendRow(table.Row{s.Point.Key, dump.Profile.FullName(s.Point), addresses(s.Point), rawText(s.Raw),
			shownText(s), s.Odd})
	}
	t.Render()
	fmt.Fprintf(a.Out, "\n%s, %d odd", counted(len(points), "point"), odd)
	if dump.Unlike != nil {
		fmt.Fprintf(a.Out, "\nThe device is not what the profile says: %v", dump.Unlike)
	} else if !needsID(dump.Profile) {
		fmt.Fprintf(a.Out, "; it is what the profile says, with the serial number %s", dump.Who.Serial)
	}
	fmt.Fprintln(a.Out)
}

// shownText prints a value with its unit.
func shownText(s doctor.Shown) string {
	if s.Raw == nil || s.Point.Key == "" {
		return ""
	}
	text := s.Value.String()
	if s.Value.Known() && s.Point.Unit != "" {
		text += " " + s.Point.Unit
	}
	return text
}

// orText returns a text with something before it, or nothing.
func orText(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func (a *app) tryJSON(dump doctor.Dump, points []doctor.Shown) error {
	type point struct {
		Key       string   `json:"key"`
		Name      string   `json:"name"`
		Registers string   `json:"registers"`
		Raw       []uint16 `json:"raw"`
		Value     any      `json:"value"`
		Text      string   `json:"text"`
		Unit      string   `json:"unit,omitempty"`
		Odd       string   `json:"odd,omitempty"`
	}
	out := struct {
		Profile string  `json:"profile"`
		Traits  string  `json:"traits,omitempty"`
		Serial  string  `json:"serial_number,omitempty"`
		Unlike  string  `json:"unlike,omitempty"`
		Points  []point `json:"points"`
	}{Profile: dump.Profile.ID, Traits: dump.Profile.TraitsText(dump.Traits), Serial: dump.Who.Serial,
		Points: []point{}}
	if dump.Unlike != nil {
		out.Unlike = dump.Unlike.Error()
	}
	if needsID(dump.Profile) { // the one of the configuration
		out.Serial = ""
	}
	for _, s := range points {
		out.Points = append(out.Points, point{s.Point.Key, dump.Profile.FullName(s.Point), addresses(s.Point), s.Raw,
			s.Value.Any(), s.Value.String(), s.Point.Unit, s.Odd})
	}
	return a.printJSON(out)
}
