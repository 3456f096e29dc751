package protocol

import (
	"testing"
	"time"
)

func TestDebtsAnswered(t *testing.T) {
	a, b, c := shape{function: 3, size: 20}, shape{function: 3, size: 2}, shape{function: 6, echo: [4]byte{0, 1, 0, 2}}
	for _, tt := range []struct {
		name       string
		owed       []shape
		reply      shape
		exception  bool
		own        shape
		yes, known bool
		left       int
	}{
		{"nothing owed", nil, a, false, a, true, true, 0},
		{"nothing owed, refused", nil, a, true, b, true, true, 0},
		{"a fresh shape settles all", []shape{a, c}, b, false, b, true, true, 0},
		{"an owed reply", []shape{a, c}, a, false, b, false, true, 1},
		{"a younger owed reply settles the older", []shape{a, c}, c, false, b, false, true, 0},
		{"the same shape twice, the oldest is taken", []shape{a, a}, a, false, b, false, true, 1},
		{"a refusal that may be old", []shape{a, c}, shape{function: 3}, true, b, false, true, 1},
		{"a refusal of another function is ours", []shape{c}, shape{function: 3}, true, b, true, true, 0},
		{"unknown", []shape{a}, shape{function: 4, size: 2}, false, b, false, false, 1},
		{"unknown refusal", []shape{a}, shape{function: 16}, true, b, false, false, 1},
	} {
		d := &debts{}
		for _, s := range tt.owed {
			d.add(s, time.Now())
		}
		yes, known := d.answered(tt.reply, tt.exception, tt.own)
		if yes != tt.yes || known != tt.known || len(d.owed) != tt.left {
			t.Errorf("%s: answers %v, known %v, %d left; want %v, %v, %d", tt.name, yes, known, len(d.owed), tt.yes, tt.known, tt.left)
		}
	}
}

func TestDebtsForget(t *testing.T) {
	d, begun := &debts{}, time.Now()
	for i := range 2 * maxOwed {
		d.add(shape{function: 3, size: i}, begun.Add(time.Duration(i)*time.Second))
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
	good := Range{HoldingRegister, 100, 45}
	bits := Request{Unit: 1, Range: Range{Coil, 0, 3}}
	for _, tt := range []struct {
		name string
		owed []uint16 // counts of owed holding reads
		req  Request
		good Range
		want Range
	}{
		{"one", []uint16{10}, readOf(5, 10), good, Range{HoldingRegister, 100, 1}},
		{"two", []uint16{1}, readOf(5, 1), good, Range{HoldingRegister, 100, 2}},
		{"the first probe is owed, too", []uint16{10, 1}, readOf(5, 10), good, Range{HoldingRegister, 100, 2}},
		{"all are owed", []uint16{10, 1, 2, 10, 18}, readOf(5, 10), good, Range{HoldingRegister, 100, 1}},
		{"nothing known", []uint16{10}, readOf(5, 10), Range{}, Range{HoldingRegister, 5, 1}},
		{"for a write", nil, writeOf(5, 1), Range{}, Range{HoldingRegister, 5, 1}},
		{"at the end", []uint16{1}, readOf(65535, 1), Range{}, Range{HoldingRegister, 65534, 2}},
		{"bits", nil, bits, Range{}, Range{Coil, 0, 9}},
		{"bits, registers known", nil, bits, good, Range{HoldingRegister, 100, 1}},
	} {
		d := &debts{}
		for _, count := range tt.owed {
			d.add(shapeOf(readOf(0, count)), time.Now())
		}
		got := d.probe(tt.req, tt.good)
		if got.Range != tt.want || got.Op != Read || got.Unit != tt.req.Unit || shapeOf(got) == shapeOf(tt.req) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if err := got.Check(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
