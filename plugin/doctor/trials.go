package doctor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/scan"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// trials look for the cause of what is wrong with a line, one thing after the other and only where it is wrong. What
// they find goes into the symptoms.
type trials struct {
	check *lineCheck
	line  Line // of check
	at    *Fitness
}

// Times and counts of the trials.
const (
	waitLong    = 5 * time.Second        // for a reply of which it is not known whether it comes at all
	waitShort   = 300 * time.Millisecond // for a unit id or setting that is a guess; inverters answer in 20 to 400 ms
	calm        = time.Second            // silence after which no device is in a hurry
	calmAsks    = 2                      // tries of a long read before it counts as one that never comes
	longestAsks = 3                      // reads that are tried, the longest of the plan
	fewestAsks  = 12                     // in a row, of the trial of a gap
	mostAsks    = 60
)

// gapsTried are those that public code names for devices that lose requests (sunsynk 50 to 150 ms, Solis 300, Growatt
// 850).
var gapsTried = []time.Duration{50, 100, 150, 300, 850}

// onBus tries what needs no other setting of the port.
func (t *trials) onBus(ctx context.Context) {
	if carriesNothing(t.at.Advice) {
		return
	}
	anySilent := false
	for i := range t.at.Devices {
		d := &t.at.Devices[i]
		switch {
		case ctx.Err() != nil:
			return
		case silent(*d):
			if t.waitLong(ctx, d); d.Answers {
				t.tryTimeouts(ctx, d, t.line.Devices[i])
			}
			anySilent = anySilent || d.Slowest == 0 && !d.Answers
		case refusedByGateway(*d):
			anySilent = true
		case len(wrongDevice(t.at.Symptoms, *d)) > 0:
			t.tryProfiles(ctx, d)
		case t.unexplained(*d):
			t.tryTimeouts(ctx, d, t.line.Devices[i])
		}
	}
	if anySilent && t.at.Stats.Openings > 0 {
		t.tryUnitIDs(ctx)
	}
}

// tryProfiles looks for the shipped profile that takes what answers for a device of its family.
func (t *trials) tryProfiles(ctx context.Context, d *DeviceSymptoms) {
	t.check.tell(1, "looking for the profile that fits %s", d.Config.Name)
	shipped, err := profile.Embedded()
	if err != nil {
		return
	}
	at := scan.Place{Unit: d.Config.Unit, Serial: t.line.Config.Serial, Patience: timeoutOf(d.Config)}
	unit, _ := scan.Identify(ctx, t.line.Bus.Do, at, shipped) // of one that falls silent nothing is known
	for _, f := range unit.Fits {
		if f.Profile.ID != d.Config.Profile.ID {
			d.Fits = append(d.Fits, f.Profile.ID)
		}
	}
}

// waitLong waits for one reply for longer than the timeout says.
func (t *trials) waitLong(ctx context.Context, d *DeviceSymptoms) {
	t.check.tell(1, "waiting for %s", d.Config.Name)
	pace := protocol.Pace{Gap: calm, Timeout: max(waitLong, timeoutOf(d.Config))}
	resp, err := t.line.Bus.Do(ctx, ask(d.Config, knownRegister(d.Config), protocol.PriorityRead, pace))
	switch took := resp.Done.Sub(resp.Sent); {
	case !replied(err):
	case took > timeoutOf(d.Config):
		d.Slowest = took
	default:
		d.Answers = true
	}
}

// replied reports whether the unit answered, if only with an exception of its own.
func replied(err error) bool {
	no, refused := errors.AsType[protocol.ExceptionError](err)
	return err == nil || refused && !no.FromGateway()
}

// unexplained: requests are lost, and neither damage nor replies behind the timeout account for them.
func (t *trials) unexplained(d DeviceSymptoms) bool {
	n, f := d.Stats.Timeouts, t.at.Stats.Frames
	return n > 0 && (n >= enoughToTell || share(n, d.Stats.Requests) >= fewTimeouts) &&
		lateAndDamaged*(f.Damaged+f.Late) < n &&
		!wrongTransactions(t.at.Symptoms) && !wrongUnits(t.at.Symptoms)
}

// tryTimeouts finds out whether it is the length of the reads, the time that a reply takes, or the hurry.
func (t *trials) tryTimeouts(ctx context.Context, d *DeviceSymptoms, device *devices.Device) {
	reads := plannedRanges(device, d.Config)
	if len(reads) == 0 {
		return
	}
	t.check.tell(1, "asking %s in peace", d.Config.Name)
	pace := protocol.Pace{Gap: calm, Timeout: max(waitLong/5, 2*timeoutOf(d.Config))}
	for _, r := range reads[:min(len(reads), longestAsks)] {
		took, ok := t.isAnswered(ctx, d.Config, r, pace, calmAsks)
		if ctx.Err() != nil {
			return
		}
		if !ok {
			d.Most = t.longestRead(ctx, d.Config, r, pace)
			return
		}
		d.Slowest = max(d.Slowest, took)
	}
	if d.Slowest <= timeoutOf(d.Config) {
		d.Slowest = 0
		t.tryGaps(ctx, d, reads)
	}
}

// plannedRanges returns the reads of the device's plan, the longest first. Of one that was not identified nobody knows
// the traits: those of the typical device stand in.
func plannedRanges(device *devices.Device, d devices.Config) []protocol.Range {
	reads := device.Plan()
	if len(reads) == 0 {
		points, _ := d.Profile.Resolve(d.Profile.Cases()[0])
		reads, _ = devices.ReadPlan(points, d.Line) // what cannot be read is not missed here
	}
	var all []protocol.Range
	for _, r := range reads {
		all = append(all, r.Range)
	}
	slices.SortStableFunc(all, func(a, b protocol.Range) int { return cmp.Compare(b.Count, a.Count) })
	return all
}

// isAnswered asks for a range, again if it does not come, and returns how long the reply took.
func (t *trials) isAnswered(ctx context.Context, d devices.Config, r protocol.Range, pace protocol.Pace,
	tries int) (took time.Duration, ok bool) {
	for range tries {
		resp, err := t.line.Bus.Do(ctx, ask(d, r, protocol.PriorityRead, pace))
		if replied(err) {
			return resp.Done.Sub(resp.Sent), true
		}
	}
	return 0, false
}

// longestRead returns the longest part of a read that is answered, 0 if none is: then the length is not to blame.
func (t *trials) longestRead(ctx context.Context, d devices.Config, r protocol.Range, pace protocol.Pace) uint16 {
	works, fails := uint16(0), r.Count
	for fails-works > 1 && ctx.Err() == nil {
		r.Count = works + (fails-works)/2
		t.check.tell(1, "reading %d registers of %s", r.Count, d.Name)
		if _, ok := t.isAnswered(ctx, d, r, pace, 1); ok {
			works = r.Count
		} else {
			fails = r.Count
		}
	}
	r.Count = fails
	if _, ok := t.isAnswered(ctx, d, r, pace, calmAsks); ok || ctx.Err() != nil {
		return 0 // a length that comes now and then is not the cause
	}
	return works
}

// tryGaps asks quickly with the gap that is set, and if that loses requests, with longer and longer ones.
func (t *trials) tryGaps(ctx context.Context, d *DeviceSymptoms, reads []protocol.Range) {
	pace := d.Config.Line.Pace
	n := int(min(max(fewestAsks, 4/max(share(d.Stats.Timeouts, d.Stats.Requests), 0.001)), mostAsks))
	t.check.tell(1, "asking %s in a row", d.Config.Name)
	if t.losesRequests(ctx, d.Config, reads, pace, n) == 0 {
		return // it is not that
	}
	for _, ms := range gapsTried {
		gap := ms * time.Millisecond
		if gap <= pace.Gap || ctx.Err() != nil {
			continue
		}
		t.check.tell(1, "asking %s with a gap of %v", d.Config.Name, gap)
		longer := pace
		longer.Gap = gap
		if t.losesRequests(ctx, d.Config, reads, longer, n) > 0 {
			continue
		}
		// Once more each, because chance loses what it likes.
		if t.losesRequests(ctx, d.Config, reads, pace, n) > 0 &&
			t.losesRequests(ctx, d.Config, reads, longer, n) == 0 && ctx.Err() == nil {
			d.Gap = gap
		}
		return
	}
}

// losesRequests asks n times in a row and counts the requests that get no answer; one is enough.
func (t *trials) losesRequests(ctx context.Context, d devices.Config, reads []protocol.Range, pace protocol.Pace,
	n int) (lost int) {
	for i := range n {
		if _, err := t.line.Bus.Do(ctx, ask(d, reads[i%len(reads)], protocol.PriorityRead, pace)); !replied(err) {
			return 1
		}
	}
	return 0
}

// tryUnitIDs asks other unit ids: those that people set.
func (t *trials) tryUnitIDs(ctx context.Context) {
	units := []protocol.UnitID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 100, 247}
	if t.line.Config.Transport.HasIDs() {
		units = append(units, 0, 255)
	}
	for _, unit := range units {
		mine := slices.ContainsFunc(t.line.Config.Devices, func(d devices.Config) bool { return d.Unit == unit })
		if mine || ctx.Err() != nil {
			continue
		}
		t.check.tell(1, "trying unit id %d", unit)
		guess := t.line.Config.Devices[0]
		guess.Unit = unit
		if _, err := t.line.Bus.Do(ctx,
			ask(guess, knownRegister(guess), protocol.PriorityRead, protocol.Pace{Timeout: waitShort})); replied(err) {
			t.at.Alive = append(t.at.Alive, unit)
		}
	}
}

// settingsTried are what RS485 devices are delivered with, the likeliest first.
func settingsTried() []protocol.Serial {
	var all []protocol.Serial
	for _, baud := range []int{9600, 19200, 115200, 38400, 57600, 4800, 2400} {
		for _, parity := range []protocol.Parity{protocol.NoParity, protocol.EvenParity, protocol.OddParity} {
			all = append(all, protocol.Serial{Baud: baud, DataBits: 8, Parity: parity, StopBits: 1})
		}
	}
	return all
}

// tryOtherSettings opens the line anew in other ways, where nothing at all answered; the bus is over.
func (t *trials) tryOtherSettings(ctx context.Context) {
	l := t.line.Config
	nothing := func(d DeviceSymptoms) bool { return silent(d) && d.Slowest == 0 && !d.Answers && d.Most == 0 }
	if t.at.Stats.Openings == 0 || len(t.at.Alive) > 0 || t.at.Stats.Frames.Late > 0 ||
		slices.ContainsFunc(t.at.Devices, func(d DeviceSymptoms) bool { return !nothing(d) }) {
		return
	}
	if !l.Transport.OnPort() {
		t.tryOtherLanguages(ctx, l)
		return
	}
	for _, s := range settingsTried() {
		if s == l.Serial || ctx.Err() != nil {
			continue
		}
		t.check.tell(1, "trying %v", s)
		if l.Serial = s; t.answers(ctx, l, waitShort) {
			t.at.Setting = &s
			return
		}
	}
}

// languages are what else may be spoken at an address, the likeliest first.
var languages = map[config.Transport][]config.Transport{
	config.TCP:        {config.RTUOverTCP, config.Solarman},
	config.RTUOverTCP: {config.TCP, config.Solarman},
	config.Solarman:   {config.TCP},
}

// tryOtherLanguages does it at an address of the network. A stick takes its time.
func (t *trials) tryOtherLanguages(ctx context.Context, l config.Line) {
	l.Serial = cmp.Or(l.Serial, protocol.DefaultSerial)
	for _, other := range languages[l.Transport] {
		t.check.tell(1, "trying %v", other)
		wait := waitShort
		if other == config.Solarman {
			wait = waitLong
		}
		if l.Transport = other; t.answers(ctx, l, wait) {
			t.at.Transport = &other
			return
		}
	}
}

// answers reports whether one of the line's devices answers in time where it is opened so.
func (t *trials) answers(ctx context.Context, l config.Line, wait time.Duration) bool {
	return slices.ContainsFunc(l.Devices, func(d devices.Config) bool {
		_, ok := t.askReopened(ctx, l, d, wait)
		return ok
	})
}
