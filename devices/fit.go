package devices

import (
	"context"
	"slices"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Fit returns the profiles that take what answers for a device of theirs, those with the strongest reasons; several if
// their reasons are equally strong. Registers that one of the profiles forbids are not read. Nothing is written.
func Fit(ctx context.Context, bus Bus, of Config, among []*profile.Profile) (best []*profile.Profile) {
	var never []protocol.Range
	for _, p := range append([]*profile.Profile{of.Profile}, among...) {
		never = slices.Concat(never, p.Line.Never, p.Identify.Never)
	}
	most := 0
	for _, p := range among {
		cfg := Config{Profile: p, Unit: of.Unit, ID: of.ID, Line: of.Line}
		cfg.Line.Holes, cfg.Line.Starts, cfg.Line.Never = p.Line.Holes, p.Line.Starts, never
		score := strength(p)
		if score < most || New(cfg, bus, nowhere{}, zerolog.Nop()).identify(ctx) != nil {
			continue
		}
		if score > most {
			most, best = score, nil
		}
		best = append(best, p)
	}
	return best
}

// Identify asks once who answers. The error says why it is not a device of the profile.
func Identify(ctx context.Context, bus Bus, cfg Config) (Identity, error) {
	d := New(cfg, bus, nowhere{}, zerolog.Nop())
	err := d.identify(ctx)
	return d.Identity(), err
}

// strength scores the reasons for which a profile takes a device for one of its family: what must hold of it counts
// twice, a serial number in its place and the models of SunSpec once each.
func strength(p *profile.Profile) (score int) {
	score = 2 * len(p.Identify.Expect)
	for _, t := range p.Traits {
		if t.Otherwise == "" && t.From != profile.FromChain && t.From != profile.FromOwner {
			score += 2
		}
	}
	if p.Identify.Serial().Present() {
		score++
	}
	if p.SunSpec != nil {
		score++
	}
	return score
}

// nowhere is a sink for a device that is only asked who it is.
type nowhere struct{}

func (nowhere) Readings(context.Context, *Device, []Reading) {}
func (nowhere) Status(context.Context, *Device, Status)      {}
func (nowhere) Changed(context.Context, *Device, Changed)    {}
