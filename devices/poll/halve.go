package poll

import (
	"cmp"
	"context"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// When a read keeps failing, refused or unanswered, the poller reads its two halves, then the halves of the half that
// fails, until it knows which register is to blame. If both halves are answered and the whole is not, the device cannot
// read across the place between them: a hole. These requests go between the polls, at most one for every ten answered
// reads, because one without an answer costs a timeout.
const (
	perHalf     = 10           // answered reads that pay for the read of a half
	mostCredit  = 40 * perHalf // which a start has: what a device refuses is found at once
	silentPause = time.Minute  // before another half is asked though nothing else was answered
	silentTries = 2            // before a half that stays silent is believed to fail
	bothTries   = 6            // the same for a whole of which both halves have come
	lastReadFor = time.Minute  // a device that has answered no read for longer teaches nothing
)

// atom is a run of registers that cannot be read in parts: points that overlap.
type atom struct {
	over   protocol.Range
	points []profile.Point
}

// block is a read that has failed, or a half of one, and is to be asked. A point of it is not polled until it has come.
type block struct {
	atoms  []atom
	silent bool    // it gets no answer; false: it is refused
	of     *halves // nil: it is all of the read
	both   *halves // it is asked once more as it was, because both of these were answered
	fails  int
}

// halves are the two blocks that a block was cut into.
type halves struct {
	whole []atom
	of    *halves        // that of the block
	gap   protocol.Range // what lies between them
	open  int            // halves that are not settled
	clean bool           // those that are were answered as they were asked
}

// doubts are the failed reads whose cause is not known yet.
type doubts struct {
	blocks   []*block
	earned   int       // credit, in answered reads
	silentAt time.Time // of the last request that got no answer; zero when one got one since
	answers  int       // since then
}

func newDoubts() doubts { return doubts{earned: mostCredit} }

// atomsOf sorts points by address and joins those that overlap.
func atomsOf(points []profile.Point) (atoms []atom) {
	sorted := slices.SortedStableFunc(slices.Values(points), func(a, b profile.Point) int {
		return cmp.Compare(spanOf(a).Addr, spanOf(b).Addr)
	})
	for _, p := range sorted {
		over := spanOf(p)
		if n := len(atoms); n > 0 && atoms[n-1].over.Overlaps(over) {
			atoms[n-1].points = append(atoms[n-1].points, p)
			atoms[n-1].over = union(atoms[n-1].over, over)
			continue
		}
		atoms = append(atoms, atom{over: over, points: []profile.Point{p}})
	}
	return atoms
}

// spanOf returns the range from the first register of a point to the last.
func spanOf(p profile.Point) protocol.Range {
	over := p.Ranges[0]
	for _, r := range p.Ranges[1:] {
		over = union(over, r)
	}
	return over
}

// coverOf returns the range from the first atom to the last.
func coverOf(atoms []atom) protocol.Range { return union(atoms[0].over, atoms[len(atoms)-1].over) }

func pointsOf(atoms []atom) (points []profile.Point) {
	for _, a := range atoms {
		points = append(points, a.points...)
	}
	return points
}

// doubt begins to search a read that has failed, with its halves. A silent point that was read alone is asked again
// before it counts as one that the device does not give.
func (p *Poller) doubt(points []profile.Point, silent bool) {
	b := &block{silent: silent, atoms: atomsOf(points)}
	p.mu.Lock()
	for _, point := range points {
		p.doubted[point.Key] = true
	}
	p.generation++
	p.mu.Unlock()
	if len(b.atoms) == 1 {
		p.doubts.blocks = append(p.doubts.blocks, b)
	} else {
		p.halve(b)
	}
}

// forgetDoubts ends every search.
func (p *Poller) forgetDoubts() {
	p.doubts = newDoubts()
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.doubted)
	p.trials = nil
	p.generation++
}

// halve puts the halves of a block before all others. Until they are settled no read runs across from one to the other.
func (p *Poller) halve(b *block) {
	n := len(b.atoms) / 2
	h := &halves{whole: b.atoms, of: b.of, open: 2, clean: true}
	left, right := b.atoms[n-1].over, b.atoms[n].over
	h.gap = protocol.Range{Table: left.Table, Addr: uint16(left.End()), Count: uint16(uint32(right.Addr) - left.End())}
	d := &p.doubts
	d.blocks = slices.Insert(d.blocks, 0,
		&block{silent: b.silent, atoms: b.atoms[:n], of: h}, &block{silent: b.silent, atoms: b.atoms[n:], of: h})
	d.earned -= 2 * perHalf
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trials = append(p.trials, Hole{Range: h.gap})
	p.generation++
}

// endTrial lets reads run across the place between two halves again, unless it has turned out to be a hole.
func (p *Poller) endTrial(h *halves, isHole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.trials, Hole{Range: h.gap}); i >= 0 {
		p.trials = slices.Delete(slices.Clone(p.trials), i, i+1)
	}
	if isHole {
		holes := slices.DeleteFunc(slices.Clone(p.holes), func(known Hole) bool { return known.Range == h.gap })
		p.holes = append(holes, Hole{Range: h.gap, At: time.Now()})
		p.log.Info().Stringer("registers", h.gap).Msg("the device does not read across these registers, planning anew")
	}
	p.generation++
}

func (d *doubts) mayHalve() bool { return d.earned >= 2*perHalf }

// credit counts a poll that was answered; ten pay for one request of a search.
func (d *doubts) credit() {
	d.earned = min(d.earned+1, mostCredit)
	d.answers++
}

// halving reports whether a refused read is still being searched.
func (d *doubts) halving() bool {
	return slices.ContainsFunc(d.blocks, func(b *block) bool { return !b.silent })
}

// silentMay returns the time from which another request may be risked that the device may not answer.
func (d *doubts) silentMay(now time.Time) time.Time {
	if d.silentAt.IsZero() || d.answers >= perHalf-1 {
		return now
	}
	return d.silentAt.Add(silentPause)
}

// next takes out the block that is read now; nil if there is none.
func (d *doubts) next(now time.Time) *block {
	i := slices.IndexFunc(d.blocks, func(b *block) bool { return !b.silent || !d.silentMay(now).After(now) })
	if i < 0 {
		return nil
	}
	b := d.blocks[i]
	d.blocks = slices.Delete(d.blocks, i, i+1)
	return b
}

// wake returns when the next block is read even if no poll is answered before; zero if there is none.
func (d *doubts) wake(now time.Time) time.Time {
	if len(d.blocks) == 0 {
		return time.Time{}
	}
	return d.silentMay(now)
}

// askDoubtful reads a block and draws the conclusion.
func (p *Poller) askDoubtful(ctx context.Context, b *block) {
	d := &p.doubts
	switch err := p.readBlock(ctx, b); {
	case notAsked(ctx, err):
		d.blocks = append(d.blocks, b) // it was not asked, or is asked when the device is back
	case err == nil:
		d.silentAt = time.Time{}
		p.settled(b, true)
	case ask.IsRefusal(err), ask.IsOdd(err) && !ask.IsSilence(err) && time.Since(p.silence.lastRead) < lastReadFor:
		p.failed(ctx, b, err)
	default:
		d.silentAt, d.answers = time.Now(), 0
		if b.silent && ask.IsSilence(err) {
			p.failed(ctx, b, err)
			return
		}
		b.silent = true // it fails now in this way, now in that: it is not asked more often than one that is silent
		d.blocks = append(d.blocks, b)
	}
}

// readBlock reads a block and reports its points; one point is read as Point does, because its words may lie apart.
func (p *Poller) readBlock(ctx context.Context, b *block) error {
	req, points := p.client.Request(protocol.PriorityPoll, ask.ForPoll), pointsOf(b.atoms)
	over := coverOf(b.atoms)
	var readings []ask.Reading
	if len(points) == 1 {
		r, err := ask.Point(ctx, p.device.Do, req, points[0])
		if err != nil {
			return err
		}
		readings = []ask.Reading{r}
	} else {
		req.Op, req.Range = protocol.Read, over
		resp, err := p.device.Do(ctx, req)
		if err != nil {
			return err
		}
		readings = readingsOf(points, over, resp)
	}
	for _, point := range points {
		p.Given(point.Key)
	}
	p.answered(ctx, over, readings)
	return nil
}

// failed deals with a block that has failed in the same way as the read that it is a part of.
func (p *Poller) failed(ctx context.Context, b *block, err error) {
	d, silent := &p.doubts, ask.IsSilence(err) || ask.IsOdd(err)
	b.fails++
	tries := silentTries
	if b.both != nil {
		tries = bothTries
	}
	switch {
	case silent && b.fails < tries, silent && len(b.atoms) == 1 && time.Since(p.silence.lastRead) > lastReadFor:
		d.blocks = append(d.blocks, b) // not sure yet
	case b.both != nil:
		p.failedWhole(ctx, b, err)
	case len(b.atoms) == 1 || !ask.IsSilence(err) && !d.mayHalve():
		p.refuse(ctx, pointsOf(b.atoms), err)
		p.settled(b, false)
	default:
		p.halve(b)
	}
}

// failedWhole deals with a block of which both halves were answered.
func (p *Poller) failedWhole(ctx context.Context, b *block, err error) {
	switch long, unknown := p.isTooLong(ctx, b.atoms, ask.IsSilence(err)); {
	case unknown != nil:
		p.doubts.blocks = append(p.doubts.blocks, b)
	case !long:
		p.endTrial(b.both, true)
		p.settled(b, false)
	}
}

// settled closes a block. When its other half is closed too, it goes on with the block that they were halves of.
func (p *Poller) settled(b *block, clean bool) {
	if b.both != nil && clean {
		p.endTrial(b.both, false) // it was a bad moment
	}
	h := b.of
	if h == nil {
		return
	}
	h.open--
	if h.clean = h.clean && clean; h.open > 0 {
		return
	}
	whole := &block{silent: b.silent, atoms: h.whole, of: h.of, both: h}
	if h.clean {
		p.doubts.blocks = slices.Insert(p.doubts.blocks, 0, whole)
	} else {
		p.endTrial(h, false) // what fails lies in the halves
		p.settled(&block{of: h.of}, false)
	}
}

// Holes returns the holes that are known: found by this Poller, or given to it.
func (p *Poller) Holes() []Hole {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.holes)
}
