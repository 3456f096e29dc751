package scan

import (
	"context"
	"slices"
	"testing"

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

func ids(fits []Fit) (all []string) {
	for _, f := range fits {
		all = append(all, f.Profile.ID)
	}
	return all
}
