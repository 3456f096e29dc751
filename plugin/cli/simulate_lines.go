package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// The kinds of places where a simulated line can be reached.
const (
	onPTY    = "pty"
	onTCP    = "tcp"
	onRTUTCP = "rtu-tcp"
)

// unit is one simulated device.
type unit struct {
	args    *simulated
	profile *profile.Profile
	points  []profile.Point
	variant string
	serial  string
	memory  *sim.Unit
	known   map[string]codec.Value // by key, as last reported; report guards it once the unit is served
}

// simLine is one line that is served at one place.
type simLine struct {
	kind, address string // as in the flags; address is the real one once it is open
	serial        *protocol.Serial
	units         []*unit
	line          *sim.Line
	serve         func(ctx context.Context) error
}

// makeUnit makes the n-th device.
func makeUnit(args *simulated, n int) (*unit, error) {
	p, err := profile.Open(args.profile)
	if err != nil {
		return nil, err
	}
	u := &unit{args: args, variant: args.variant, serial: args.serial}
	held := sim.NewUnit(1)
	if err := readDumps(args.dumps, held); err != nil {
		return nil, err
	}
	if len(args.dumps) > 0 {
		if u.variant, err = args.dumped(p, held); err != nil {
			return nil, err
		}
	}
	if u.variant == "" {
		u.variant = firstVariant(p)
	}
	if u.points, err = p.Resolve(u.variant); err != nil {
		return nil, err
	}
	if u.serial == "" {
		u.serial = madeUpSerial(p.Identify.Serial, n)
	}
	own := *p // a copy with another unit id
	if args.unit != 0 {
		own.Line.Unit = protocol.UnitID(args.unit)
	}
	u.profile = &own
	if u.memory, err = simulate.Unit(u.profile, u.variant, u.serial); err != nil {
		return nil, err
	}
	if len(args.dumps) > 0 {
		u.play(held)
	}
	return u, u.begin()
}

// begin gives the device its manners and first values.
func (u *unit) begin() error {
	turnaround := u.args.turnaround
	if turnaround < 0 {
		turnaround = u.profile.Line.Turnaround
	}
	u.memory.Turnaround(turnaround)
	u.memory.Limit(u.args.limits())
	if err := u.set(u.args.set); err != nil {
		return err
	}
	u.known = u.values(func(profile.Point) bool { return true })
	return nil
}

// limits returns what the device takes in one request, and what it says to more.
func (s *simulated) limits() sim.Limits {
	limits := sim.Limits{ReadRegisters: int(s.most)}
	if s.silent {
		limits.TooLong, limits.Undefined = sim.Silence, sim.Silence
	}
	return limits
}

// set gives points their first values, each as KEY=VALUE, and returns all that is wrong at once. Read-only points can be set too: it
// is the device that holds them.
func (u *unit) set(given []string) error {
	var wrong []error
	for _, text := range given {
		key, value, _ := strings.Cut(text, "=")
		i := slices.IndexFunc(u.points, func(p profile.Point) bool { return p.Key == key && !p.Button() })
		if i < 0 {
			wrong = append(wrong, fmt.Errorf("--set %s: there is no such value; all are listed by: solarhub devices %s", text, u.args.profile))
			continue
		}
		if err := u.hold(u.points[i], value); err != nil {
			wrong = append(wrong, fmt.Errorf("--set %s: %w", text, err))
		}
	}
	return errors.Join(wrong...)
}

// hold puts a value into the registers of a point.
func (u *unit) hold(p profile.Point, text string) error {
	v, err := p.Spec.Parse(text)
	if err != nil {
		return err
	}
	words, err := p.Spec.Encode(v, u.words(p))
	if err != nil {
		return err
	}
	for _, r := range p.Ranges {
		u.memory.Set(r.Table, r.Addr, words[:r.Count]...)
		words = words[r.Count:]
	}
	return nil
}

// words returns the registers of a point as they are now.
func (u *unit) words(p profile.Point) []uint16 {
	var words []uint16
	for _, r := range p.Ranges {
		held, _ := u.memory.Get(r.Table, r.Addr, r.Count) // none where an address does not exist
		words = append(words, held...)
	}
	return words
}

// madeUpSerial returns a serial number that fills the field of the family.
func madeUpSerial(field profile.Field, n int) string {
	length := 10
	if field.Spec.Length > 0 {
		length = 2 * field.Spec.Length
	}
	return fmt.Sprintf("SIM%0*d", max(length-3, 1), n)
}

// places returns where a device answers.
func (s *simulated) places() [][2]string {
	var places [][2]string
	for _, p := range [][2]string{{onPTY, s.pty}, {onTCP, s.tcp}, {onRTUTCP, s.rtuTCP}} {
		if p[1] != "" {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		places = append(places, [2]string{onTCP, defaultTCP})
	}
	return places
}

// pace returns the serial setting that the device's line has at a place; nil: no pace.
func (u *unit) pace(kind string) (*protocol.Serial, error) {
	if kind != onPTY && u.args.baud == 0 {
		return nil, nil
	}
	serial := u.profile.Line.Serial
	if serial == (protocol.Serial{}) {
		serial = protocol.DefaultSerial
	}
	if u.args.baud != 0 {
		serial.Baud = u.args.baud
	}
	return &serial, serial.Check()
}

// wire sorts devices into lines: those at one place are on one line. It returns all that is wrong at once.
func wire(args []*simulated, seed uint64) ([]*simLine, error) {
	var lines []*simLine
	var wrong []error
	at := map[[2]string]*simLine{}
	for i, a := range args {
		u, err := makeUnit(a, i+1)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", a.profile, err))
			continue
		}
		for _, place := range a.places() {
			l, known := at[place]
			if !known {
				l = &simLine{kind: place[0], address: place[1]}
				at[place] = l
				lines = append(lines, l)
			}
			if err := l.add(u, known); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", a.profile, err))
			}
		}
	}
	for _, l := range lines {
		wrong = append(wrong, l.build(seed))
	}
	return lines, errors.Join(wrong...)
}

// add puts a device on the line.
func (l *simLine) add(u *unit, shared bool) error {
	serial, err := u.pace(l.kind)
	if err != nil {
		return err
	}
	if shared && paceText(serial) != paceText(l.serial) {
		return fmt.Errorf("%s runs at %s already, not at %s: devices on one line have one pace", l.address, paceText(l.serial), paceText(serial))
	}
	for _, other := range l.units {
		if other.memory.ID() == u.memory.ID() {
			return fmt.Errorf("unit id %d is taken at %s: name another one with --unit, or another place", u.memory.ID(), l.address)
		}
	}
	l.serial = serial
	l.units = append(l.units, u)
	return nil
}

func paceText(s *protocol.Serial) string {
	if s == nil {
		return "full pace"
	}
	return s.String()
}

// build makes the line with its script of faults.
func (l *simLine) build(seed uint64) error {
	var faults []sim.Fault
	var wrong []error
	options, err := l.options()
	wrong = append(wrong, err)
	l.line = sim.NewLine(options)
	for _, u := range l.units {
		l.line.Add(u.memory)
		parsed, err := sim.ParseFaults(u.args.fault)
		wrong = append(wrong, err)
		for _, f := range parsed {
			f.Match.Units = []protocol.UnitID{u.memory.ID()}
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		l.line.Play(sim.NewScript(seed, faults...))
	}
	return errors.Join(wrong...)
}

// options returns what the line is like: the widest of what its devices ask for. They must agree about what happens to a request that
// comes too soon.
func (l *simLine) options() (sim.Options, error) {
	options := sim.Options{Serial: l.serial}
	busy := map[string]bool{}
	for _, u := range l.units {
		options.MinGap = max(options.MinGap, u.args.minGap)
		options.Deaf = max(options.Deaf, u.args.deaf)
		options.Waking = max(options.Waking, u.args.waking)
		options.Echo = options.Echo || u.args.echo
		switch u.args.busy {
		case "", busyQueues:
		case busyLoses:
			options.Busy = sim.Loses
		default:
			return options, fmt.Errorf("--busy %s: it is none of %s, %s", u.args.busy, busyQueues, busyLoses)
		}
		busy[u.args.busy] = true
	}
	if busy[busyQueues] && busy[busyLoses] {
		return options, fmt.Errorf("--busy: the devices at %s contradict each other: one line %s requests or %s them", l.address, busyQueues, busyLoses)
	}
	return options, nil
}

// The words of --busy.
const (
	busyQueues = "queues"
	busyLoses  = "loses"
)

// open takes the place, so that a wrong one is told before anything is served.
func (l *simLine) open(ctx context.Context) error {
	if l.kind == onPTY {
		p, err := sim.OpenPTY(l.address)
		if err != nil {
			return err
		}
		l.serve = func(ctx context.Context) error { return l.line.ServePTY(ctx, p) }
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", l.address)
	if err != nil {
		return err
	}
	l.address = listener.Addr().String()
	l.serve = func(ctx context.Context) error { return l.line.ServeTCP(ctx, listener) }
	if l.kind == onRTUTCP {
		l.serve = func(ctx context.Context) error { return l.line.ServeRTUOverTCP(ctx, listener) }
	}
	return nil
}

// String returns how the line is reached, for people.
func (l *simLine) String() string {
	words := map[string]string{onPTY: "RTU on " + l.address, onTCP: "Modbus TCP at " + l.address, onRTUTCP: "RTU over TCP at " + l.address}
	if l.serial == nil {
		return words[l.kind]
	}
	return strings.Join([]string{words[l.kind], l.serial.String()}, ", ")
}
