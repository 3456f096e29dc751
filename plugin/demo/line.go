package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// Line is one simulated line at one place.
type Line struct {
	Transport Transport
	Address   string // of the link to the port, or of the network; once the line is open, the real one
	Devices   []*Device
	Sim       *sim.Line

	note   string           // what else a client must know, behind the address
	serial *protocol.Serial // nil: no pace
	serve  func(ctx context.Context) error
}

// NewLines builds the lines of a scenario, one for each place; a line with several places is built for each, and its
// devices answer at all of them. It returns all that is wrong at once. Nothing is opened.
func NewLines(s Scenario) ([]*Line, error) {
	var lines []*Line
	var wrong []error
	n := 0
	for _, c := range s.Lines {
		var on []*Device
		for _, d := range c.Devices {
			n++
			device, err := newDevice(d, n)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", d.Profile, err))
				continue
			}
			on = append(on, device)
		}
		for _, w := range ways {
			place := Line{Transport: w.Transport, Address: c.Places[w.Transport], Devices: on}
			if place.Address == "" || len(on) == 0 {
				continue
			}
			wrong = append(wrong, place.build(c, s.Seed))
			lines = append(lines, &place)
		}
	}
	return lines, errors.Join(wrong...)
}

// build makes the line with its pace, its units and its script of faults.
func (l *Line) build(c LineConfig, seed uint64) error {
	if l.Transport.way().paced || c.Baud != 0 {
		if err := l.setPace(c.Baud); err != nil {
			return err
		}
	}
	l.Sim = sim.NewLine(sim.Options{Serial: l.serial, MinGap: c.MinGap, Deaf: c.Deaf, Waking: c.Waking, Echo: c.Echo,
		Busy: c.Busy})
	var faults []sim.Fault
	var wrong []error
	taken := map[protocol.UnitID]bool{}
	for _, d := range l.Devices {
		id := d.Unit.ID()
		if taken[id] {
			wrong = append(wrong, fmt.Errorf("%s: unit id %d is taken at %s", d.Config.Profile, id, l.Address))
		}
		taken[id] = true
		l.Sim.Add(d.Unit)
		parsed, err := sim.ParseFaults(d.Config.Faults)
		wrong = append(wrong, err)
		for _, f := range parsed {
			f.Match.Units = []protocol.UnitID{id}
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		l.Sim.Play(sim.NewScript(seed, faults...))
	}
	return errors.Join(wrong...)
}

// setPace gives the line the serial settings of its first device; baud goes over theirs unless it is 0.
func (l *Line) setPace(baud int) error {
	first := l.Devices[0]
	serial := first.Profile.Line.Serial
	if serial == (protocol.Serial{}) {
		serial = protocol.DefaultSerial
	}
	if l.Transport == OnASCII || l.Transport == OnASCIIOverTCP {
		ascii := protocol.DefaultASCII
		ascii.Baud, serial = serial.Baud, ascii
	}
	if baud != 0 {
		serial.Baud = baud
	}
	l.serial = &serial
	if err := serial.Check(); err != nil {
		return fmt.Errorf("%s: %w", first.Config.Profile, err)
	}
	return nil
}

// Open opens all lines, so that a wrong address is reported before anything is served. If one fails, those before it
// are closed.
func Open(ctx context.Context, lines []*Line) error {
	for i, l := range lines {
		if err := l.open(ctx); err != nil {
			ended, end := context.WithCancel(ctx)
			end()
			for _, opened := range lines[:i] {
				_ = opened.Serve(ended) // returns at once and closes the line
			}
			return fmt.Errorf("open %s: %w", l, err)
		}
	}
	return nil
}

func (l *Line) open(ctx context.Context) (err error) {
	l.serve, err = l.Transport.way().open(ctx, l)
	return err
}

// Serve serves an open line until ctx ends, and closes it.
func (l *Line) Serve(ctx context.Context) error {
	if err := l.serve(ctx); err != nil {
		return fmt.Errorf("serve %s: %w", l, err)
	}
	return nil
}

// Serve serves open lines until ctx ends or one of them fails, and reports their writes. Nothing runs any more when it
// returns.
func Serve(ctx context.Context, lines []*Line, report *Report) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make([]error, len(lines))
	var serving, reporting sync.WaitGroup
	for i, l := range lines {
		writes, stop := l.Sim.Journal().Writes(4096)
		reporting.Go(func() { report.follow(l, writes) })
		serving.Go(func() {
			defer cancel()
			defer stop()
			failed[i] = l.Serve(ctx)
		})
	}
	serving.Wait()
	reporting.Wait()
	return errors.Join(failed...)
}

// String returns how the line is reached, for people.
func (l *Line) String() string {
	text := l.Transport.way().says + l.Address + l.note
	if l.serial != nil {
		text += ", " + l.serial.String()
	}
	return text
}
