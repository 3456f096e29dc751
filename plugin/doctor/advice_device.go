package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// How often something must happen to a device before it is reported. The next poll makes up for one lost request in a
// thousand.
const (
	fewTimeouts  = 0.01
	fewBusy      = 0.02
	enoughToTell = 3 // times

	// Late and damaged replies are the cause where there is one for so many timeouts: a late one often costs the next
	// request, too, and a damaged one may be no frame at all.
	lateAndDamaged = 3

	// noiseOfReply is how many bytes of noise for each timeout show that there was a reply: the shortest has 5.
	noiseOfReply = 4
)

func tells(all []Advice, i Illness) bool {
	return slices.ContainsFunc(all, func(a Advice) bool { return a.Illness == i })
}

// deviceAdvice is about one device of a line that carries something.
func deviceAdvice(s Symptoms, d DeviceSymptoms) []Advice {
	all := []Advice{}
	if d.Status.Identified && !d.Status.Online && !answersSometimes(d) && !isLate(s, d) {
		all = append(all, mend(IllAway,
			"%s has not answered since %s: is it switched on? Without sun and battery an inverter sleeps",
			d.Config.Name,
			d.Status.Since.Local().Format("15:04")))
	} else if silent(d) && d.Most == 0 && d.Gap == 0 {
		all = append(all, silence(s, d))
	} else {
		all = append(all, wrongDevice(s, d)...)
		points := unread(s, d)
		all = append(all, points...)
		all = append(all, timeouts(s, d, tells(points, IllUnanswered))...)
		all = append(all, learnedLength(d)...)
		all = append(all, learnedHoles(d)...)
		all = append(all, busy(d)...)
		all = append(all, behind(s, d)...)
		all = append(all, oddValues(s, d)...)
		all = append(all, wrongClock(d)...)
	}
	for i := range all {
		all[i].Device = d.Config.Name
	}
	return all
}

// answersSometimes reports whether the device answered when it was asked in another way, so that it is not away.
func answersSometimes(d DeviceSymptoms) bool {
	return d.Answers || d.Slowest > 0 || d.Gap > 0 || d.Most > 0
}

// isLate reports whether replies of the device arrive after the timeout. Several in a row make it count as away.
func isLate(s Symptoms, d DeviceSymptoms) bool {
	timeout := timeoutOf(d.Config)
	return s.Stats.Link.Latest > timeout && lateAndDamaged*s.Stats.Frames.Late >= d.Stats.Timeouts ||
		d.Slowest > timeout
}

// silent reports whether the device was asked and never answered, not even with an exception.
func silent(d DeviceSymptoms) bool {
	return d.Stats.Requests > 0 && d.Stats.Replies+d.Stats.Exceptions == 0
}

// silence returns the likely reason why a unit never answers.
func silence(s Symptoms, d DeviceSymptoms) Advice {
	who := fmt.Sprintf("nothing answers at unit id %d of %s", d.Config.Unit, s.Line)
	others := len(s.Alive) > 0
	for _, other := range s.Devices {
		others = others || other.Config.Unit != d.Config.Unit && !silent(other) && other.Stats.Requests > 0
	}
	f := s.Stats.Frames
	switch {
	case wrongTransactions(s) || wrongUnits(s):
		return note(IllSilent, "%s, because its replies are not believed", who)
	case d.Slowest > 0:
		return late(d, d.Slowest)
	case f.Late > 0 && s.Stats.Link.Latest > 0:
		return late(d, s.Stats.Link.Latest)
	case d.Answers:
		return mend(IllUnanswered,
			"%s answers a single short request, but none of the poll: try a longer `gap` and a smaller `max_registers`",
			d.Config.Name)
	case len(s.Alive) > 0:
		return mend(IllSilent, "%s, but %s: is that the device? Set `unit`", who, aliveText(s.Alive))
	case others:
		return mend(IllSilent, "%s, while others on the line answer: look for its unit id in its menu, and at its plug",
			who)
	case s.Setting != nil:
		return mend(IllSilent, "%s at %v, but it answers at %v: set %s", who, s.Line.Serial, *s.Setting,
			settingKeys(*s.Setting, s.Line.Serial)).withSerial(*s.Setting, s.Line.Serial)
	case f.Noise+f.Damaged > 0:
		return mend(IllSilent, "%s, only %d bytes of noise come in: look for baud, parity and unit id in its menu", who,
			f.Noise)
	case !s.Line.Transport.HasSerial():
		return mend(IllSilent, "%s, though the connection is open: is the unit id right, and is the device behind "+
			"the gateway switched on?", who)
	}
	return mend(IllSilent, "%s: is it switched on, are A and B swapped, and are %v and the unit id those of its menu?",
		who, s.Line.Serial)
}

func aliveText(units []protocol.UnitID) string {
	if len(units) == 1 {
		return fmt.Sprintf("unit id %d does", units[0])
	}
	return fmt.Sprintf("unit ids %s do", listed(units))
}

// settingKeys names what is to be written into the configuration.
func settingKeys(right, wrong protocol.Serial) string {
	var keys []string
	for _, s := range (Advice{}).withSerial(right, wrong).Settings {
		keys = append(keys, fmt.Sprintf("`%s: %s`", s.Key, s.Value))
	}
	return listed(keys)
}

// withSerial adds the keys in which a serial setting differs from the one in the configuration.
func (a Advice) withSerial(right, wrong protocol.Serial) Advice {
	if right.Baud != wrong.Baud {
		a = a.withLine("baud", fmt.Sprint(right.Baud))
	}
	if right.Parity != wrong.Parity {
		a = a.withLine("parity", config.ParityName(right.Parity))
	}
	if stop := cmp.Or(right.StopBits, 1); stop != cmp.Or(wrong.StopBits, 1) {
		a = a.withLine("stop_bits", fmt.Sprint(stop))
	}
	return a
}

// wrongDevice returns the advice for a unit that answers but is not the device of the configuration.
func wrongDevice(s Symptoms, d DeviceSymptoms) []Advice {
	if d.Status.Online || d.Status.Identified || d.Stats.Replies+d.Stats.Exceptions == 0 ||
		10*d.Stats.Timeouts > d.Stats.Replies+d.Stats.Exceptions || d.Status.Reason == "" {
		return nil // silence is told otherwise
	}
	if refusedByGateway(d) {
		return []Advice{nothingBehind(s, d)}
	}
	if len(d.Fits) > 0 {
		return []Advice{mend(IllWrongDevice,
			"%s is not available: %s. What answers fits the profile %s: set `profile: %s`",
			d.Config.Name, d.Status.Reason, strings.Join(d.Fits, " or "), d.Fits[0])}
	}
	return []Advice{mend(IllWrongDevice, "%s is not available: %s", d.Config.Name, d.Status.Reason)}
}

// nothingBehind returns the advice for a unit id behind a gateway that gets no answer from it.
func nothingBehind(s Symptoms, d DeviceSymptoms) Advice {
	if len(s.Alive) > 0 {
		return mend(IllSilent, "the gateway answers that it gets nothing from unit id %d, but %s: is that the "+
			"device? Set `unit`", d.Config.Unit, aliveText(s.Alive))
	}
	return mend(IllSilent, "the gateway answers that it gets nothing from unit id %d: is the device behind it "+
		"switched on, and is the unit id right?",
		d.Config.Unit)
}

// refusedByGateway reports whether only a gateway answered, to say that the device does not.
func refusedByGateway(d DeviceSymptoms) bool {
	return d.Stats.Replies == 0 && d.Stats.Unreached > 0
}

// losesRequests reports whether enough requests of a device get no answer to tell. While a line is checked, nothing is
// written to it and it is watched for a short time only: there one in a hundred is enough.
func (s Symptoms) losesRequests(d DeviceSymptoms) bool {
	n := d.Stats.Timeouts
	return n >= enoughToTell || n > 0 && (s.Live || s.Tried) && share(n, d.Stats.Requests) >= fewTimeouts
}

// timeouts returns the reason why some requests get no answer; told says that there is one already.
func timeouts(s Symptoms, d DeviceSymptoms, told bool) []Advice {
	n, name := d.Stats.Timeouts, d.Config.Name
	switch {
	case d.Most > 0:
		return []Advice{mend(IllLong, "%s does not answer reads of more than %d registers: set `max_registers: %d`",
			name, d.Most, d.Most).with("max_registers", fmt.Sprint(d.Most))}
	case !s.losesRequests(d):
		return nil
	case d.Connect > 0:
		return []Advice{mend(IllFirst,
			"%s does not hear what is asked directly behind the connecting: set `connect_delay: %s` for this line",
			name, strict.Span(d.Connect)).withLine("connect_delay", strict.Span(d.Connect))}
	case d.Waking > 0:
		return []Advice{mend(IllFirst,
			"%s answers late at first, %s behind the request, and quickly then: set `first_timeout: %s`", name,
			strict.Span(d.Waking.Round(10*time.Millisecond)), strict.Span(withRoom(d.Waking))).
			with("first_timeout", strict.Span(withRoom(d.Waking)))}
	case d.Gap > 0:
		return []Advice{mend(IllHasty,
			"%s loses requests that come too soon behind its last reply (%d of %d): set `gap: %s`", name, n,
			d.Stats.Requests, strict.Span(d.Gap)).with("gap", strict.Span(d.Gap))}
	case isLate(s, d):
		return []Advice{late(d, max(s.Stats.Link.Latest, d.Slowest))}
	case lateAndDamaged*s.Stats.Frames.Damaged >= n, told:
		return nil // said already
	case s.Stats.Frames.Noise >= noiseOfReply*n:
		return []Advice{unreadable(s, d)}
	}
	cure := "`solarhub check --live` tries what helps"
	if s.Tried {
		cure = "neither a longer `gap` nor shorter reads end it, so look at plugs and cable"
		if !s.Line.Transport.OnPort() {
			cure = "neither a longer `gap` nor shorter reads end it, so look at its network connection, above all " +
				"where it is a radio one"
		}
	}
	return []Advice{mend(IllUnanswered, "%d of %d requests to %s got no answer: %s", n, d.Stats.Requests, name, cure)}
}

// unreadable is about requests that are answered with bytes of which none are a reply.
func unreadable(s Symptoms, d DeviceSymptoms) Advice {
	cure := "put 120 ohms at both ends of the line, keep it away from power cables, and update the firmware of the " +
		"device"
	if !s.Line.Transport.HasSerial() {
		cure = "update the firmware of the device or gateway; a smaller `max_registers` may help"
	}
	return mend(IllGarbled, "%d of %d requests to %s were answered with bytes that are no reply: %s",
		d.Stats.Timeouts, d.Stats.Requests, d.Config.Name, cure)
}

func late(d DeviceSymptoms, latest time.Duration) Advice {
	enough := strict.Span(max(withRoom(latest), timeoutOf(d.Config)+50*time.Millisecond))
	return mend(IllLate, "replies of %s arrive after the timeout of %s, up to %s behind the request: raise "+
		"`timeout` to %s", d.Config.Name, strict.Span(timeoutOf(d.Config)),
		strict.Span(latest.Round(10*time.Millisecond)), enough).with("timeout", enough)
}

func timeoutOf(d devices.Config) time.Duration {
	return cmp.Or(d.Line.Pace.Timeout, protocol.DefaultTimeout)
}

// learnedLength names the longest read that was found to work. Written down, it need not be learnt again.
func learnedLength(d DeviceSymptoms) []Advice {
	n := d.Learned.Longest.Registers
	if n == 0 || d.Most > 0 {
		return nil
	}
	text := fmt.Sprint(n)
	return []Advice{note(IllLong, "%s does not answer reads of more than %s registers, which was found out and is "+
		"kept to: `max_registers: %s` says so from the start", d.Config.Name, text, text).with("max_registers", text)}
}

// learnedHoles names registers that SolarHub has learnt to leave out of reads. Written down, they need not be learnt
// again.
func learnedHoles(d DeviceSymptoms) []Advice {
	known := d.Config.Line.Holes
	holes := slices.Clone(known)
	for _, h := range d.Learned.Holes {
		if h.Range.Count > 0 && !slices.ContainsFunc(known,
			func(k protocol.Range) bool { return k.Contains(h.Range) }) {
			holes = append(holes, h.Range)
		}
	}
	if len(holes) == len(known) {
		return nil
	}
	text := profile.HolesText(holes[len(ofFamily(d.Config)):])
	return []Advice{note(IllHoles,
		"%s does not read across %d places, which was found out and is kept to: `holes: %s` says so from the start",
		d.Config.Name, len(holes)-len(known), text).with("holes", text)}
}

// ofFamily returns the holes that the family brings; those of the configuration follow them.
func ofFamily(d devices.Config) []protocol.Range {
	if d.Profile == nil {
		return nil
	}
	return d.Profile.Line.Holes
}

// busy returns the advice for a device that answers with exceptions 5 and 6.
func busy(d DeviceSymptoms) []Advice {
	n, wait := d.Stats.Busy, cmp.Or(d.Config.Line.Busy.Wait, profile.DefaultBusyWait)
	if n < enoughToTell || share(n, d.Stats.Requests) < fewBusy {
		return nil
	}
	return []Advice{mend(IllBusy,
		"%s says that it is busy (%d of %d requests): set `busy_wait: %s`, or a longer `gap` or `poll`", d.Config.Name,
		n,
		d.Stats.Requests, strict.Span(withRoom(2*wait))).with("busy_wait", strict.Span(withRoom(2*wait)))}
}

// behind returns the advice for a device whose values are older than its intervals.
func behind(s Symptoms, d DeviceSymptoms) []Advice {
	if !d.Poll.Behind {
		return nil
	}
	var reached []string
	for _, class := range []profile.Interval{profile.Now, profile.Normal, profile.Slow} {
		wanted, achieved := d.Poll.Wanted[class], d.Poll.Achieved[class]
		if wanted > 0 && achieved > wanted+wanted/10 {
			reached = append(reached, fmt.Sprintf("%v every %s instead of %s", class,
				strict.Span(achieved.Round(100*time.Millisecond)), strict.Span(wanted)))
		}
	}
	if len(reached) == 0 {
		return nil
	}
	cure := "lengthen `poll`, or switch entities off that nobody needs"
	if s.Line.Transport.HasSerial() && s.Line.Serial.Baud < 19200 {
		cure += ", or raise the baud on both sides"
	}
	return []Advice{mend(IllBehind, "the line cannot keep up with %s: %s; %s", d.Config.Name, listed(reached), cure)}
}
