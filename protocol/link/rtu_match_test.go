package link

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"solarhub/protocol"
)

func TestCRC(t *testing.T) {
	// Source: MODBUS over Serial Line V1.02, 6.2.2: 02 07 gives 41 12.
	if got := rtu(2, 7); !bytes.Equal(got, []byte{2, 7, 0x41, 0x12}) {
		t.Errorf("% x", got)
	}
}

func TestParseReply(t *testing.T) {
	whoseEcho := [4]byte{0, 1, 0, 3}
	for _, tt := range []struct {
		name string
		b    []byte
		want reply
		how  parseResult
	}{
		{"read", rtu(1, 3, 4, 0, 1, 0, 2), reply{unit: 1, shape: shape{function: 3, size: 4}}, whole},
		{"more behind", append(rtu(1, 4, 2, 0, 1), 9), reply{unit: 1, shape: shape{function: 4, size: 2}}, whole},
		{"write", rtu(1, 6, 0, 1, 0, 3), reply{unit: 1, shape: shape{function: 6, echo: whoseEcho}}, whole},
		{"exception", rtu(1, 0x83, 2), reply{unit: 1, shape: shape{function: 3}, exception: true}, whole},
		{"cut", rtu(1, 3, 4, 0, 1, 0, 2)[:8], reply{unit: 1, shape: shape{function: 3, size: 4}}, partial},
		{"damaged", []byte{1, 3, 2, 0, 1, 0, 0}, reply{unit: 1, shape: shape{function: 3, size: 2}}, damaged},
		{"unknown function", rtu(1, 7, 0, 0, 0), reply{}, nothing},
		{"unknown exception", rtu(1, 0x87, 1), reply{}, nothing},
		{"no data", rtu(1, 3, 0), reply{}, nothing},
		{"too much data", rtu(1, 3, 251, 0), reply{}, nothing},
		{"one byte", []byte{1}, reply{unit: 1}, partial},
		{"two bytes", []byte{1, 3}, reply{unit: 1}, partial},
		{"two bytes of nothing", []byte{1, 0}, reply{}, nothing},
		{"empty", nil, reply{}, partial},
	} {
		got, _, how := parseReply(tt.b)
		got.adu = nil
		if how != tt.how || how != nothing &&
			(got.unit != tt.want.unit || got.shape != tt.want.shape || got.exception != tt.want.exception) {
			t.Errorf("%s: %+v, %d; want %+v, %d", tt.name, got, how, tt.want, tt.how)
		}
	}
}

// The matcher never panics, keeps no more than came in, counts every byte once, and what it returns answers the
// request. Fed in pieces it finds the same as fed whole, unless a frame begins in what looked like another one's head.
func FuzzMatcher(f *testing.F) {
	for _, seed := range []string{
		"010304000100022a32", "ff010304000100022a32", "0103c80103040001000200", "018302c0f1",
		"010300000002c40b010304000100022a32",
		"0903020000", "0106000100031bcb", "01070000", "0110000100021008", "",
	} {
		b, _ := hex.DecodeString(seed)
		f.Add(b, uint8(0), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, kind, step uint8) {
		if len(in) > 1024 {
			return
		}
		reqs := []protocol.Request{readOf(0, 2),
			{Unit: 1, Range: protocol.Range{Table: protocol.Coil, Addr: 0, Count: 9}}, writeOf(1, 3),
			{Unit: 1, Op: protocol.WriteMultiple,
				Range: protocol.Range{Table: protocol.HoldingRegister, Addr: 1, Count: 2}, Words: []uint16{4, 5}}}
		req := reqs[int(kind)%len(reqs)]
		whole := newTestMatcher(req, kind)
		found, rest := whole.take(slices.Clone(in))
		if len(rest) > len(in) {
			t.Fatalf("kept %d of %d bytes", len(rest), len(in))
		}
		if found != nil {
			if wrong := misfit(req, found[:len(found)-2]); wrong != "" {
				t.Fatalf("% x is taken for the reply: %s", found, wrong)
			}
			return
		}
		if whole.others == 0 && !whole.heard && whole.noise+len(rest) != len(in) {
			t.Fatalf("%d bytes are %d of noise and %d kept", len(in), whole.noise, len(rest))
		}
		pieces, have := newTestMatcher(req, kind), []byte(nil)
		for part := range slices.Chunk(in, int(step)%16+1) {
			if found, have = pieces.take(append(slices.Clone(have), part...)); found != nil {
				if wrong := misfit(req, found[:len(found)-2]); wrong != "" {
					t.Fatalf("in pieces % x is taken for the reply: %s", found, wrong)
				}
				return
			}
		}
	})
}

func newTestMatcher(req protocol.Request, kind uint8) *matcher {
	us := newUnits(protocol.StrictUnits, rtuPackager)
	u := us.unit(1)
	if kind&0x10 != 0 {
		u.pending.add(pending{shape: shape{function: 3, size: 2}})
	}
	return &matcher{
		unit: 1, own: shapeOf(req), request: rtu(1, req.Function(), 0, 0, 0, 2), echo: kind&0x20 != 0,
		known: &us, count: &frameCounter{}, note: &condition{},
	}
}
