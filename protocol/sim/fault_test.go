package sim

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// What each kind makes of the reply to a read of one register with the value 1005, on both framings.
func TestDeliver(t *testing.T) {
	request := pdu(3, 5, 1)
	reply := []byte{3, 2, 0x03, 0xED}
	good, goodTCP := rtu(1, reply...), tcp(9, 1, reply...)
	one := func(b []byte) [][]byte { return [][]byte{b} }
	for _, tt := range []struct {
		fault    Fault
		rtu, tcp [][]byte
		rest     delivery
	}{
		{Fault{Kind: Drop}, nil, nil, delivery{}},
		{Fault{Kind: ReplyLost}, nil, nil, delivery{}},
		{Fault{Kind: Late, Delay: 5}, one(good), one(goodTCP), delivery{delay: 5}},
		{Fault{Kind: Exception, Code: 6}, one(rtu(1, 0x83, 6)), one(tcp(9, 1, 0x83, 6)), delivery{}},
		{Fault{Kind: Truncated}, one(good[:3]), one(goodTCP[:5]), delivery{}},
		{Fault{Kind: Truncated, Size: 6}, one(good[:6]), one(goodTCP[:6]), delivery{}},
		{Fault{Kind: Truncated, Size: 600}, one(good), one(goodTCP), delivery{}},
		{Fault{Kind: Foreign}, [][]byte{rtu(2, reply...), good}, [][]byte{tcp(8, 2, reply...), goodTCP}, delivery{}},
		{Fault{Kind: Stray, Bytes: []byte{0, 255}}, one(append([]byte{0, 255}, good...)),
			one(append([]byte{0, 255}, goodTCP...)), delivery{}},
		{Fault{Kind: Garbage, Bytes: []byte{1}}, one([]byte{1}), one([]byte{1}), delivery{}},
		{Fault{Kind: OtherBaud, Bytes: []byte{1}}, one([]byte{1}), one([]byte{1}), delivery{}},
		{Fault{Kind: Echo}, one(good), one(goodTCP), delivery{}},
		{Fault{Kind: Drip, Delay: 5}, one(good), one(goodTCP), delivery{drip: 5}},
		{Fault{Kind: WrongUnit}, one(rtu(2, reply...)), one(tcp(9, 2, reply...)), delivery{}},
		{Fault{Kind: NoUnit}, one(rtu(255, reply...)), one(tcp(9, 255, reply...)), delivery{}},
		{Fault{Kind: WrongTransaction}, one(good), one(tcp(10, 1, reply...)), delivery{}},
		{Fault{Kind: WrongLength}, one(rtu(1, 3, 0)), one(tcp(9, 1, 3, 0)), delivery{}},
		{Fault{Kind: WrongCount}, one(rtu(1, 3, 4, 0x03, 0xED)), one(tcp(9, 1, 3, 4, 0x03, 0xED)), delivery{}},
		{Fault{Kind: HangUp, Delay: 5}, one(good[:3]), one(goodTCP[:5]), delivery{ending: resets}},
		{Fault{Kind: CloseBefore, Delay: 5}, nil, nil, delivery{ending: closes}},
		{Fault{Kind: CloseAfter, Delay: 5}, one(good), one(goodTCP), delivery{ending: closes}},
	} {
		for framing, want := range map[Framing][][]byte{RTU: tt.rtu, TCP: tt.tcp} {
			req := frame{transaction: 9, unit: 1, pdu: request}
			asked := false
			got := deliver(framing, req, &tt.fault, rand.New(rand.NewPCG(1, 1)),
				func() []byte { asked = true; return slices.Clone(reply) })
			if !slices.EqualFunc(got.parts, want, bytes.Equal) {
				t.Errorf("%s on %v: % x, not % x", tt.fault.Kind, framing, got.parts, want)
			}
			if got.parts = nil; got.delay != tt.rest.delay || got.drip != tt.rest.drip || got.ending != tt.rest.ending {
				t.Errorf("%s: %+v, not %+v", tt.fault.Kind, got, tt.rest)
			}
			if kept := slices.Contains([]Kind{Drop, Exception, OtherBaud}, tt.fault.Kind); asked == kept {
				t.Errorf("%s: carried out: %v", tt.fault.Kind, asked)
			}
		}
	}
}

// One byte of the reply is another and no checksum fits; on TCP the protocol id is wrong. Each byte has its turn.
func TestDeliverCorrupted(t *testing.T) {
	good, random := rtu(1, 3, 2, 0x03, 0xED), rand.New(rand.NewPCG(1, 1))
	var hit [7]int
	for range 500 {
		d := deliver(RTU, frame{unit: 1, pdu: pdu(3, 5, 1)}, &Fault{Kind: Corrupted}, random,
			func() []byte { return []byte{3, 2, 0x03, 0xED} })
		if len(d.parts) != 1 || len(d.parts[0]) != len(good) || intact(d.parts[0]) {
			t.Fatalf("% x", d.parts)
		}
		other := 0
		for i, b := range d.parts[0] {
			if b != good[i] {
				hit[i]++
				other++
			}
		}
		if other != 1 {
			t.Fatalf("%d bytes of % x are not those of % x", other, d.parts[0], good)
		}
	}
	if slices.Min(hit[:]) == 0 {
		t.Errorf("how often each byte was another: %v", hit)
	}
	d := deliver(TCP, frame{unit: 1, pdu: pdu(3, 5, 1)}, &Fault{Kind: Corrupted}, random,
		func() []byte { return []byte{3, 2, 0x03, 0xED} })
	if _, _, err := nextTCP(d.parts[0]); err == nil {
		t.Errorf("% x is sound", d.parts[0])
	}
}

// Every kind plays on every reply, however short, and on no kind the reply's own bytes change.
func TestDeliverEveryKind(t *testing.T) {
	for _, kind := range Kinds() {
		for _, reply := range [][]byte{{0x83, 2}, {3, 0}, pdu(6, 1, 2), {3, 4, 1, 2, 3, 4}} {
			before := slices.Clone(reply)
			deliver(RTU, frame{unit: 1, pdu: pdu(3, 0, 1)}, &Fault{Kind: kind}, rand.New(rand.NewPCG(1, 1)),
				func() []byte { return reply })
			if !bytes.Equal(reply, before) {
				t.Errorf("%s changed % x into % x", kind, before, reply)
			}
		}
	}
	write := pdu(6, 1, 2)
	for kind, want := range map[Kind][]byte{WrongLength: {6, 0, 1}, WrongCount: pdu(6, 1, 3)} {
		got := deliver(RTU, frame{unit: 1, pdu: write}, &Fault{Kind: kind}, nil, func() []byte { return write })
		if !bytes.Equal(got.parts[0], rtu(1, want...)) {
			t.Errorf("%s of a write: % x", kind, got.parts[0])
		}
	}
}

func TestScriptMatches(t *testing.T) {
	read, _ := parse(pdu(3, 10, 5))
	write, _ := parse(pdu(6, 14, 5))
	for _, tt := range []struct {
		match Match
		read  bool
		write bool
		other bool // unit 2
	}{
		{Match{}, true, true, true},
		{Match{Units: []protocol.UnitID{1}}, true, true, false},
		{Match{Functions: WriteFunctions}, false, true, false},
		{Match{Functions: []byte{3}}, true, false, true},
		{Match{Range: holding(14, 1)}, true, true, true},
		{Match{Range: holding(15, 10)}, false, false, false},
		{Match{Range: holding(0, 11)}, true, false, true},
		{Match{Range: protocol.Range{Table: protocol.InputRegister, Addr: 10, Count: 5}}, false, false, false},
	} {
		met := func(unit protocol.UnitID, q query) bool {
			f, random := NewScript(1, Fault{Match: tt.match, Kind: Drop}).meet(unit, q)
			return f != nil && random != nil
		}
		if met(1, read) != tt.read || met(1, write) != tt.write || met(2, read) != tt.other {
			t.Errorf("%+v: %v %v %v", tt.match, met(1, read), met(1, write), met(2, read))
		}
	}
	var none *Script
	if f, _ := none.meet(1, read); f != nil {
		t.Error("a fault without a script")
	}
}

// kindsMet returns what each of n equal requests meets; . is nothing.
func kindsMet(s *Script, n int) string {
	q, _ := parse(pdu(3, 10, 5))
	var met strings.Builder
	for range n {
		if f, _ := s.meet(1, q); f != nil {
			met.WriteByte(f.Kind[0])
		} else {
			met.WriteByte('.')
		}
	}
	return met.String()
}

func TestScriptCounts(t *testing.T) {
	for _, tt := range []struct {
		faults []Fault
		want   string
	}{
		{nil, "......"},
		{[]Fault{{Kind: Drop, Count: 2}}, "dd...."},
		{[]Fault{{Kind: Drop, Match: Match{Nth: 3}}}, "..d..."},
		{[]Fault{{Kind: Drop, Match: Match{Nth: 2}}, {Kind: Late, Match: Match{Nth: 4}}}, ".d.l.."},
		{[]Fault{{Kind: Drop, Count: 1}, {Kind: Late, Count: 2}}, "dll..."},
		{[]Fault{{Kind: Drop, Count: 1, Match: Match{Nth: 2}}, {Kind: Late}}, "ldllll"},
	} {
		if got := kindsMet(NewScript(1, tt.faults...), 6); got != tt.want {
			t.Errorf("%+v: %s, not %s", tt.faults, got, tt.want)
		}
	}
}

func TestScriptIsDeterministic(t *testing.T) {
	late := Fault{Kind: Late, Match: Match{Probability: 0.2}}
	first := kindsMet(NewScript(7, late), 500)
	if again := kindsMet(NewScript(7, late), 500); again != first {
		t.Error("the same seed, another course")
	}
	if other := kindsMet(NewScript(8, late), 500); other == first {
		t.Error("another seed, the same course")
	}
	// Five standard deviations around 100.
	s := NewScript(7, late)
	kindsMet(s, 500)
	if n := s.Happened()[0]; n < 55 || n > 145 || n != strings.Count(first, "l") {
		t.Errorf("20 %% of 500 happened %d times", n)
	}
	q, _ := parse(pdu(3, 0, 1))
	noise := func() []byte {
		f, random := NewScript(3, Fault{Kind: Garbage, Size: 20}).meet(1, q)
		return f.noise(random, 1)
	}
	if a, b := noise(), noise(); len(a) != 20 || !bytes.Equal(a, b) {
		t.Errorf("random bytes: % x, % x", a, b)
	}
}

func TestParseFaults(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []Fault
	}{
		{"", nil},
		{" , ", nil},
		{"late=1%:1.2s,drop=0.5%", []Fault{
			{Kind: Late, Delay: 1200 * time.Millisecond, Match: Match{Probability: 0.01}},
			{Kind: Drop, Match: Match{Probability: 0.005}},
		}},
		{"late=100%", []Fault{{Kind: Late, Delay: 1200 * time.Millisecond, Match: Match{Probability: 1}}}},
		{" exception=0.25:4 , exception=2%", []Fault{
			{Kind: Exception, Code: 4, Match: Match{Probability: 0.25}},
			{Kind: Exception, Code: 6, Match: Match{Probability: 0.02}},
		}},
		{"no-unit=100%,wrong-transaction=100%,other-baud=1", []Fault{
			{Kind: NoUnit, Match: Match{Probability: 1}},
			{Kind: WrongTransaction, Match: Match{Probability: 1}},
			{Kind: OtherBaud, Match: Match{Probability: 1}},
		}},
		{"drip=1%,hang-up=1%:2s", []Fault{
			{Kind: Drip, Delay: 50 * time.Millisecond, Match: Match{Probability: 0.01}},
			{Kind: HangUp, Delay: 2 * time.Second, Match: Match{Probability: 0.01}},
		}},
	} {
		got, err := ParseFaults(tt.text)
		if err != nil || !slices.EqualFunc(got, tt.want, func(a, b Fault) bool {
			return a.Kind == b.Kind && a.Delay == b.Delay && a.Code == b.Code &&
				a.Match.Probability == b.Match.Probability
		}) {
			t.Errorf("%q: %+v, %v", tt.text, got, err)
		}
	}
}

func TestParseFaultsFindings(t *testing.T) {
	for text, want := range map[string]string{
		"flood=1%":           `"flood" is not one of [drop reply-lost late`,
		"late":               `the share is ""`,
		"late=0%":            `the share is "0%", not a part of all requests as 1% or 0.01`,
		"late=101%":          `the share is "101%"`,
		"late=1.5":           `the share is "1.5"`,
		"late=NaN":           `the share is "NaN"`,
		"late=1%:soon":       `"soon" is not a duration as 1.2s or 50ms`,
		"late=1%:-1s":        `"-1s" is not a duration`,
		"late=1%:":           `"" is not a duration`,
		"drop=1%:1s":         `drop takes nothing behind its share, but there is "1s"`,
		"exception=1%:0":     `"0" is not an exception code 1..255`,
		"exception=1%:busy":  `"busy" is not an exception code`,
		"flood=1%,late=soon": "\n" + `fault "late=soon": the share is "soon"`,
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("late=1%:1.2s,drop=0.5%,exception=1%:6")
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ParseFaults(text)
		for _, fault := range faults {
			if p := fault.Match.Probability; err == nil && !(p > 0 && p <= 1) {
				t.Errorf("%q: %+v", text, fault)
			}
		}
	})
}
