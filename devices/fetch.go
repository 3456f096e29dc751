package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/ask"
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
	alive  func(ctx context.Context) error // set where silence may be a refusal: the device answers all the same
	got    []answer                        // by item
	clean  bool                            // the last read was answered as it was planned
	learnt taught

	answered bool // anything was
	silent   int  // ranges that were believed to be silent
}

// answer is what an item has brought. All zero: nothing yet.
type answer struct {
	words   []uint16
	at      time.Time
	over    protocol.Range // of the request that brought it
	refused error          // the device refuses these very registers
}

// taught is what reading has taught: registers that may not be read across, and the most that one read may have, 0 for
// nothing new.
type taught struct {
	holes []protocol.Range
	most  uint16
}

func newFetch(x exchange, req protocol.Request, within time.Duration, l *layout) *fetch {
	return &fetch{ask: x, req: req, within: within, layout: l, got: make([]answer, len(l.items))}
}

// read carries out one planned read. A read that the device refuses by its address or size is cut in halves until it is known
// what the device refuses. The error is one of the line, or a refusal that has nothing to do with the address.
func (f *fetch) read(ctx context.Context, r plan.Read) error {
	var err error
	f.clean, err = f.span(ctx, r.Range, f.atoms(r.Items))
	return err
}

// send asks for one range. Where silence may be a refusal it is asked more than once, and between two tries the device answers.
func (f *fetch) send(ctx context.Context, over protocol.Range) (protocol.Response, error) {
	req := f.req
	req.Op, req.Range = protocol.Read, over
	for tries := 1; ; tries++ {
		req.Deadline = time.Now().Add(f.within)
		resp, err := f.ask(ctx, req)
		switch {
		case !f.believes(err):
			f.answered = f.answered || err == nil
			return resp, err
		case tries == believed:
			if f.silent++; f.silent > inVain && !f.answered {
				return protocol.Response{}, errAbsent
			}
			return resp, err
		}
		if f.alive(ctx) != nil {
			return protocol.Response{}, errAbsent
		}
	}
}

// errAbsent: between two tries nobody answered, so the silence says nothing.
var errAbsent = errors.New("the device answers nothing at all")

// believes reports whether an error is a silence that may be a refusal.
func (f *fetch) believes(err error) bool { return f.alive != nil && ask.IsSilence(err) }

// refuses reports whether an error is a refusal of these registers, or a silence that may be one.
func (f *fetch) refuses(err error) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	return ok && no.AboutRequest() || f.believes(err)
}

// span reads one range and gives the words to the atoms in it; clean means that the device answered the very read.
func (f *fetch) span(ctx context.Context, over protocol.Range, atoms []atom) (clean bool, err error) {
	resp, err := f.send(ctx, over)
	switch no, _ := errors.AsType[protocol.ExceptionError](err); {
	case err == nil:
		f.take(over, atoms, resp)
		return true, nil
	case !f.refuses(err):
		return false, err
	case len(atoms) == 1 || no.Code == 1:
		f.refuse(atoms, err)
		return false, nil
	}
	return false, f.bisect(ctx, err, over, atoms)
}

// refusesAddress reports whether asking for other registers can help: illegal function, address or value.
func refusesAddress(no protocol.ExceptionError) bool { return no.Code >= 1 && no.Code <= 3 }

// bisect reads the halves of what was refused. If both come, the fault lies between them or in the length.
func (f *fetch) bisect(ctx context.Context, refused error, over protocol.Range, atoms []atom) error {
	left, right := atoms[:len(atoms)/2], atoms[len(atoms)/2:]
	cleanLeft, err := f.span(ctx, cover(left), left)
	if err != nil {
		return err
	}
	cleanRight, err := f.span(ctx, cover(right), right)
	if err != nil || !cleanLeft || !cleanRight {
		return err
	}
	if _, err := f.send(ctx, over); !f.refuses(err) { // both halves have come between two refusals, or it was a bad moment
		return err
	}
	return f.blame(ctx, refused, left, right)
}

// blame decides what keeps two halves from being read together: a shorter read from one to the other, or of what lies between, tells. If
// that fails too and may be too long itself, the refusal has to do: 3 is about the length; 2 and silence are taken for the least, a hole.
func (f *fetch) blame(ctx context.Context, refused error, left, right []atom) error {
	a, b := cover(left), cover(right)
	most := max(a.Count, b.Count)
	gap := protocol.Range{Table: a.Table, Addr: uint16(a.End()), Count: uint16(uint32(b.Addr) - a.End())}
	no, _ := errors.AsType[protocol.ExceptionError](refused)
	isHole := gap.Count > 0 && no.Code != 3
	if gap.Count > 0 {
		probe := union(left[len(left)-1].over, right[0].over)
		if probe.Count > most {
			probe = gap
		}
		_, err := f.send(ctx, probe)
		switch {
		case err == nil:
			isHole = false
		case !f.refuses(err):
			return err
		case probe.Count <= most:
			isHole = true
		}
	}
	if isHole {
		f.learnt.holes = append(f.learnt.holes, gap)
		return nil
	}
	if a.Table.Bits() {
		return nil
	}
	most, err := f.longest(ctx, union(a, b), most)
	if err == nil {
		f.learnt.most = most
	}
	return err
}

// longest returns the most registers of a refused read that come at once, where works are known to: the halves of one that runs across
// a gap can be far shorter than what the device allows.
func (f *fetch) longest(ctx context.Context, refused protocol.Range, works uint16) (uint16, error) {
	for fails := refused.Count; fails-works > 1; {
		refused.Count = works + (fails-works)/2
		switch _, err := f.send(ctx, refused); {
		case err == nil:
			works = refused.Count
		case f.refuses(err):
			fails = refused.Count
		default:
			return 0, err
		}
	}
	return works, nil
}

func (f *fetch) take(over protocol.Range, atoms []atom, resp protocol.Response) {
	for _, a := range atoms {
		for _, item := range a.items {
			r := f.layout.items[item]
			from := int(r.Addr - over.Addr)
			f.got[item] = answer{words: resp.Words[from : from+int(r.Count)], at: resp.Sent, over: over}
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
func readPoint(ctx context.Context, x exchange, req protocol.Request, p profile.Point) (Reading, error) {
	parts := make([]answer, len(p.Ranges))
	for i, over := range p.Ranges {
		var err error
		if parts[i], err = readPart(ctx, x, req, over); err != nil {
			return Reading{}, err
		}
	}
	if err := prove(ctx, x, req, p, parts, nil); err != nil {
		return Reading{}, err
	}
	r := Reading{Key: p.Key, ReadAt: parts[0].at}
	for _, part := range parts {
		r.Raw = append(r.Raw, part.words...)
		if part.at.Before(r.ReadAt) {
			r.ReadAt = part.at
		}
	}
	r.Value = p.Spec.Decode(r.Raw)
	return r, nil
}

// readPart reads one range.
func readPart(ctx context.Context, x exchange, req protocol.Request, over protocol.Range) (answer, error) {
	req.Op, req.Range, req.Words = protocol.Read, over, nil
	resp, err := x(ctx, req)
	return answer{words: resp.Words, at: resp.Sent, over: over}, err
}
