package devices

import (
	"context"
	"fmt"
	"slices"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// A device with models of SunSpec holds the letters "SunS" at one of a few addresses. Behind them the models follow one
// another, each with its id and its length; the id 0xFFFF ends them. Source: SunSpec Device Information Model
// Specification 1.1, 6.2.
const (
	sunS      = 0x53756E53
	endOfAll  = 0xFFFF
	mostLinks = 100 // models that are followed; the longest chain known has about 30
)

// walk settles which models the device has. A chain that is known from before is taken if its beginning and its end
// are where they were.
func (q *inquiry) walk(ctx context.Context) error {
	suns := q.cfg.Profile.SunSpec
	if suns == nil || q.known[profile.ChainTrait] != "" {
		return nil
	}
	if same, err := q.isStill(ctx, q.before[profile.ChainTrait]); err != nil || same {
		if same {
			q.known[profile.ChainTrait] = q.before[profile.ChainTrait]
		}
		return err
	}
	for i := range suns.Bases {
		base := suns.Bases[(i+q.firstBase)%len(suns.Bases)]
		begins, err := q.begins(ctx, base)
		if err != nil {
			q.firstBase++ // it may be silent about an address that it does not have
			return err
		}
		if !begins {
			continue
		}
		chain, err := q.follow(ctx, base)
		if err == nil {
			q.known[profile.ChainTrait] = chain.String()
		}
		return err
	}
	return notIt("unit %d is no %s: it holds no SunSpec models (looked at %v)", q.cfg.Unit, q.cfg.Profile.Name,
		suns.Bases)
}

// isStill reports whether the device still has the models of a chain.
func (q *inquiry) isStill(ctx context.Context, text string) (bool, error) {
	chain, err := profile.ParseChain(text)
	if err != nil || len(chain.Models) == 0 {
		return false, nil // none is known
	}
	if begins, err := q.begins(ctx, chain.Base); err != nil || !begins {
		return false, err
	}
	last := chain.Models[len(chain.Models)-1]
	words, err := q.words(ctx, last.Addr, 2)
	if err != nil || words == nil || words[0] != uint16(last.ID) || words[1] != last.Length {
		return false, err
	}
	end, err := q.words(ctx, last.Addr+2+last.Length, 1)
	return err == nil && (end == nil || end[0] == endOfAll), err
}

// begins reports whether the models begin at an address.
func (q *inquiry) begins(ctx context.Context, base uint16) (bool, error) {
	words, err := q.words(ctx, base, 2)
	return err == nil && words != nil && uint32(words[0])<<16|uint32(words[1]) == sunS, err
}

// follow goes from model to model. Some devices end behind the last model without the id that says so.
func (q *inquiry) follow(ctx context.Context, base uint16) (profile.Chain, error) {
	chain := profile.Chain{Base: base}
	for at := uint32(base) + 2; ; {
		broken := func(why string) error {
			return notIt("unit %d is no %s: its SunSpec models break off at %d, behind %d of them: %s", q.cfg.Unit,
				q.cfg.Profile.Name, at, len(chain.Models), why)
		}
		if at > 0xFFFF-1 || len(chain.Models) == mostLinks {
			return chain, broken("there is no end")
		}
		words, err := q.words(ctx, uint16(at), 2)
		switch {
		case err != nil:
			return chain, err
		case words == nil && len(chain.Models) > 0, words != nil && words[0] == endOfAll:
			return chain, nil
		case words == nil:
			return chain, broken("the device refuses the registers")
		case words[0] == 0 || words[1] == 0:
			return chain, broken(fmt.Sprintf("a model %d of %d registers cannot be", words[0], words[1]))
		case at+2+uint32(words[1]) > 0xFFFF:
			return chain, broken(fmt.Sprintf("model %d leaves the addresses with its %d registers", words[0], words[1]))
		}
		chain.Models = append(chain.Models, profile.Model{ID: int(words[0]), Addr: uint16(at), Length: words[1]})
		at += 2 + uint32(words[1])
	}
}

// words reads holding registers; nil if the device refuses them.
func (q *inquiry) words(ctx context.Context, at, count uint16) ([]uint16, error) {
	req := q.client.Request(protocol.PriorityRead, ask.ForTurn)
	req.Op, req.Range = protocol.Read, protocol.Range{Addr: at, Count: count}
	if slices.ContainsFunc(q.never(), req.Range.Overlaps) {
		return nil, nil
	}
	resp, err := q.exchange(ctx, req)
	if ask.IsRefusal(err) || ask.IsSilence(err) && q.heard {
		q.heard = true
		return nil, nil
	}
	q.heard = q.heard || err == nil
	return resp.Words, err
}
