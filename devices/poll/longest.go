package poll

import (
	"context"
	"errors"
	"time"

	"solarhub/devices/ask"
	"solarhub/protocol"
)

// A read that fails while both of its halves are answered is too long, or runs across registers that the device does
// not read across. A short read across the same place tells: where that is answered, it is the length.

// Longest is the most registers that one read of a device may have; zero: nobody knows of a limit.
type Longest struct {
	Registers uint16    `json:"registers"`
	At        time.Time `json:"at"` // when it was found
}

// Probes of a length: where each refusal comes at once, as many as find it exactly; where each costs a timeout, few.
const (
	probesRefused = 7
	probesSilent  = 2
)

// isTooLong finds out whether a read of atoms fails by its length, and remembers the most that works. The error is that
// of a probe that was not sent: then nothing is known.
func (p *Poller) isTooLong(ctx context.Context, atoms []atom, silent bool) (bool, error) {
	n, whole := len(atoms)/2, coverOf(atoms)
	across := union(atoms[n-1].over, atoms[n].over)
	if whole.Table.Bits() || across.Count >= whole.Count {
		return false, nil
	}
	if err := p.probe(ctx, across); notAsked(ctx, err) {
		return false, err
	} else if err != nil {
		return false, nil
	}
	// Both halves were answered.
	works := max(across.Count, coverOf(atoms[:n]).Count, coverOf(atoms[n:]).Count)
	for r := range p.silence.trusted {
		if !r.Table.Bits() {
			works = max(works, r.Count)
		}
	}
	fails, probes := whole.Count, probesRefused
	if silent {
		probes = probesSilent
	}
	if works >= fails {
		return false, nil
	}
	for r := whole; probes > 0 && fails-works > 1; probes-- {
		r.Count = works + (fails-works)/2
		switch err := p.probe(ctx, r); {
		case err == nil:
			works = r.Count
		case notAsked(ctx, err):
			return false, err
		default:
			fails = r.Count
		}
	}
	p.mu.Lock()
	p.longest = Longest{works, time.Now()}
	p.mu.Unlock()
	p.log.Info().Uint16("registers", works).Msg("the device does not answer longer reads, planning anew")
	p.forgetDoubts()
	return true, nil
}

// notAsked reports whether an error says that a request did not go out, or that nobody waits for its reply.
func notAsked(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, ErrAway) || errors.Is(err, protocol.ErrExpired))
}

// probe reads a range for the sake of the reply.
func (p *Poller) probe(ctx context.Context, r protocol.Range) error {
	req := p.client.Request(protocol.PriorityPoll, ask.ForPoll)
	req.Op, req.Range = protocol.Read, r
	_, err := p.device.Do(ctx, req)
	if err == nil {
		p.silence.alive(time.Now())
	}
	return err
}

// Longest returns the most registers that one read may have, as this Poller found or was given it.
func (p *Poller) Longest() Longest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.longest
}
