package write

import (
	"context"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// A group of the profile is written as a whole: what is set, constants, and the rest as the device holds it. That is
// read in the same hold of the line, so that nothing comes in between.

// groupOf returns the group of the profile to which all that is written belongs, nil if it is none.
func groupOf(writes []*pointWrite) *profile.WriteGroup {
	if len(writes) == 0 {
		return nil
	}
	return writes[0].p.Write.Group
}

// readGroup reads what a group holds before it is written. It says why it cannot be written, for each that is set.
func (w *Writer) readGroup(ctx context.Context, x protocol.Exchanger, writes []*pointWrite) {
	g := groupOf(writes)
	words := make([]uint16, g.Range.Count)
	for addr, word := range g.Constants {
		words[addr-g.Range.Addr] = word
	}
	read, mirrored, hidden := w.wanted(g, writes)
	if hidden != "" {
		for _, p := range writes {
			p.failed = failure(StageNotSent, p.p, CodeFailed, fmt.Sprintf("%s was not written: it is written together "+
				"with %s, and what that holds cannot be read, so both must be set together", p.p.Name, hidden), nil)
		}
		return
	}
	readAt, err := w.readWords(ctx, x, g, read, words, writes)
	for _, p := range mirrored {
		if err == nil {
			err = w.readMirror(ctx, x, g, p, words)
		}
	}
	at := slices.MaxFunc(writes, func(a, b *pointWrite) int { return a.call.set.Deadline.Compare(b.call.set.Deadline) })
	if ask.IsBusy(err) && w.retry(writes, at.call) {
		return
	}
	for _, p := range writes {
		if p.group = words; err != nil {
			p.failed = w.notSent(p.call, p.p, err)
		} else if from := p.at().Addr - g.Range.Addr; isElsewhere(p.p) {
			p.target = words[from:]
		} else if read[from] {
			raw := slices.Clone(words[from : from+p.at().Count])
			p.before = &ask.Reading{Key: p.p.Key, Value: p.p.Spec.Decode(raw), Raw: raw, ReadAt: readAt}
		}
	}
}

// wanted says which registers of a group are read before it is written, which points are read elsewhere, and the name
// of one that cannot be read though it is not set.
func (w *Writer) wanted(g *profile.WriteGroup, writes []*pointWrite) (read []bool, mirrored []profile.Point,
	hidden string) {
	read = make([]bool, g.Range.Count)
	all := len(writes) == len(g.Members) && !slices.ContainsFunc(writes, w.readsFirst)
	for i := range read {
		_, constant := g.Constants[g.Range.Addr+uint16(i)]
		read[i] = !constant
	}
	skip := func(p profile.Point) {
		r := writtenAt(p)
		for i := range r.Count {
			read[r.Addr-g.Range.Addr+i] = false
		}
	}
	for _, key := range g.Members {
		p, _ := w.find(key)
		i := slices.IndexFunc(writes, func(o *pointWrite) bool { return o.p.Key == key })
		switch partial := writeSpec(p).Partial(); {
		case i < 0 && !p.Write.ReadBack:
			return nil, nil, p.Name
		case i < 0 && isElsewhere(p):
			mirrored = append(mirrored, p)
			if !partial {
				skip(p)
			}
		case i >= 0 && !partial && (all || isElsewhere(p) || !p.Write.ReadBack):
			skip(p)
		}
	}
	return read, mirrored, ""
}

// readWords reads the wanted registers of a group, as many at once as the line allows, and returns when it began.
func (w *Writer) readWords(ctx context.Context, x protocol.Exchanger, g *profile.WriteGroup, wanted []bool,
	words []uint16, writes []*pointWrite) (began time.Time, err error) {
	most := int(w.mostAtOnce())
	for i := 0; i < len(wanted); i++ {
		if !wanted[i] {
			continue
		}
		end := i + 1
		for end < len(wanted) && wanted[end] && end-i < most {
			end++
		}
		req := w.client.Request(protocol.PriorityWrite, 0)
		req.Op, req.Deadline = protocol.Read, last(writes)
		req.Range = protocol.Range{Table: g.Range.Table, Addr: g.Range.Addr + uint16(i), Count: uint16(end - i)}
		resp, err := x.Exchange(ctx, req)
		if err != nil {
			return began, err
		}
		if began.IsZero() {
			began = resp.Sent
		}
		copy(words[i:], resp.Words)
		i = end - 1
	}
	return began, nil
}

// readMirror reads a point of a group where it is read, and puts it where it is written.
func (w *Writer) readMirror(ctx context.Context, x protocol.Exchanger, g *profile.WriteGroup, p profile.Point,
	words []uint16) error {
	req := w.client.Request(protocol.PriorityWrite, ask.ForTurn)
	found, err := ask.Point(ctx, x.Exchange, req, p)
	if err != nil {
		return err
	}
	at := words[writtenAt(p).Addr-g.Range.Addr:]
	held, err := writeSpec(p).Encode(found.Value, at[:writtenAt(p).Count])
	if err != nil {
		return fmt.Errorf("%s, which is written too, has no value: %w", p.Name, err)
	}
	copy(at, held)
	return nil
}

// fillGroup puts what is set into the words of its group.
func fillGroup(req *protocol.Request, writes []*pointWrite) {
	req.Range = groupOf(writes).Range
	req.Words = slices.Clone(writes[0].group)
}
