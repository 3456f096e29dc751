package config

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// checkLimits refuses settings that cannot work together, and names the nearest that do: times that the wire does not
// allow, reads that are too short for a point, holes that cut a point.
func checkLimits(l *Line, f strict.Fields, entries []deviceEntry) {
	for i := range entries {
		p := &entries[i]
		for _, wrong := range p.device.Line.Validate() {
			p.fail(wrong.Key, "%s", wrong.Text)
		}
		p.checkHoles()
		p.longestKey, p.longest = longestPoint(p.device.Profile)
		p.fillMaxRegisters()
		p.checkMaxRegisters()
	}
	applyWriteWait(l, f, entries)
	for i := range entries {
		entries[i].checkGap()
		entries[i].checkTimeout()
	}
}

// blockTime is how long the registers of one read may take on a serial line without max_registers. At 9600 8N1 that is
// 48 registers. With the shipped maps polling then takes 0.4 to 13 % longer than with 125, and a write waits half as
// long.
const blockTime = 100 * time.Millisecond

// fillMaxRegisters sets max_registers if neither the family nor the configuration does.
func (p *deviceEntry) fillMaxRegisters() {
	l := &p.device.Line
	if l.MaxRegisters == 0 {
		l.MaxRegisters = defaultBlock(p.longest, l.Serial)
	}
}

// DefaultBlock returns the default of max_registers. On a serial line that is as many as pass in 100 ms, and never
// fewer than the longest point has.
func DefaultBlock(family *profile.Profile, s protocol.Serial) uint16 {
	_, longest := longestPoint(family)
	return defaultBlock(longest, s)
}

// defaultBlock is DefaultBlock for a family whose longest point is known.
func defaultBlock(longest protocol.Range, s protocol.Serial) uint16 {
	if s.Baud == 0 {
		return protocol.MaxReadRegisters
	}
	fit := blockTime / s.Chars(2) // two characters are a register
	return max(longest.Count, uint16(min(fit, protocol.MaxReadRegisters)))
}

// applyWriteWait shortens the reads of a line until no write waits longer for one than write_wait says.
func applyWriteWait(l *Line, f strict.Fields, entries []deviceEntry) {
	n := f.Get("write_wait")
	if n == nil {
		return
	}
	wanted, ok := n.Duration(minWriteWait, maxWriteWait)
	if !ok {
		return
	}
	l.WriteWait = wanted
	var worst time.Duration
	var what string
	for i := range entries {
		if key, takes := entries[i].shorten(wanted); takes > max(wanted, worst) {
			worst, what = takes, key
		}
	}
	if what != "" {
		n.Fail("write_wait %s: %s takes %s on the wire; the nearest that works is %[3]s", strict.Span(wanted), what,
			roundedUp(worst, time.Millisecond))
	}
}

// shorten limits the reads of a device to those that end within a time. It returns the longest read that it cannot
// shorten, and its time.
func (p *deviceEntry) shorten(within time.Duration) (what string, takes time.Duration) {
	d := &p.device
	timing := devices.TimingOf(d.Line)
	what = fmt.Sprintf("to read %s of %s, %s,", p.longestKey, d.Name, counted(int(p.longest.Count), "register"))
	if takes = timing.Exchange(protocol.Read, p.longest); takes > within {
		return what, takes
	}
	most, _ := devices.MaxRegistersFor(within, timing)
	d.Line.MaxRegisters = min(d.Line.MaxRegisters, most)
	if longest := plan.Longest(readsOf(*d), timing); longest > within { // bits: no max_registers limits them
		return "the longest read of " + d.Name, longest
	}
	return what, takes
}

// readsOf returns the reads of all points of a device, in all its cases.
func readsOf(d devices.Config) []plan.Read {
	var all []plan.Read
	for _, traits := range d.Profile.Cases() {
		points, _ := d.Profile.Resolve(traits)
		reads, _ := devices.ReadPlan(points, d.Line) // check tells of what is left out
		all = append(all, reads...)
	}
	return all
}

// checkGap refuses a gap that leaves no time to read even one register in the shortest interval.
func (p *deviceEntry) checkGap() {
	d := p.device
	timing := devices.TimingOf(d.Line)
	cost := timing.Exchange(protocol.Read, protocol.Range{Count: 1})
	tooShort := func(every time.Duration) bool { return 0 < every && every < cost }
	if !slices.ContainsFunc(slices.Collect(maps.Values(d.Intervals)), tooShort) {
		return // whatever points there are
	}
	class, ok := shortest(d)
	every := d.Intervals[class]
	if !ok || cost <= every {
		return
	}
	key := "gap"
	for _, other := range []string{"turnaround", "poll"} {
		if p.keys.Get(key) == nil {
			key = other
		}
	}
	rest := cost - timing.Gap // of one read without the gap
	nearest := fmt.Sprintf("%s: %s under poll", class, roundedUp(cost, 10*time.Millisecond))
	if rest < every {
		nearest = fmt.Sprintf("gap: %s, or %s", strict.Span((every - rest).Truncate(time.Millisecond)), nearest)
	}
	p.fail(key, "the shortest read takes %s with its gap of %s and turnaround of %s, longer than the interval %s: "+
		"%s; the nearest that works is %s",
		roundedUp(cost, time.Millisecond), strict.Span(timing.Gap), strict.Span(timing.Turnaround), class,
		strict.Span(every), nearest)
}

// shortest returns the class with the shortest interval that a point of the device has.
func shortest(d devices.Config) (class profile.Interval, ok bool) {
	for _, traits := range d.Profile.Cases() {
		points, _ := d.Profile.Resolve(traits)
		for _, p := range points {
			every := d.Intervals[p.Interval]
			if every > 0 && p.HasValue() && (!ok || every < d.Intervals[class]) {
				class, ok = p.Interval, true
			}
		}
	}
	return class, ok
}

// checkTimeout refuses a timeout that ends before the longest reply can have arrived.
func (p *deviceEntry) checkTimeout() {
	d := p.device
	timing := devices.TimingOf(d.Line)
	timeout := d.Line.Pace.Timeout
	if timeout == 0 {
		timeout = protocol.DefaultTimeout
	}
	longest := protocol.Range{Count: d.Line.MaxRegisters}
	bits := protocol.Range{Table: protocol.Coil, Count: protocol.MaxReadBits}
	if max(replyTime(timing, longest), replyTime(timing, bits)) <= timeout {
		return // whatever is read
	}
	worst := protocol.Range{Count: 1}
	for _, read := range readsOf(d) {
		if replyTime(timing, read.Range) > replyTime(timing, worst) {
			worst = read.Range
		}
	}
	takes := replyTime(timing, worst)
	if takes <= timeout {
		return
	}
	nearest := "timeout: " + roundedUp(takes, time.Millisecond)
	for n := worst.Count - 1; n >= max(1, p.longest.Count) && !worst.Table.Bits(); n-- {
		if replyTime(timing, protocol.Range{Count: n}) <= timeout {
			nearest += fmt.Sprintf(", or max_registers: %d", n)
			break
		}
	}
	p.fail("timeout", "timeout %s: the reply to %s takes %s; the nearest that works is %s", strict.Span(timeout), worst,
		roundedUp(takes, time.Millisecond), nearest)
}

// replyTime is the time from the last byte of a request to the last one of its reply.
func replyTime(t protocol.Timing, r protocol.Range) time.Duration {
	if t.Serial == nil {
		return t.Turnaround
	}
	_, reply := protocol.WireChars(protocol.Read, r)
	return t.Serial.Silence() + t.Turnaround + t.Serial.Chars(reply)
}

// roundedUp returns the text of a time, rounded up.
func roundedUp(d, unit time.Duration) string {
	return strict.Span((d + unit - 1).Truncate(unit))
}

// counted returns "1 register", "2 registers".
func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
