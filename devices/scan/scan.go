// Package scan finds out which device family answers at a unit id, and why it is that one. What it knows of families is
// in their profiles: what must hold of each. It reads what says something of the most families first, each register
// once, and none that a family forbids which is not ruled out yet. What is left is identified as the plugin does it.
package scan

import (
	"cmp"
	"context"
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Unit is what was found at a unit id.
type Unit struct {
	ID       protocol.UnitID
	Fits     []Fit         // best first; empty: no family takes it for its own
	Requests int           // that it took
	Gap      time.Duration // that it was found to need behind its replies; 0: a short one does
	Why      string        // a sentence where something went wrong, or nothing fits
}

// Fit is a family that takes the unit for a device of its own.
type Fit struct {
	Profile  *profile.Profile
	Identity devices.Identity // Serial is empty where the unit gives none: a configuration needs an id then
	Score    int              // 0..100: how unlikely it is to find all this by chance
	Reasons  []string         // each a sentence without its full stop
	Choices  []profile.Trait  // what only the owner can tell
}

// Place is where a unit answers. The families that are delivered so are asked about first.
type Place struct {
	Unit   protocol.UnitID
	Serial protocol.Serial // of the line; zero: it is not known
	// Patience is how long a unit is waited for that has not answered yet. Defaults to DefaultPatience.
	Patience time.Duration
}

// Probe returns a read that any unit answers in some way, if only by a refusal, and that harms none.
func Probe(families []*profile.Profile) protocol.Range {
	return suspectsOf(families, Place{}).probe()
}

// Identify asks a unit what it is. The error is that of the line or of ctx, ErrGone, or says that nobody answers
// (ask.IsSilence).
func Identify(ctx context.Context, do Do, at Place, families []*profile.Profile) (Unit, error) {
	return newAsker(do, at).isWhat(ctx, at, families)
}

// isWhat finds out what a unit is.
func (a *asker) isWhat(ctx context.Context, at Place, families []*profile.Profile) (unit Unit, err error) {
	unit.ID = at.Unit
	unit.Fits, err = a.identify(ctx, suspectsOf(families, at))
	if err == nil && len(unit.Fits) == 0 && a.mute {
		if err = a.calm(ctx); err == nil {
			unit.Fits, err = a.identify(ctx, suspectsOf(families, at))
		}
	}
	if unit.Requests = a.requests; a.gap > shortGap && !a.mute {
		unit.Gap = a.gap
	}
	if err == nil && len(unit.Fits) == 0 {
		unit.Why = "it answers, and is nothing that I know"
	}
	return unit, err
}

// identify narrows the families down and identifies the unit as a device of each that is left.
func (a *asker) identify(ctx context.Context, all suspects) ([]Fit, error) {
	left, err := a.narrow(ctx, all)
	if err != nil {
		return nil, err
	}
	return a.confirm(ctx, left)
}

// narrow reads until all families that are left have everything that they need.
func (a *asker) narrow(ctx context.Context, all suspects) (suspects, error) {
	for left := all.left(a.seen); ; {
		r, more := left.next(a.seen)
		if !more {
			return slices.DeleteFunc(left, func(s *suspect) bool { return len(s.needs) > 0 }), nil
		}
		a.never = among(left, nil)
		if err := a.read(ctx, r); err != nil {
			return nil, err
		}
		left = left.left(a.seen)
	}
}

// calm has a unit asked again, in peace, for everything that it was silent about.
func (a *asker) calm(ctx context.Context) error {
	if !a.isThere(ctx) {
		return cmp.Or(ctx.Err(), ErrGone)
	}
	a.gap = max(a.gap, longGap)
	a.seen.forgetSilence()
	return nil
}

// noSerial is the id of a unit that gives no serial number while it is identified.
const noSerial = "no-serial-number"

// isBlank reports whether nothing but zeros speaks for a family, of a unit that refuses next to nothing: it may hold
// zeros everywhere.
func (a *asker) isBlank(s *suspect, who devices.Identity) bool {
	return who.Serial == noSerial && 2*len(a.seen.refused) < a.requests &&
		!slices.ContainsFunc(s.held, func(n need) bool {
			_, at := n.judge(a.seen)
			v, _ := a.seen.value(at)
			return v.Num != 0 || v.Str != ""
		})
}

// confirm identifies the unit as a device of each family that is left.
func (a *asker) confirm(ctx context.Context, left suspects) (fits []Fit, err error) {
	for _, s := range left {
		a.never = among(left, s.family)
		cfg := devices.Config{Profile: s.family, Unit: a.unit, ID: noSerial, Line: s.family.Line,
			Traits: profile.Traits{}}
		for _, t := range s.family.Traits {
			if t.From == profile.FromOwner && t.Otherwise == "" {
				cfg.Traits[t.Name] = t.Typical
			}
		}
		who, err := devices.Identify(ctx, a, cfg)
		_, other := isOther(err)
		switch {
		case err == nil:
			if !a.isBlank(s, who) {
				fits = append(fits, a.fit(s, who))
			}
		case ctx.Err() != nil:
			return fits, ctx.Err()
		case !other && !ask.IsSilence(err) && !ask.IsRefusal(err):
			return fits, err
		}
	}
	slices.SortStableFunc(fits, func(a, b Fit) int { return cmp.Compare(b.Score, a.Score) })
	return fits, nil
}
