package link

import (
	"testing"
	"time"

	"solarhub/protocol"
)

func TestPendingClassify(t *testing.T) {
	a, b, c := shape{function: 3, size: 20}, shape{function: 3, size: 2}, shape{function: 6, echo: [4]byte{0, 1, 0, 2}}
	for _, tt := range []struct {
		name      string
		pending   []shape
		shape     shape
		exception bool
		own       shape
		want      replyKind
		left      int // pending
	}{
		{"nothing pending", nil, a, false, a, awaited, 0},
		{"nothing pending, refused", nil, a, true, b, awaited, 0},
		{"a fresh shape settles all", []shape{a, c}, b, false, b, awaited, 0},
		{"a pending reply", []shape{a, c}, a, false, b, late, 1},
		{"a younger pending reply settles the older", []shape{a, c}, c, false, b, late, 0},
		{"the same shape twice, the oldest is taken", []shape{a, a}, a, false, b, late, 1},
		{"a refusal that may be old", []shape{a, c}, shape{function: 3}, true, b, late, 1},
		{"a refusal of another function is ours", []shape{c}, shape{function: 3}, true, b, awaited, 0},
		{"unknown", []shape{a}, shape{function: 4, size: 2}, false, b, foreign, 1},
		{"unknown refusal", []shape{a}, shape{function: 16}, true, b, foreign, 1},
		{"between two requests", nil, a, false, shape{}, foreign, 0},
	} {
		var p pendingReplies
		for _, s := range tt.pending {
			p.add(pending{shape: s})
		}
		if kind, _ := p.classify(reply{shape: tt.shape, exception: tt.exception}, tt.own); kind != tt.want ||
			len(p) != tt.left {
			t.Errorf("%s: %d, %d left; want %d, %d", tt.name, kind, len(p), tt.want, tt.left)
		}
	}
}

func TestPendingExpire(t *testing.T) {
	p, begun := pendingReplies{}, time.Now()
	for i := range 2 * maxPending {
		p.add(pending{shape: shape{function: 3, size: i}, at: begun.Add(time.Duration(i) * time.Second)})
	}
	if len(p) != maxPending || p.has(shape{function: 3, size: 0}) ||
		!p.has(shape{function: 3, size: 2*maxPending - 1}) {
		t.Errorf("%d are remembered", len(p))
	}
	p.expire(begun.Add(pendingFor + 100*time.Second))
	if p.has(shape{function: 3, size: 100}) || !p.has(shape{function: 3, size: 101}) {
		t.Error("it is not remembered for 30 s")
	}
}

// A probe never has the shape that it is to settle, has a fresh one while there is one, and stays within what can be
// read.
func TestProbe(t *testing.T) {
	holding := func(addr, count uint16) protocol.Range { return protocol.Range{Addr: addr, Count: count} }
	good := holding(100, 45)
	bits := protocol.Request{Unit: 1, Range: protocol.Range{Table: protocol.Coil, Addr: 0, Count: 3}}
	for _, tt := range []struct {
		name    string
		pending []uint16 // counts of holding reads
		req     protocol.Request
		good    protocol.Range
		want    protocol.Range
	}{
		{"one", []uint16{10}, readOf(5, 10), good, holding(100, 1)},
		{"none of one register more", []uint16{1}, readOf(5, 1), good, holding(100, 3)},
		{"the first probe is pending, too", []uint16{10, 1}, readOf(5, 10), good, holding(100, 2)},
		{"many", []uint16{10, 1, 2, 10, 4}, readOf(5, 10), good, holding(100, 3)},
		{"all", []uint16{10, 1, 2, 10, 3, 4}, readOf(5, 10), holding(100, 4), holding(100, 4)},
		{"nothing known", []uint16{10}, readOf(5, 10), protocol.Range{}, holding(5, 1)},
		{"for a write", nil, writeOf(5, 1), protocol.Range{}, holding(5, 1)},
		{"at the end", []uint16{1}, readOf(65535, 1), protocol.Range{}, holding(65533, 3)},
		{"bits", nil, bits, protocol.Range{}, protocol.Range{Table: protocol.Coil, Count: 9}},
		{"bits, registers known", nil, bits, good, holding(100, 1)},
	} {
		var p pendingReplies
		for _, count := range tt.pending {
			p.add(pending{shape: shapeOf(readOf(0, count)), at: time.Now()})
		}
		got := p.probe(tt.req, tt.good, nil)
		if got.Range != tt.want || got.Op != protocol.Read || got.Unit != tt.req.Unit ||
			shapeOf(got) == shapeOf(tt.req) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if err := got.Check(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
