package scan

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// answering returns what asks a simulated unit, without a line, and keeps what was asked.
func answering(u *sim.Unit, asked *[]protocol.Range) Do {
	return func(_ context.Context, req protocol.Request) (protocol.Response, error) {
		*asked = append(*asked, req.Range)
		words, ok := u.Get(req.Range.Table, req.Range.Addr, req.Range.Count)
		if !ok || req.Op != protocol.Read {
			return protocol.Response{}, protocol.ExceptionError{Code: protocol.IllegalDataAddress}
		}
		return protocol.Response{Words: words}, nil
	}
}

func shipped(t testing.TB) []*profile.Profile {
	t.Helper()
	all, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Each family with each of its traits is found among all, first and alone but for the models of SunSpec that it has.
// Nothing is read that its profile forbids.
func TestEveryFamilyIsFound(t *testing.T) {
	families := shipped(t)
	most, total, n := 0, 0, 0
	for _, p := range families {
		for _, traits := range p.Cases() {
			u, err := simulate.Unit(p, traits, "TEST123456")
			if err != nil {
				t.Fatal(err)
			}
			var asked []protocol.Range
			at := Place{Unit: u.ID(), Serial: p.Line.Serial}
			found, err := Identify(t.Context(), answering(u, &asked), at, families)
			if err != nil {
				t.Errorf("%s %v: %v", p.ID, traits, err)
				continue
			}
			if len(found.Fits) == 0 || found.Fits[0].Profile != p {
				t.Errorf("%s %v: found %v", p.ID, traits, ids(found.Fits))
				continue
			}
			others := slices.DeleteFunc(ids(found.Fits[1:]), func(id string) bool { return id == "sunspec" })
			if len(others) > 0 {
				t.Errorf("%s %v: also %v", p.ID, traits, others)
			}
			if text := p.TraitsText(traits); found.Fits[0].Identity.Traits != text && !asksOwner(p, traits) {
				t.Errorf("%s: found as %q, not %q", p.ID, found.Fits[0].Identity.Traits, text)
			}
			for _, r := range asked {
				if slices.ContainsFunc(p.Line.Never, r.Overlaps) {
					t.Errorf("%s: %v was read", p.ID, r)
				}
			}
			most, total, n = max(most, len(asked)), total+len(asked), n+1
		}
	}
	t.Logf("%d devices, %d reads each on average, at most %d", n, total/max(n, 1), most)
}

// A device that may take harm from registers that it does not have is asked for none of them.
func TestNothingUnknownIsReadOfADelicateDevice(t *testing.T) {
	families := shipped(t)
	p, err := profile.Get("growatt_spf")
	if err != nil {
		t.Fatal(err)
	}
	u, err := simulate.Unit(p, p.Cases()[0], "TEST123456")
	if err != nil {
		t.Fatal(err)
	}
	points, err := p.Resolve(p.Cases()[0])
	if err != nil {
		t.Fatal(err)
	}
	var asked, has []protocol.Range
	for _, point := range points {
		has = append(has, point.Ranges...)
	}
	for _, f := range p.IdentityFields(p.Cases()[0]) {
		has = append(has, f.Ranges...)
	}
	if _, err := Identify(t.Context(), answering(u, &asked), Place{Unit: u.ID()}, families); err != nil {
		t.Fatal(err)
	}
	for _, r := range append(asked, Probe(families)) {
		if !slices.ContainsFunc(has, func(h protocol.Range) bool { return h.Contains(r) }) {
			t.Errorf("%v was read", r)
		}
	}
}

// asksOwner reports whether the owner would have had to say something of a device, which changes what is read of it.
func asksOwner(p *profile.Profile, traits profile.Traits) bool {
	return slices.ContainsFunc(p.Traits, func(t profile.Trait) bool {
		return t.From == profile.FromOwner && traits[t.Name] != t.Otherwise
	})
}

func ids(fits []Fit) (all []string) {
	for _, f := range fits {
		all = append(all, f.Profile.ID)
	}
	return all
}

// silent returns what asks a unit that does not answer where others refuse.
func silent(u *sim.Unit, asked *[]protocol.Range) Do {
	do := answering(u, asked)
	return func(ctx context.Context, req protocol.Request) (protocol.Response, error) {
		resp, err := do(ctx, req)
		if err != nil {
			time.Sleep(req.Pace.Timeout)
			return resp, &protocol.LinkError{Op: "receive", Link: "line", Err: protocol.ErrTimeout}
		}
		return resp, nil
	}
}

// A device that is silent where others refuse is found, too, if it is asked for something that it has.
func TestSilentDevices(t *testing.T) {
	families := shipped(t)
	longest := time.Duration(0)
	for _, p := range families {
		u, err := simulate.Unit(p, p.Cases()[0], "TEST123456")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			var asked []protocol.Range
			at := Place{Unit: u.ID(), Serial: p.Line.Serial}
			a := newAsker(silent(u, &asked), at)
			begun := time.Now()
			own := suspectsOf([]*profile.Profile{p}, at)[0].needs[0].questions(a.seen)[0]
			if err := a.read(t.Context(), own); err != nil {
				t.Fatal(err)
			}
			fits, err := a.identify(t.Context(), suspectsOf(families, at))
			if err != nil || len(fits) == 0 || fits[0].Profile != p {
				t.Errorf("%s: %v, %v", p.ID, ids(fits), err)
			}
			longest = max(longest, time.Since(begun))
			if took := time.Since(begun); took > 20*time.Second {
				t.Logf("%s: %v", p.ID, took)
			}
		})
	}
	t.Logf("at most %v", longest)
}

// A device of no family is said to be none.
func TestStranger(t *testing.T) {
	for name, fill := range map[string]func(addr uint16) uint16{
		"zeros":   func(uint16) uint16 { return 0 },
		"ones":    func(uint16) uint16 { return 0xFFFF },
		"counted": func(addr uint16) uint16 { return addr },
		"drawn":   func(addr uint16) uint16 { return uint16(uint32(addr) * 2654435761 >> 13) },
	} {
		u := sim.NewUnit(1)
		for addr := range uint16(0xFFFF) {
			u.Set(protocol.HoldingRegister, addr, fill(addr))
			u.Set(protocol.InputRegister, addr, fill(addr))
		}
		var asked []protocol.Range
		found, err := Identify(t.Context(), answering(u, &asked), Place{Unit: 1}, shipped(t))
		if err != nil || found.Why == "" {
			t.Errorf("%s: %v, %v", name, ids(found.Fits), err)
		}
		for _, f := range found.Fits {
			t.Logf("%s: %s %d %v", name, f.Profile.ID, f.Score, f.Reasons)
		}
	}
	t.Log(Probe(shipped(t)))
}
