package link

import (
	"testing"
	"time"

	"solarhub/protocol"
)

func TestAccountJudge(t *testing.T) {
	a, b, c := shape{function: 3, size: 20}, shape{function: 3, size: 2}, shape{function: 6, echo: [4]byte{0, 1, 0, 2}}
	const before, again = "before", "again"
	for _, tt := range []struct {
		name      string
		owed      []shape
		last      string // the reply that came directly before; empty: none
		shape     shape
		exception bool
		own       shape
		want      standing
		left      int // owed
	}{
		{"nothing owed", nil, "", a, false, a, awaited, 0},
		{"nothing owed, refused", nil, "", a, true, b, awaited, 0},
		{"a fresh shape", []shape{a, c}, "", b, false, b, awaited, 2},
		{"an owed reply", []shape{a, c}, "", a, false, b, late, 1},
		{"a younger owed reply settles the older", []shape{a, c}, "", c, false, b, late, 0},
		{"the same shape twice, the oldest is taken", []shape{a, a}, "", a, false, b, late, 1},
		{"a refusal that may be old", []shape{a, c}, "", shape{function: 3}, true, b, late, 1},
		{"a refusal of another function is ours", []shape{c}, "", shape{function: 3}, true, b, awaited, 1},
		{"unknown", []shape{a}, "", shape{function: 4, size: 2}, false, b, unasked, 1},
		{"unknown refusal", []shape{a}, "", shape{function: 16}, true, b, unasked, 1},
		{"another reply of the same shape", nil, before, a, false, a, awaited, 0},
		{"what may be a copy is left to the link", nil, again, a, false, a, awaited, 0},
		{"a copy", nil, again, a, false, b, repeated, 0},
		{"a copy between two requests", nil, again, a, false, shape{}, repeated, 0},
		{"what may be a copy pays no debt", []shape{a}, again, a, false, b, repeated, 1},
	} {
		u, now := new(account), time.Now()
		for _, s := range tt.owed {
			u.add(owed{shape: s})
		}
		if tt.last != "" {
			u.keep(reply{shape: a, adu: []byte(tt.last)}, now.Add(-copyWithin/2))
		}
		j := u.judge(reply{shape: tt.shape, exception: tt.exception, adu: []byte(again)}, tt.own, now, now)
		if j.is != tt.want || len(u.owed) != tt.left || j.again != (tt.last == again) {
			t.Errorf("%s: %+v, %d left; want %d, %d", tt.name, j, len(u.owed), tt.want, tt.left)
		}
	}
}

// A reply that comes behind one that was doubted shows that it was a copy; a copy does not come late.
func TestAccountCopies(t *testing.T) {
	s, now := shape{function: 3, size: 2}, time.Now()
	r := reply{shape: s, adu: []byte{1}}
	u := new(account)
	u.add(owed{shape: s, doubted: true})
	if j := u.judge(r, shape{}, now, now); j.is != repeated || u.owes(s) {
		t.Errorf("%+v", j)
	}
	u = new(account)
	u.keep(r, now)
	if j := u.judge(r, s, now.Add(copyWithin), now.Add(copyWithin)); j.is != awaited || j.again {
		t.Errorf("%+v", j)
	}
	if got := u.undecided(s); got != now.Add(2*copyWithin) {
		t.Errorf("undecided until %v", got)
	}
	if got := u.undecided(shape{function: 3, size: 4}); !got.IsZero() {
		t.Errorf("another shape undecided until %v", got)
	}
}

func TestDebtsForget(t *testing.T) {
	d, begun := &debts{}, time.Now()
	for i := range 2 * maxOwed {
		d.add(owed{shape: shape{function: 3, size: i}, at: begun.Add(time.Duration(i) * time.Second)})
	}
	if len(d.owed) != maxOwed || d.owes(shape{function: 3, size: 0}) || !d.owes(shape{function: 3, size: 2*maxOwed - 1}) {
		t.Errorf("%d are remembered", len(d.owed))
	}
	d.forget(begun.Add(oweFor + 100*time.Second))
	if d.owes(shape{function: 3, size: 100}) || !d.owes(shape{function: 3, size: 101}) {
		t.Error("not a minute is remembered")
	}
}

// A probe never has the shape it is to settle, has a fresh one while there is one, and stays within what can be read.
func TestDebtsProbe(t *testing.T) {
	good := protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 45}
	bits := protocol.Request{Unit: 1, Range: protocol.Range{Table: protocol.Coil, Addr: 0, Count: 3}}
	for _, tt := range []struct {
		name string
		owed []uint16 // counts of owed holding reads
		req  protocol.Request
		good protocol.Range
		want protocol.Range
	}{
		{"one", []uint16{10}, readOf(5, 10), good, protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 1}},
		{"two", []uint16{1}, readOf(5, 1), good, protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 2}},
		{"the first probe is owed, too", []uint16{10, 1}, readOf(5, 10), good, protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 2}},
		{"many are owed", []uint16{10, 1, 2, 10, 4}, readOf(5, 10), good, protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 3}},
		{"all are owed", []uint16{10, 1, 2, 10, 3, 4}, readOf(5, 10), protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 4}, protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 4}},
		{"nothing known", []uint16{10}, readOf(5, 10), protocol.Range{}, protocol.Range{Table: protocol.HoldingRegister, Addr: 5, Count: 1}},
		{"for a write", nil, writeOf(5, 1), protocol.Range{}, protocol.Range{Table: protocol.HoldingRegister, Addr: 5, Count: 1}},
		{"at the end", []uint16{1}, readOf(65535, 1), protocol.Range{}, protocol.Range{Table: protocol.HoldingRegister, Addr: 65534, Count: 2}},
		{"bits", nil, bits, protocol.Range{}, protocol.Range{Table: protocol.Coil, Addr: 0, Count: 9}},
		{"bits, registers known", nil, bits, good, protocol.Range{Table: protocol.HoldingRegister, Addr: 100, Count: 1}},
	} {
		d := &debts{}
		for _, count := range tt.owed {
			d.add(owed{shape: shapeOf(readOf(0, count)), at: time.Now()})
		}
		got := d.probe(tt.req, tt.good)
		if got.Range != tt.want || got.Op != protocol.Read || got.Unit != tt.req.Unit || shapeOf(got) == shapeOf(tt.req) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if err := got.Check(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
