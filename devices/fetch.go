package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/plan"
)

// exchange sends one request: Line.Do, or the Exchange of a held line.
type exchange func(ctx context.Context, req protocol.Request) (protocol.Response, error)

// fetch carries out the reads of a layout and learns where the device differs from its profile.
type fetch struct {
	ask    exchange
	req    protocol.Request // what its reads have in common
	within time.Duration    // how long each read may wait for its turn
	layout *layout
	got    []answer // by item
	learnt taught
}

// answer is what an item has brought. All zero: nothing yet.
type answer struct {
	words   []uint16
	at      time.Time
	refused error // the device refuses these very registers
}

// taught is what reading has taught: registers that may not be read across, and the most that one read may have, 0 for
// nothing new.
type taught struct {
	holes []protocol.Range
	most  uint16
}

func newFetch(ask exchange, req protocol.Request, within time.Duration, l *layout) *fetch {
	return &fetch{ask: ask, req: req, within: within, layout: l, got: make([]answer, len(l.items))}
}

// read carries out one planned read. A read that the device refuses by its address or size is cut in halves until it is known
// what the device refuses. The error is one of the line, or a refusal that has nothing to do with the address.
func (f *fetch) read(ctx context.Context, r plan.Read) error {
	_, err := f.span(ctx, r.Range, f.atoms(r.Items))
	return err
}

// span reads one range and gives the words to the atoms in it; clean means that the device answered the very read.
func (f *fetch) span(ctx context.Context, over protocol.Range, atoms []atom) (clean bool, err error) {
	req := f.req
	req.Op, req.Range, req.Deadline = protocol.Read, over, time.Now().Add(f.within)
	resp, err := f.ask(ctx, req)
	if err == nil {
		f.take(over, atoms, resp)
		return true, nil
	}
	no, ok := errors.AsType[protocol.ExceptionError](err)
	if !ok || !refusesAddress(no) {
		return false, err
	}
	if len(atoms) == 1 || no.Code == 1 {
		f.refuse(atoms, err)
		return false, nil
	}
	return false, f.bisect(ctx, no, atoms)
}

// refusesAddress reports whether asking for other registers can help: illegal function, address or value.
func refusesAddress(no protocol.ExceptionError) bool { return no.Code >= 1 && no.Code <= 3 }

// bisect reads the halves of what was refused. If both come, the fault lies between them or in the length.
func (f *fetch) bisect(ctx context.Context, no protocol.ExceptionError, atoms []atom) error {
	left, right := atoms[:len(atoms)/2], atoms[len(atoms)/2:]
	a, b := cover(left), cover(right)
	cleanLeft, err := f.span(ctx, a, left)
	if err != nil {
		return err
	}
	cleanRight, err := f.span(ctx, b, right)
	if err != nil || !cleanLeft || !cleanRight {
		return err
	}
	if gap := uint32(b.Addr) - a.End(); gap > 0 && no.Code == 2 {
		f.learnt.holes = append(f.learnt.holes, protocol.Range{Table: a.Table, Addr: uint16(a.End()), Count: uint16(gap)})
	} else if !a.Table.Bits() {
		f.learnt.most = max(a.Count, b.Count)
	}
	return nil
}

func (f *fetch) take(over protocol.Range, atoms []atom, resp protocol.Response) {
	for _, a := range atoms {
		for _, item := range a.items {
			r := f.layout.items[item]
			from := int(r.Addr - over.Addr)
			f.got[item] = answer{words: resp.Words[from : from+int(r.Count)], at: resp.Sent}
		}
	}
}

func (f *fetch) refuse(atoms []atom, err error) {
	for _, a := range atoms {
		for _, item := range a.items {
			f.got[item] = answer{at: time.Now(), refused: err}
		}
	}
}

// reading returns the value of a point once all its words are there; refused is set where the device does not give them.
func (f *fetch) reading(point int) (r Reading, refused error, complete bool) {
	p := f.layout.points[point]
	r.Key = p.Key
	from, to := f.layout.itemsOf(point)
	for _, a := range f.got[from:to] {
		if a.refused != nil {
			r.Value, r.Raw, r.ReadAt = codec.None(fmt.Sprintf("the device refuses it: %v", a.refused)), nil, a.at
			return r, a.refused, true
		}
		if a.words == nil {
			return r, nil, false
		}
		r.Raw = append(r.Raw, a.words...)
		if r.ReadAt.IsZero() || a.at.Before(r.ReadAt) {
			r.ReadAt = a.at
		}
	}
	r.Value = p.Spec.Decode(r.Raw)
	return r, nil, true
}

// atom is a run of registers that cannot be read in parts: items that overlap.
type atom struct {
	over  protocol.Range
	items []int
}

// atoms sorts items by address and joins those that overlap.
func (f *fetch) atoms(items []int) []atom {
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b int) int { return cmp.Compare(f.layout.items[a].Addr, f.layout.items[b].Addr) })
	var atoms []atom
	for _, item := range sorted {
		r := f.layout.items[item]
		if n := len(atoms); n > 0 && atoms[n-1].over.Overlaps(r) {
			atoms[n-1].items = append(atoms[n-1].items, item)
			atoms[n-1].over = union(atoms[n-1].over, r)
			continue
		}
		atoms = append(atoms, atom{over: r, items: []int{item}})
	}
	return atoms
}

// cover returns the range from the first atom to the last.
func cover(atoms []atom) protocol.Range { return union(atoms[0].over, atoms[len(atoms)-1].over) }

// union returns the smallest range that contains both; b does not begin before a.
func union(a, b protocol.Range) protocol.Range {
	a.Count = uint16(max(a.End(), b.End()) - uint32(a.Addr))
	return a
}

// readPoint reads one point over a held line, range by range.
func readPoint(ctx context.Context, ask exchange, req protocol.Request, p profile.Point) (Reading, error) {
	r := Reading{Key: p.Key}
	for i, over := range p.Ranges {
		req.Op, req.Range, req.Words = protocol.Read, over, nil
		if i > 0 {
			req.Priority = protocol.PriorityWrite // no write in between: a value is not torn
		}
		resp, err := ask(ctx, req)
		if err != nil {
			return Reading{}, err
		}
		r.Raw = append(r.Raw, resp.Words...)
		if r.ReadAt.IsZero() {
			r.ReadAt = resp.Sent
		}
	}
	r.Value = p.Spec.Decode(r.Raw)
	return r, nil
}
