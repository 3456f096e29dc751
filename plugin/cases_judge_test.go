package plugin

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/doctor"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

func (c *fieldCase) fail(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = append(c.failed, fmt.Sprintf(format, args...))
}

// device returns the device of a key, "a" or "Roof/a", and the key without it.
func (c *fieldCase) device(key string) (*devices.Device, string) {
	name, rest, named := strings.Cut(key, "/")
	for _, l := range c.plugin.Load().now.Load().lines {
		for _, d := range l.Devices {
			if !named {
				return d, key
			}
			if d.Name() == name {
				return d, rest
			}
		}
	}
	c.t.Fatalf("there is no device %q", name)
	return nil, ""
}

// id returns the unique id of the entity of a key.
func (c *fieldCase) id(key string) string {
	d, key := c.device(key)
	return d.ID() + "_" + key
}

// entity returns the entity id of a key in the host.
func (c *fieldCase) entity(key string) string {
	s, _ := c.host.State(c.id(key))
	return s.EntityID
}

// judge compares what has come of the run with what was expected.
func (c *fieldCase) judge() {
	w := c.want
	for _, key := range slices.Sorted(maps.Keys(w.states)) {
		if got := c.state(key); !sameState(got, w.states[key][0]) {
			c.fail("%s is %s, not %s (%s)", key, got, w.states[key][0], c.reason(key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.reasons)) {
		for _, part := range w.reasons[key] {
			if got := c.reason(key); !strings.Contains(got, part) {
				c.fail("the reason of %s is %q, without %q", key, got, part)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.published)) {
		if got := c.seen.values(c.entity(key)); !slices.EqualFunc(got, w.published[key], sameState) {
			c.fail("published of %s: %s, not %s", key, got, w.published[key])
		}
	}
	c.judgeAvailability()
	c.judgeLine()
	d, _ := c.device("")
	advice, _ := c.host.State(d.ID() + "_line_advice")
	c.t.Logf("the advice is: %s", advice.State)
	c.judgeSentences("the advice", w.advice, advice.State)
}

func (c *fieldCase) state(key string) string {
	s, known := c.host.State(c.id(key))
	if !known {
		return "no entity"
	}
	return s.State
}

// reason returns why a point has no value, or why its device is not known.
func (c *fieldCase) reason(key string) string {
	d, key := c.device(key)
	known, err := c.plugin.Load().hub.Snapshot(c.t.Context())
	if err != nil {
		return err.Error()
	}
	for _, one := range known.Devices {
		if one.Place.Device == d {
			if r := one.Readings[key]; r.Value.Str != "" {
				return r.Value.Str
			}
		}
	}
	return d.Status().Reason
}

// sameState compares states: numbers by what they are.
func sameState(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return a == b || errX == nil && errY == nil && x == y
}

// judgeAvailability looks at the entities that are to have a state at the end.
func (c *fieldCase) judgeAvailability() {
	if c.want.unavailable == "any" {
		return
	}
	most, err := time.ParseDuration(c.want.unavailable)
	if err != nil {
		c.t.Fatal(err)
	}
	for key, want := range c.want.states {
		if away := c.seen.unavailable(c.entity(key)); want[0] != devhost.Unavailable && away > most {
			c.fail("%s was unavailable for %v", key, away)
		}
	}
}

// judgeLine looks at what was asked on the line.
func (c *fieldCase) judgeLine() {
	w, all := c.want, c.line.Journal().Since(0)
	if !w.connections.has(float64(c.dials)) {
		c.fail("%d connections", c.dials)
	}
	if perMinute := float64(len(all)) / w.run.Minutes(); !w.requests.has(perMinute) {
		c.fail("%.1f requests a minute", perMinute)
	}
	for text, times := range w.asked {
		if n := c.overlapping(all, text); !times.has(float64(n)) {
			c.fail("%s was asked %d times", text, n)
		}
	}
	for _, never := range w.never {
		for _, e := range all {
			if e.Range.Overlaps(never) {
				c.fail("%v was touched: %v", never, e)
				break
			}
		}
	}
	if writes := c.pdus(all); w.writesGiven && !slices.EqualFunc(writes, w.writes, sameBytes) {
		c.fail("written: %q, not %q", writes, w.writes)
	}
	for text, want := range w.registers {
		if got := c.held(c.rangeOf(text)); got != want {
			c.fail("%s holds %s, not %s", text, got, want)
		}
	}
	c.judgeLate()
}

func sameBytes(a, b string) bool {
	clean := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, " ", "")) }
	return clean(a) == clean(b)
}

// held returns what a register of the first unit that has it holds.
func (c *fieldCase) held(r protocol.Range) string {
	for _, u := range c.line.Units() {
		if words, ok := u.Get(r.Table, r.Addr, 1); ok {
			return fmt.Sprint(words[0])
		}
	}
	return "nothing"
}

// pdus returns the PDUs of the writes, in order.
func (c *fieldCase) pdus(all []sim.Exchange) (texts []string) {
	for _, e := range all {
		if !e.Write() {
			continue
		}
		pdu := e.Request
		if c.config.Lines[0].Transport == config.TCP {
			pdu = pdu[7:]
		} else {
			pdu = pdu[1 : len(pdu)-2]
		}
		texts = append(texts, strings.ToUpper(hex.EncodeToString(pdu)))
	}
	return texts
}

func (c *fieldCase) rangeOf(text string) protocol.Range {
	r, err := profile.ParseHole(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *fieldCase) overlapping(all []sim.Exchange, text string) (n int) {
	for _, e := range all {
		if e.Range.Overlaps(c.rangeOf(text)) {
			n++
		}
	}
	return n
}

// judgeLate says how many polls of the class now are missing, of the points that have a value at the end.
func (c *fieldCase) judgeLate() {
	if c.want.late == "" {
		return
	}
	most, err := strconv.ParseFloat(strings.TrimSuffix(c.want.late, "%"), 64)
	if err != nil {
		c.t.Fatal(err)
	}
	for key := range c.want.states {
		d, plain := c.device(key)
		i := slices.IndexFunc(d.Points(), func(p profile.Point) bool { return p.Key == plain })
		every := c.config.Lines[0].Devices[0].Intervals[profile.Now]
		if i < 0 || d.Points()[i].Interval != profile.Now || c.want.states[key][0] == devhost.Unknown ||
			c.want.states[key][0] == devhost.Unavailable {
			continue
		}
		if share := 100 * c.late(d.Points()[i].Ranges[0], every); share > most {
			c.fail("%.1f %% of the polls of %s were late", share, key)
		}
	}
}

// judgeSentences compares what is said with what is to be said; "well" stands for no problem.
func (c *fieldCase) judgeSentences(who string, want []string, said string) {
	for _, part := range want {
		if part == "well" {
			part = doctor.WellText
		}
		if not, is := strings.CutPrefix(part, "not "); is {
			if strings.Contains(said, not) {
				c.fail("%s should not say %q: %s", who, not, said)
			}
		} else if !strings.Contains(said, part) {
			c.fail("%s does not say %q: %s", who, part, said)
		}
	}
}

// judgeCheck looks at what `check --live` says.
func (c *fieldCase) judgeCheck(all []doctor.Fitness) {
	var said bytes.Buffer
	exit := int64(0)
	for _, f := range all {
		for _, a := range f.Advice {
			fmt.Fprintln(&said, a.Sentence())
			if a.Mend {
				exit = 1
			}
		}
	}
	if said.Len() == 0 {
		said.WriteString(doctor.WellText)
	}
	c.t.Logf("check --live ends with %d and says:\n%s", exit, &said)
	c.judgeSentences("check --live", c.want.sentences, said.String())
	if exit != c.want.exit {
		c.fail("check --live ends with %d: %s", exit, &said)
	}
}
