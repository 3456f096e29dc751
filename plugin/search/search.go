// Package search looks for devices where a person says: on serial ports, at addresses, in networks. What a device is
// that answers, package scan finds out.
package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/devices/scan"
	"solarhub/plugin/config"
	"solarhub/plugin/lock"
	"solarhub/protocol"
	"solarhub/protocol/link"
)

// Options say where it is searched, and for what.
type Options struct {
	Places  []Place            // at least one
	Units   []protocol.UnitID  // that are asked; nil: the likely ones
	Serials []protocol.Serial  // of serial ports, in this order; nil: all that are usual
	Dial    link.DialFunc      // Defaults to the network
	Tell    func(now Progress) // from several goroutines at once; may be nil
	Log     zerolog.Logger     // of what links say
	// Running returns a line of a SolarHub that runs and has it, and what asks it there; nil or not ok where none does.
	Running func(endpoint string) (line config.Line, do scan.Do, ok bool)

	families []*profile.Profile
}

// Progress is how far the search at one place is.
type Progress struct {
	Place string  // as Place.String has it
	What  string  // that is done now
	Done  float64 // 0..1
	Over  bool    // nothing more is done there
}

// Finding is a device that was found, and the line that leads to it.
type Finding struct {
	Line config.Line // Transport, Address and Serial
	Unit scan.Unit
}

// Note is a sentence about a place: why nothing could be asked there, or what was odd.
type Note struct{ Place, Text string }

// Report is what was found, in the order of the places, and of the addresses and unit ids there.
type Report struct {
	Findings []Finding
	Notes    []Note
	Searched int // lines and addresses that could be asked
}

// Run searches all places at the same time. It writes nothing to anything. When ctx ends it returns at once, after the
// exchanges in flight, with what was found by then; the error is that of ctx then.
func Run(ctx context.Context, o Options) (Report, error) {
	var err error
	if o.families, err = profile.Embedded(); err != nil {
		return Report{}, err
	}
	if o.Tell == nil {
		o.Tell = func(Progress) {}
	}
	if o.Serials == nil {
		o.Serials = scan.Serials(o.families)
	}
	reports := make([]Report, len(o.Places))
	var searching sync.WaitGroup
	connections := make(chan struct{}, mostConnections)
	for i, p := range o.Places {
		searching.Go(func() {
			switch {
			case p.Port != "":
				reports[i] = o.port(ctx, p)
			default:
				reports[i] = o.network(ctx, p, connections)
			}
			o.Tell(Progress{Place: p.String(), What: reports[i].String(), Done: 1, Over: true})
		})
	}
	searching.Wait()
	var all Report
	for _, r := range reports {
		all.add(r)
	}
	return all, ctx.Err()
}

func (r *Report) add(o Report) {
	r.Findings = append(r.Findings, o.Findings...)
	r.Notes = append(r.Notes, o.Notes...)
	r.Searched += o.Searched
}

func (r *Report) note(place, format string, args ...any) {
	r.Notes = append(r.Notes, Note{place, fmt.Sprintf(format, args...)})
}

// String says how many devices there are.
func (r Report) String() string {
	switch n := len(r.Findings); n {
	case 0:
		return "nothing found"
	case 1:
		return "1 device"
	default:
		return fmt.Sprintf("%d devices", n)
	}
}

// sort orders findings by address and unit id.
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(compareAddresses(a.Line.Address, b.Line.Address), cmp.Compare(a.Unit.ID, b.Unit.ID))
	})
}

// onLine searches one line that leads somewhere. Where nobody is found whose replies fit but for what is not as the
// standard has it, it is searched again in that way.
func (o Options) onLine(ctx context.Context, l config.Line, how scan.Line) (r Report, err error) {
	how.Families = o.families
	if o.Units != nil {
		how.Units = o.Units
	}
	opened, release, err := o.openWith(&l, &how)
	if err != nil {
		r.note(l.String(), "%s", taken(err))
		return r, nil
	}
	defer func() { _ = release() }() // a lock file that cannot be closed harms nobody
	if _, _, ok := o.running(l.Endpoint()); ok {
		r.note(l.String(), "a SolarHub that runs has the line, and was asked in between its own reads")
	}
	found, err := how.Search(ctx)
	if quirks := opened.quirks(l.Quirks); len(found.Units) == 0 && err == nil && quirks != l.Quirks {
		l.Quirks = quirks
		found, err = how.Search(ctx)
	}
	l.Serial, l.Quirks = found.Serial, opened.quirks(l.Quirks)
	if opened.plain() {
		l.Transport = config.TCP
		r.note(l.String(), "the stick speaks Modbus TCP, and not in frames of its own")
	}
	for _, u := range found.Units {
		r.Findings = append(r.Findings, Finding{l, u})
	}
	if l.Transport.OnPort() { // in a network it may just be another language
		for _, text := range found.Notes {
			r.note(l.String(), "%s", text)
		}
	}
	r.sort()
	return r, err
}

// openWith says how the links of a line are opened: by a SolarHub that runs and has it, or by this one, which takes the
// line's lock. It keeps what is opened.
func (o Options) openWith(l *config.Line, how *scan.Line) (opened *links, release func() error, err error) {
	opened = &links{}
	if line, do, ok := o.running(l.Endpoint()); ok {
		*l = line
		how.Hello, how.Serials = 0, []protocol.Serial{l.Serial}
		how.Open = func(protocol.Serial) protocol.Link { return borrowed{do} }
		return opened, func() error { return nil }, nil
	}
	how.Open = func(s protocol.Serial) protocol.Link {
		with := *l
		if with.Serial = s; s == (protocol.Serial{}) {
			with.Serial = protocol.DefaultSerial // of the pauses of RTU over a network
		}
		return opened.add(with.NewLink(o.Log))
	}
	release, err = lock.Lines(l.Endpoint())
	return opened, release, err
}

func (o Options) running(endpoint string) (line config.Line, do scan.Do, ok bool) {
	if o.Running == nil {
		return line, nil, false
	}
	return o.Running(endpoint)
}

// taken says who has a line.
func taken(err error) string {
	held, ok := errors.AsType[*lock.HeldError](err)
	switch {
	case !ok:
		return err.Error()
	case held.PID == 0:
		return "another SolarHub has the line: stop it first"
	}
	return fmt.Sprintf("another SolarHub (process %d) has the line: stop it first", held.PID)
}
