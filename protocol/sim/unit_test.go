package sim

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given []byte
		want  []byte
	}{
		{"read holding", pdu(3, 5, 2), []byte{3, 4, 0x03, 0xED, 0x03, 0xEE}},
		{"read input", pdu(4, 10, 2), []byte{4, 4, 0, 7, 0, 8}},
		{"read coils", pdu(1, 0, 9), []byte{1, 2, 0b1101, 1}},
		{"read discrete", pdu(2, 5, 2), []byte{2, 1, 3}},
		{"write register", pdu(6, 3, 9), pdu(6, 3, 9)},
		{"write coil on", pdu(5, 1, 0xFF00), pdu(5, 1, 0xFF00)},
		{"write coil off", pdu(5, 1, 0), pdu(5, 1, 0)},
		{"write registers", write16(3, 9, 10), pdu(16, 3, 2)},
		{"write coils", append(pdu(15, 0, 9), 2, 0xFF, 1), pdu(15, 0, 9)},
		{"most registers", pdu(3, 0, 125), nil},

		{"no function", nil, []byte{0x80, 1}},
		{"unknown function", []byte{0x2B, 14, 1, 0}, []byte{0xAB, 1}},
		{"function with error bit", pdu(0x83, 0, 1), []byte{0x83, 1}},
		{"short", []byte{3, 0, 0}, []byte{0x83, 3}},
		{"long", append(pdu(3, 0, 1), 0), []byte{0x83, 3}},
		{"nothing", pdu(3, 0, 0), []byte{0x83, 3}},
		{"too many registers", pdu(3, 0, 126), []byte{0x83, 3}},
		{"too many bits", pdu(1, 0, 2001), []byte{0x81, 3}},
		{"hole", pdu(3, 199, 2), []byte{0x83, 2}},
		{"other table", pdu(4, 0, 1), []byte{0x84, 2}},
		{"behind the end", pdu(3, 65535, 2), []byte{0x83, 2}},
		{"write a hole", pdu(6, 200, 1), []byte{0x86, 2}},
		{"write half a hole", write16(199, 1, 2), []byte{0x90, 2}},
		{"coil value", pdu(5, 1, 1), []byte{0x85, 3}},
		{"byte count", append(pdu(16, 3, 2), 2, 0, 0), []byte{0x90, 3}},
		{"no byte count", pdu(16, 3, 2), []byte{0x90, 3}},
		{"too many to write", append(append(pdu(16, 0, 124), 248), make([]byte, 248)...), []byte{0x90, 3}},
	} {
		got := newUnit(1).answer(tt.given, time.Now())
		if tt.want == nil {
			if len(got) != 252 {
				t.Errorf("%s: % x", tt.name, got)
			}
		} else if !bytes.Equal(got, tt.want) {
			t.Errorf("%s: % x, not % x", tt.name, got, tt.want)
		}
	}
}

func TestWriteStores(t *testing.T) {
	u := newUnit(1)
	now := time.Now()
	u.answer(write16(3, 9, 10), now)
	u.answer(pdu(6, 5, 11), now)
	if got, _ := u.Get(protocol.HoldingRegister, 2, 5); !slices.Equal(got, []uint16{1002, 9, 10, 11, 1006}) {
		t.Error(got)
	}
	u.answer(append(pdu(15, 1, 9), 2, 0xFF, 1), now) // the ninth does not exist: all or nothing
	u.answer(append(pdu(15, 1, 2), 1, 0b01), now)
	u.answer(pdu(5, 8, 0), now)
	if got, _ := u.Get(protocol.Coil, 0, 9); !slices.Equal(got, []uint16{1, 1, 0, 1, 0, 0, 0, 0, 0}) {
		t.Error(got)
	}
	u.Remove(holding(4, 2))
	if _, ok := u.Get(protocol.HoldingRegister, 3, 2); ok {
		t.Error("a removed address is still there")
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		limits Limits
		given  []byte
		want   byte
	}{
		{Limits{ReadRegisters: 20}, pdu(3, 0, 20), 0},
		{Limits{ReadRegisters: 20}, pdu(3, 0, 21), 3},
		{Limits{ReadRegisters: 20}, pdu(1, 0, 9), 0},
		{Limits{ReadBits: 8}, pdu(1, 0, 9), 3},
		{Limits{ReadRegisters: 20, TooLong: 2}, pdu(3, 0, 21), 2},
		{Limits{Undefined: 3}, pdu(3, 199, 2), 3},
		{Limits{Undefined: 3}, pdu(6, 200, 2), 3},
		{Limits{WriteRegisters: 1}, write16(0, 1, 2), 3},
		{Limits{WriteRegisters: 1}, write16(0, 1), 0},
		{Limits{RefuseSingle: 1}, pdu(6, 0, 1), 1},
		{Limits{RefuseSingle: 1}, write16(0, 1), 0},
		{Limits{RefuseMultiple: 2}, write16(0, 1), 2},
		{Limits{RefuseMultiple: 2}, pdu(6, 0, 1), 0},
		{Limits{RefuseMultiple: 2}, pdu(3, 0, 1), 0},
	} {
		u := newUnit(1)
		u.Limit(tt.limits)
		if got := u.answer(tt.given, time.Now()); code(got) != tt.want {
			t.Errorf("%+v: % x, not exception %d", tt.limits, got, tt.want)
		}
	}
}

func code(pdu []byte) byte {
	if pdu[0]&0x80 == 0 {
		return 0
	}
	return pdu[1]
}

func TestBehaviours(t *testing.T) {
	for _, tt := range []struct {
		name      string
		behaviour Behaviour
		write     uint16
		code      byte
		now, soon uint16
	}{
		{"stores", Behaviour{}, 7, 0, 7, 7},
		{"refuses", Behaviour{Refuse: 4}, 7, 4, 1010, 1010},
		{"alters", Behaviour{Store: func(_, old, wanted uint16) uint16 { return old&0xFF00 | wanted&0xFF }}, 7, 0,
			0x0307, 0x0307},
		{"settles", storeAfter(time.Second), 7, 0, 1010, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUnit(1)
				u.Behave(holding(5, 10), tt.behaviour)
				if got := u.answer(write16(9, 1, tt.write), time.Now()); code(got) != tt.code {
					t.Errorf("answered % x", got)
				}
				if got := word(t, u, 10); got != tt.now {
					t.Errorf("at once: %d, not %d", got, tt.now)
				}
				time.Sleep(time.Second - 1)
				if got := word(t, u, 10); got != tt.now {
					t.Errorf("just before a second: %d, not %d", got, tt.now)
				}
				time.Sleep(time.Nanosecond)
				if got := word(t, u, 10); got != tt.soon {
					t.Errorf("a second later: %d, not %d", got, tt.soon)
				}
				u.Behave(holding(10, 1), Behaviour{})
				u.answer(pdu(6, 10, 42), time.Now())
				if got := word(t, u, 10); got != 42 {
					t.Errorf("back to normal: %d", got)
				}
			})
		})
	}
}

// A refused register keeps its neighbours in the same request from being stored.
func TestReadOnly(t *testing.T) {
	u := newUnit(1)
	u.ReadOnly(holding(6, 1), 3)
	if got := u.answer(write16(5, 1, 2), time.Now()); code(got) != 3 || word(t, u, 5) != 1005 {
		t.Errorf("answered % x, stored %d", got, word(t, u, 5))
	}
}

// storeAfter stores a word that is written some time later.
func storeAfter(d time.Duration) Behaviour {
	return Behaviour{
		Store: func(_, old, _ uint16) uint16 { return old },
		Later: func(_, _, wanted uint16) (uint16, time.Duration) { return wanted, d },
	}
}

// Two delayed writes come in their order, not in the order of their delays.
func TestPendingInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUnit(1)
		u.Behave(holding(0, 1), storeAfter(2*time.Second))
		u.answer(pdu(6, 0, 1), time.Now())
		u.Behave(holding(0, 1), storeAfter(time.Second))
		u.answer(pdu(6, 0, 2), time.Now())
		time.Sleep(time.Second)
		if got := word(t, u, 0); got != 2 {
			t.Error(got)
		}
		time.Sleep(time.Second)
		if got := word(t, u, 0); got != 1 {
			t.Error(got)
		}
	})
}

func TestOnWriteAndLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUnit(3)
		var writes []Write
		u.OnWrite(func(w Write) {
			writes = append(writes, w)
			u.Set(protocol.HoldingRegister, 100, w.Words[0])
		})
		moved := 0
		u.Live(time.Second, func(time.Time) {
			moved++
			u.Set(protocol.InputRegister, 10, uint16(moved))
		})
		u.answer(write16(7, 5, 6), time.Now())
		u.answer(pdu(6, 300, 5), time.Now()) // refused
		u.answer(pdu(4, 10, 1), time.Now())
		if len(writes) != 1 || writes[0].Unit != 3 || writes[0].Range != holding(7, 2) ||
			!slices.Equal(writes[0].Words, []uint16{5, 6}) {
			t.Errorf("%+v", writes)
		}
		if got := word(t, u, 100); got != 5 || moved != 1 {
			t.Errorf("register %d, moved %d times", got, moved)
		}
		time.Sleep(time.Second)
		if got := u.answer(pdu(4, 10, 1), time.Now()); !bytes.Equal(got, []byte{4, 2, 0, 2}) {
			t.Errorf("% x", got)
		}
	})
}

func TestSetBehindTheEnd(t *testing.T) {
	u := NewUnit(1)
	u.Set(protocol.Coil, 65535, 1)
	if got, ok := u.Get(protocol.Coil, 65535, 1); !ok || got[0] != 1 {
		t.Error(got, ok)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	u.Set(protocol.Coil, 65535, 1, 1)
}

func TestUnitConcurrently(t *testing.T) {
	u := newUnit(1)
	u.Live(0, func(time.Time) { u.Set(protocol.HoldingRegister, 1, 1) })
	u.OnWrite(func(Write) { u.Get(protocol.HoldingRegister, 0, 3) })
	var using sync.WaitGroup
	for range 4 {
		using.Go(func() {
			for i := range uint16(50) {
				u.answer(pdu(6, i, i), time.Now())
				u.Behave(holding(i, 1), storeAfter(time.Microsecond))
				u.Set(protocol.HoldingRegister, i, 2)
				u.Limit(Limits{})
				u.Turnaround(0)
			}
		})
	}
	using.Wait()
}
