package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// devicesFlags choose points.
type devicesFlags struct {
	traits             []string
	writable, switched bool
}

func (a *app) devicesCommand() *cobra.Command {
	var flags devicesFlags
	command := &cobra.Command{
		Use:   "devices [PROFILE]",
		Short: "List the device families, or the points of one",
		Long: `List the device families that SolarHub knows. With the name of a family, list its points: address,
type, unit, limits, and whether Home Assistant shows the point at first. With the path of a profile
of your own, check it and list its points.`,
		Example: `  solarhub devices
  solarhub devices powdrive --writable
  solarhub devices ./my_inverter.yaml
  solarhub devices coverage
  solarhub devices page > DEVICES.md`,
		Args: oneArgument,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listProfiles()
			}
			return a.listPoints(args[0], flags)
		},
	}
	flags.register(command.Flags())
	command.ValidArgsFunction = completeProfiles
	command.AddCommand(a.devicesListCommand(), a.devicesShowCommand(), a.lintCommand(), a.tryCommand(),
		a.coverageCommand(), a.pageCommand())
	return command
}

func (f *devicesFlags) register(set *pflag.FlagSet) {
	set.StringArrayVar(&f.traits, "trait", nil,
		"list the points of a device with this trait, such as kind=lv; repeat it for more")
	set.BoolVar(&f.writable, "writable", false, "list only points that can be written")
	set.BoolVar(&f.switched, "enabled", false, "list only points that are on at first")
}

func (a *app) devicesListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the device families",
		Long:  "List the device families that SolarHub knows, as solarhub devices without an argument does.",
		Args:  noArguments,
		RunE:  func(*cobra.Command, []string) error { return a.listProfiles() },
	}
}

func (a *app) devicesShowCommand() *cobra.Command {
	var flags devicesFlags
	command := &cobra.Command{
		Use:   "show PROFILE",
		Short: "List the points of one family, or of a profile of your own",
		Long: `List the points of a device family, as solarhub devices PROFILE does: address, type, unit, limits, and
whether Home Assistant shows the point at first.`,
		Example: `  solarhub devices show powdrive --writable
  solarhub devices show ./my_inverter.yaml`,
		Args:              needsOne("the profile"),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.listPoints(args[0], flags) },
	}
	flags.register(command.Flags())
	return command
}

// listProfiles lists the families, and what they lack. Point counts are those of a typical device of each.
func (a *app) listProfiles() error {
	profiles, err := profile.Embedded()
	if err != nil {
		return err
	}
	t := newTable(a.Out, "profile", "device", "models", "points", "settable", "on at first", "confirmed", "captures")
	t.SetColumnConfigs(append(rightAligned("points", "settable", "on at first", "confirmed", "captures"),
		narrowed("device", 40), narrowed("models", 48)))
	lacks := newTable(a.Out, "profile", "what it lacks")
	narrow(lacks, "what it lacks", 100)
	for _, p := range profiles {
		points, err := p.Resolve(p.Cases()[0])
		if err != nil {
			return err
		}
		settable, on := 0, 0
		for _, point := range points {
			settable += count(point.Write != nil)
			on += count(point.Entity.Enabled)
		}
		c := coverageOf(p).Points
		t.AppendRow(table.Row{p.ID, called(p), strings.Join(p.Models, ", "), len(points), settable, on,
			share(c.Paper+c.Two, c.All), orNothing(len(p.Captures))})
		if len(p.Lacks) > 0 {
			lacks.AppendRow(table.Row{p.ID, strings.Join(p.Lacks, " ")})
		}
	}
	t.Render()
	fmt.Fprintln(a.Out, "\n"+listedMeans)
	if lacks.Length() > 0 {
		fmt.Fprintln(a.Out)
		lacks.Render()
	}
	_, err = fmt.Fprintf(a.Out, "\nMore of one: solarhub devices %s\n", profiles[0].ID)
	return err
}

const listedMeans = `Points, settable and on at first are those of a typical device. Confirmed: on the maker's
paper, or by two sources that agree; the others are off and read only. Captures: real devices whose registers a test
decodes. A test plays every family in each of its forms, polls it, and writes all that can be written.`

// called returns the name of a family with its maker, unless it begins as the maker's: Victron, of Victron Energy.
func called(p *profile.Profile) string {
	first, _, _ := strings.Cut(p.Manufacturer, " ")
	if strings.HasPrefix(strings.ToLower(p.Name), strings.ToLower(first)) {
		return p.Name
	}
	return p.Name + ", by " + p.Manufacturer
}

// share returns a part of all in percent, rounded down.
func share(part, all int) string { return fmt.Sprintf("%d %%", 100*part/max(all, 1)) }

// orNothing returns a number, or nothing for 0.
func orNothing(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// traitsOf lists the traits of a family, each with what it can be.
func traitsOf(p *profile.Profile) (all []string) {
	for _, t := range p.Traits {
		if t.From != profile.FromChain {
			all = append(all, t.Name+" "+t.Domain())
		}
	}
	return all
}

// traitsText returns NAME=WORD of each flag --trait as profile.NamedTraits reads them.
func traitsText(flags []string) string {
	return strings.ReplaceAll(strings.Join(flags, ", "), "=", " ")
}

// whoTells says which traits a device tells by itself.
func whoTells(p *profile.Profile) string {
	var owner []string
	for _, t := range p.Traits {
		if t.From == profile.FromOwner {
			owner = append(owner, t.Name)
		}
	}
	switch len(owner) {
	case 0:
		return "the device tells them"
	case len(p.Traits):
		return "you choose, in Home Assistant or under traits: in the configuration"
	}
	return "the device tells them, but for what you choose: " + strings.Join(owner, ", ")
}

// needsID reports whether the devices of a family have nothing by which SolarHub knows them again.
func needsID(p *profile.Profile) bool { return len(p.Identify.Serials) == 0 }

const noSerialNumber = "it tells no serial number, so its entry in the configuration needs an id, such as id: roof"

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (a *app) listPoints(name string, flags devicesFlags) error {
	p, err := profile.Open(name)
	if err != nil {
		return err
	}
	traits, err := p.NamedTraits(traitsText(flags.traits))
	if err != nil {
		return usage(err)
	}
	points, err := p.Resolve(traits)
	if err != nil {
		return usage(err)
	}
	fmt.Fprintln(a.Out, called(p))
	for _, l := range []struct{ what, text string }{{"models", strings.Join(p.Models, ", ")},
		{"captures", strings.Join(p.Captures, ", ")}, {"lacks", strings.Join(p.Lacks, " ")}} {
		if l.text != "" {
			fmt.Fprintf(a.Out, "%s: %s\n", l.what, l.text)
		}
	}
	if text := p.TraitsText(traits); text != "" {
		fmt.Fprintf(a.Out, "traits: %s (of %s); %s\n", text, strings.Join(traitsOf(p), ", "), whoTells(p))
	}
	if needsID(p) {
		fmt.Fprintln(a.Out, "id: "+noSerialNumber)
	}
	fmt.Fprintln(a.Out)
	t := newTable(a.Out, "key", "name", "address", "type", "unit", "platform", "limits", "on")
	narrow(t, "limits", 48)
	for _, point := range points {
		if flags.writable && point.Write == nil || flags.switched && !point.Entity.Enabled {
			continue
		}
		t.AppendRow(table.Row{point.Key, p.FullName(point), addresses(point), typeText(point.Spec), point.Unit,
			point.Entity.Platform,
			limits(point), onText(point)})
	}
	t.Render()
	a.listGroups(points)
	return nil
}

// listGroups names the settings that leave together, for the action write_group.
func (a *app) listGroups(points []profile.Point) {
	groups := profile.WriteGroups(points)
	if len(groups) == 0 {
		return
	}
	t := newTable(a.Out, "group", "name", "address", "settings")
	for _, key := range groups {
		i := slices.IndexFunc(points, func(p profile.Point) bool {
			return p.Write != nil && p.Write.Group != nil && p.Write.Group.Key == key
		})
		g := points[i].Write.Group
		t.AppendRow(table.Row{g.Key, g.Name, fmt.Sprintf("%d+%d", g.Range.Addr, g.Range.Count),
			strings.Join(g.Members, ", ")})
	}
	fmt.Fprintln(a.Out, "\nWritten together:")
	t.Render()
}

// addresses names the registers of a point; "holding" is left out because nearly all are.
func addresses(point profile.Point) string {
	var texts []string
	for _, r := range point.Ranges {
		text := strconv.Itoa(int(r.Addr))
		if r.Count > 1 {
			text += "+" + strconv.Itoa(int(r.Count))
		}
		if r.Table != protocol.HoldingRegister {
			text = r.Table.String() + " " + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

var formNames = map[codec.Form]string{codec.OptionForm: " options", codec.BoolForm: " on/off",
	codec.TimePacked:  " time, hex",
	codec.TimeDecimal: " time, decimal", codec.BitsForm: " bits"}

func typeText(s codec.Spec) string {
	text := s.Type.String() + formNames[s.Form]
	if s.Mask != 0 {
		text += fmt.Sprintf(" & 0x%04X", s.Mask)
	}
	if s.Scale != 0 && s.Scale != 1 {
		text += " x " + decimal(s.Scale)
	}
	if s.Offset != 0 {
		text += fmt.Sprintf(" %+g", s.Offset)
	}
	return text
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// limits says what may be set: a range, the options, or nothing for what is read only.
func limits(point profile.Point) string {
	w := point.Write
	switch {
	case w == nil:
		return ""
	case len(point.Spec.Options) > 0:
		return strings.Join(point.Spec.WritableOptions(), " | ")
	case point.Spec.IsMoment():
		return "the time of now, by a button"
	case point.Entity.Platform == "number":
		return fmt.Sprintf("%s to %s, step %s", decimal(w.Min), decimal(w.Max), decimal(w.Step))
	}
	return point.Spec.Expected()
}

func onText(point profile.Point) string {
	switch {
	case point.Write != nil && point.Write.Arm:
		return "off, needs arm"
	case point.Entity.Enabled:
		return "on"
	}
	return "off"
}
