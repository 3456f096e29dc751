package sim

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"solarhub/protocol"
)

// Source of the checksum's example: MODBUS over Serial Line V1.02, 6.2.2 (device 2, function 7: 0x1241, low byte
// first).
func TestChecksum(t *testing.T) {
	if got := checksum([]byte{2, 7}); got != 0x1241 {
		t.Errorf("%#04x", got)
	}
	if b := rtu(1, 3, 0, 0, 0, 10); checksum(b) != 0 || !intact(b) {
		t.Errorf("carried on over itself: %#04x", checksum(b))
	}
}

func TestNextRTU(t *testing.T) {
	read, write := rtu(1, pdu(3, 0, 10)...), rtu(2, write16(5, 1, 2, 3)...)
	long, unknown := rtu(2, write16(5, 1, 2, 3, 4, 5, 6)...)[:9], rtu(1, 0x2B, 14, 1, 0)
	broken := slices.Clone(read)
	broken[4] ^= 1
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	for _, tt := range []struct {
		name        string
		given       []byte
		silent      bool
		noise, size int
	}{
		{"nothing", nil, false, 0, 0},
		{"one byte", read[:1], false, 0, 0},
		{"a part", read[:7], false, 0, 0},
		{"a part of a write without its count", write[:6], false, 0, 0},
		{"a part of a write", write[:14], false, 0, 0},
		{"a read", read, false, 0, 8},
		{"a write", write, false, 0, 15},
		{"two", join(read, write), false, 0, 8},
		{"noise in front", join([]byte{0}, read), false, 1, 8},
		{"more noise", join([]byte{3, 6, 1}, read), false, 3, 8},
		{"noise of impossible functions", join([]byte{0xFF, 0xFF, 0}, read), false, 3, 8},
		{"noise of an unknown function", join([]byte{5, 0x2B}, read), false, 2, 8},
		{"noise that looks like a long write", join(long, read), false, 0, 0},
		{"that, then silence", join(long, read), true, 9, 8},
		{"a wrong checksum", broken, false, 3, 0},
		{"a wrong checksum, then silence", broken, true, 8, 0},
		{"a wrong checksum in front", join(broken, read), false, 8, 8},
		{"a part, then silence", read[:7], true, 7, 0},
		{"an unknown function may grow", unknown, false, 0, 0},
		{"an unknown function, then silence", unknown, true, 0, 7},
		{"a count too large for any frame", []byte{1, 16, 0, 0, 0, 1, 255, 0, 0}, false, 4, 0},
	} {
		f, noise, size := nextRTU(tt.given, tt.silent)
		if noise != tt.noise || size != tt.size {
			t.Errorf("%s: noise %d and size %d, not %d and %d", tt.name, noise, size, tt.noise, tt.size)
		} else if size > 0 && !bytes.Equal(RTU.encode(f), tt.given[noise:noise+size]) {
			t.Errorf("%s: % x", tt.name, f.adu)
		}
	}
}

func TestNextTCP(t *testing.T) {
	read := tcp(7, 1, pdu(3, 0, 10)...)
	for i := range read {
		if _, size, err := nextTCP(read[:i]); size != 0 || err != nil {
			t.Errorf("%d bytes: %d, %v", i, size, err)
		}
	}
	f, size, err := nextTCP(append(slices.Clone(read), 1, 2, 3))
	if size != 12 || err != nil || f.transaction != 7 || f.unit != 1 || !bytes.Equal(f.pdu, pdu(3, 0, 10)) {
		t.Errorf("%+v %d %v", f, size, err)
	}
	if TCP.String() != "tcp" || RTU.String() != "rtu" {
		t.Error(TCP, RTU)
	}
	for _, bad := range [][]byte{
		{0, 1, 0, 1, 0, 6, 1}, {0, 1, 1, 0, 0, 6, 1}, {0, 1, 0, 0, 0, 0, 1}, {0, 1, 0, 0, 0, 1, 1},
		{0, 1, 0, 0, 0, 255, 1}, {0, 1, 0, 0, 255, 255, 1},
	} {
		if _, size, err := nextTCP(bad); size != 0 || err == nil {
			t.Errorf("% x: %d, %v", bad, size, err)
		}
	}
}

// drain cuts all requests out of b, as a connection does that gets b in pieces with no silence between.
func drain(b []byte, pieces func() int) (requests [][]byte, noise int) {
	var have []byte
	for len(b) > 0 {
		n := min(pieces(), len(b))
		have, b = append(have, b[:n]...), b[n:]
		for {
			f, skip, size := nextRTU(have, false)
			noise += skip
			if size > 0 {
				requests = append(requests, bytes.Clone(f.adu))
			}
			have = have[skip+size:]
			if size == 0 {
				break
			}
		}
	}
	for {
		f, skip, size := nextRTU(have, true)
		noise += skip
		if size == 0 {
			return requests, noise
		}
		requests = append(requests, bytes.Clone(f.adu))
		have = have[skip+size:]
	}
}

// Pieces make no difference, no byte is taken twice or left out, and what is a request has a good checksum.
func FuzzNextRTU(f *testing.F) {
	f.Add(uint64(1), rtu(1, pdu(3, 0, 10)...))
	f.Add(uint64(2), append([]byte{0xFF}, rtu(1, write16(5, 1, 2)...)...))
	f.Add(uint64(3), append(rtu(1, 0x2B, 14, 1, 0), rtu(0, pdu(6, 1, 1)...)...))
	f.Add(uint64(4), bytes.Repeat([]byte{1, 16, 0, 0, 0, 1, 250}, 60))
	f.Fuzz(func(t *testing.T, seed uint64, b []byte) {
		r := rand.New(rand.NewPCG(seed, 0))
		whole, noise := drain(b, func() int { return len(b) })
		pieces, noiseToo := drain(b, func() int { return 1 + r.IntN(9) })
		if !slices.EqualFunc(whole, pieces, bytes.Equal) || noise != noiseToo {
			t.Fatalf("whole: % x and %d noise, pieces: % x and %d", whole, noise, pieces, noiseToo)
		}
		for _, adu := range whole {
			noise += len(adu)
			if !intact(adu) || len(adu) > mostRTU {
				t.Errorf("took % x", adu)
			}
		}
		if noise != len(b) {
			t.Errorf("%d bytes of %d", noise, len(b))
		}
	})
}

func FuzzNextTCP(f *testing.F) {
	f.Add(tcp(1, 1, pdu(3, 0, 10)...))
	f.Add([]byte{0, 1, 0, 0, 0, 2, 1, 3, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		req, size, err := nextTCP(b)
		if size > 0 && (err != nil || !bytes.Equal(TCP.encode(req), b[:size])) {
			t.Errorf("% x: %+v, %v", b, req, err)
		}
	})
}

// Whatever arrives, a unit answers with a PDU of the same function, or an exception.
func FuzzAnswer(f *testing.F) {
	f.Add(pdu(3, 0, 10))
	f.Add(write16(5, 1, 2))
	f.Add(append(pdu(15, 0, 9), 2, 0xFF, 1))
	f.Fuzz(func(t *testing.T, given []byte) {
		if len(given) == 0 {
			return
		}
		u := NewUnit(1)
		for table := range protocol.Table(4) {
			u.Set(table, 0, make([]uint16, 3000)...)
		}
		got := u.answer(given, time.Now())
		if len(got) < 2 || len(got) > mostPDU || got[0]&0x7F != given[0]&0x7F {
			t.Errorf("% x: % x", given, got)
		}
	})
}
