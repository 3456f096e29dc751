package devices

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"solarhub/devices/ask"
	"solarhub/devices/poll"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/plan"
)

// fixedTraits returns the traits that the configuration or the owner has settled.
func (d *Device) fixedTraits() profile.Traits {
	fixed := profile.Traits{}
	maps.Copy(fixed, d.cfg.Traits)
	return fixed
}

// settle settles the traits, each as soon as those are known that its condition depends on.
func (q *inquiry) settle(ctx context.Context) error {
	family := q.cfg.Profile
	for next := family.NextTraits(q.known); len(next) > 0; next = family.NextTraits(q.known) {
		var later []profile.IdentityField
		for _, t := range next {
			if field := t.Field.In(q.known); family.Applies(t, q.known) && field.Present() {
				if _, read := q.values[t.Key()]; !read {
					later = append(later, profile.IdentityField{Key: t.Key(), Field: field})
				}
			}
		}
		if err := q.read(ctx, later, nil); err != nil {
			return err
		}
		words := profile.Traits{}
		for _, t := range next {
			word, ok := t.Word(q.tells(t))
			if !ok || !family.Applies(t, q.known) {
				word = t.Otherwise
			}
			if before, known := q.before[t.Name]; known && (q.silent[t.Key()] || !ok && q.isUnproven()) {
				word = before // a reply that was lost changes nothing, nor does a device that does not know itself yet
			}
			if word == "" && t.From == profile.FromOwner {
				return notIt("it is not known yet which %s it has, which only you can tell: %s Choose it at the "+
					"device in Home Assistant, or put it under traits: in the configuration: %s", t.Name, t.Ask,
					t.Domain())
			}
			if word == "" {
				return q.notOne(t.Name, q.tells(t), t.Accepted())
			}
			words[t.Name] = word
		}
		maps.Copy(q.known, words)
	}
	return nil
}

// tells returns the value that a trait follows from.
func (q *inquiry) tells(t profile.Trait) codec.Value {
	switch t.From {
	case profile.FromSerial:
		return q.serialNumber()
	case profile.FromModel:
		return q.values["model"]
	case profile.FromVersion:
		return q.values["version"]
	case profile.FromAnswer:
		return codec.BoolOf(q.answered[t.Key()])
	case profile.FromOwner:
		return codec.TextOf(q.choice(t))
	}
	return q.values[t.Key()]
}

// read reads fields of identification, with no read across the registers in never. What the device refuses is no value;
// so is what can be left out and is not answered. Of what is refused together each field is asked for by itself.
func (q *inquiry) read(ctx context.Context, fields []profile.IdentityField, never []protocol.Range) error {
	line := q.cfg.Line
	line.Holes = slices.Concat(line.Holes, never)
	groups := [][]profile.Point{q.points(fields, func(string) bool { return true })}
	if q.asksApart() {
		groups = [][]profile.Point{q.points(fields, func(key string) bool { return !q.isOptional(key) }),
			q.points(fields, q.isOptional)}
	}
	for _, points := range groups {
		reads, err := poll.Plan(points, line)
		if err != nil {
			return fmt.Errorf("plan the identification of %s: %w", q.Name(), err)
		}
		slices.SortStableFunc(reads, func(a, b plan.Read) int { // of a device that is away one short read is lost
			return cmp.Or(q.rank(a.Range, points)-q.rank(b.Range, points), cmp.Compare(a.Range.Count, b.Range.Count))
		})
		for _, r := range reads {
			if err := q.readTogether(ctx, r.Range, points); err != nil {
				return err
			}
		}
		if err := q.readSingly(ctx, points); err != nil {
			return err
		}
	}
	return nil
}

// points returns the fields that are not settled yet, as points.
func (q *inquiry) points(fields []profile.IdentityField, which func(key string) bool) (points []profile.Point) {
	for _, f := range fields {
		if which(f.Key) && !q.isSettled(f.Key) && !q.isForbidden(f) {
			points = append(points, profile.Point{Key: f.Key, Ranges: f.Ranges, Spec: f.Spec})
		}
	}
	return points
}

// isForbidden reports whether nothing may read the registers of a field, which need not be there.
func (q *inquiry) isForbidden(f profile.IdentityField) bool {
	if !q.isOptional(f.Key) && f.Key != "model" && f.Key != "version" {
		return false // planning says that it cannot be
	}
	return slices.ContainsFunc(f.Ranges, func(r protocol.Range) bool {
		return slices.ContainsFunc(q.cfg.Line.Never, r.Overlaps)
	})
}

// isSettled reports whether a field is of a trait that is known without reading it.
func (q *inquiry) isSettled(key string) bool {
	i := slices.IndexFunc(q.cfg.Profile.Traits, func(t profile.Trait) bool { return t.Key() == key })
	if i < 0 {
		return false
	}
	_, known := q.known[q.cfg.Profile.Traits[i].Name]
	return known
}

// isOptional reports whether a field is of a trait that need not be told by the device.
func (q *inquiry) isOptional(key string) bool {
	return slices.ContainsFunc(q.cfg.Profile.Traits, func(t profile.Trait) bool {
		return t.Key() == key && t.Otherwise != ""
	})
}

// readTogether reads the fields in a range.
func (q *inquiry) readTogether(ctx context.Context, over protocol.Range, fields []profile.Point) error {
	req := q.client.Request(protocol.PriorityRead, ask.ForTurn)
	req.Op, req.Range = protocol.Read, over
	resp, err := q.exchange(ctx, req)
	if err != nil && q.failed(ctx, err, fields, over) != nil {
		return err
	}
	if err == nil {
		q.proves(over)
	}
	for _, f := range fields {
		switch of := f.Ranges[0]; {
		case len(f.Ranges) > 1 || !over.Contains(of):
		case err == nil:
			from := of.Addr - over.Addr
			q.take(f, resp.Words[from:from+of.Count])
		case over == of && ask.IsRefusal(err):
			q.values[f.Key] = refused(err)
		}
	}
	return nil
}

// readSingly reads the fields that have not come together with others.
func (q *inquiry) readSingly(ctx context.Context, fields []profile.Point) error {
	for _, f := range fields {
		if _, known := q.values[f.Key]; known {
			continue
		}
		r, err := ask.Point(ctx, q.exchange, q.client.Request(protocol.PriorityRead, ask.ForTurn), f)
		switch {
		case err == nil:
			q.take(f, r.Raw)
			q.proves(f.Ranges[0])
		case q.failed(ctx, err, []profile.Point{f}, f.Ranges[0]) != nil:
			return err
		default:
			q.values[f.Key], q.silent[f.Key] = refused(err), ask.IsSilence(err)
		}
	}
	return nil
}

// proves keeps the shortest read that was answered.
func (q *inquiry) proves(over protocol.Range) {
	if q.heard = true; q.proof.Count == 0 || over.Count < q.proof.Count {
		q.proof = over
	}
}

// take keeps what a field holds.
func (q *inquiry) take(f profile.Point, words []uint16) {
	q.values[f.Key], q.answered[f.Key] = f.Spec.Decode(words), true
}

func refused(err error) codec.Value { return codec.None(fmt.Sprintf("the device refuses it: %v", err)) }

// failed returns err if it ends the identification, and nil if the fields of the read can do without. Silence about
// what need not be there is an answer of a device that answers another read before and behind it. If nothing was
// answered before it may be one, too: the next identification asks for such fields apart from the others.
func (q *inquiry) failed(ctx context.Context, err error, fields []profile.Point, over protocol.Range) error {
	if ask.IsRefusal(err) || q.isNoSerial(err, fields, over) {
		q.heard = true
		return nil
	}
	if !ask.IsSilence(err) {
		return err
	}
	if slices.ContainsFunc(fields, func(f profile.Point) bool { return q.isOptional(f.Key) }) {
		q.askApart()
	}
	if q.rank(over, fields) == 0 || q.proof.Count == 0 {
		return err
	}
	req := q.client.Request(protocol.PriorityRead, ask.ForTurn)
	req.Op, req.Range = protocol.Read, q.proof
	_, err = q.exchange(ctx, req)
	return err
}

// rank returns 0 for a read with a field that must be there, and 1 for any other, which comes behind it.
func (q *inquiry) rank(over protocol.Range, fields []profile.Point) int {
	if slices.ContainsFunc(fields, func(f profile.Point) bool {
		return f.Ranges[0].Overlaps(over) && !q.isOptional(f.Key)
	}) {
		return 0
	}
	return 1
}

// asksApart reports whether the fields that need not be there are asked for apart from the others.
func (d *Device) asksApart() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.apart
}

// askApart has them asked for apart from now on, unless the device has been identified in this run as it was asked.
func (d *Device) askApart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apart = d.apart || !d.status.Identified
}
