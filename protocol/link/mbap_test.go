package link

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"solarhub/protocol"
)

// A stream splits into the same ADUs however it arrives, every ADU is within the bounds, and every byte is one of an
// ADU, noise, or kept.
func FuzzMBAP(f *testing.F) {
	f.Add(tcpFrame(7, 1, 3, 2, 0, 9), uint8(1))
	f.Add(append(tcpFrame(7, 1, 3, 2, 0, 9), tcpFrame(8, 255, 0x83, 2)...), uint8(5))
	f.Add([]byte{0, 1, 0, 0, 255, 255, 1, 3}, uint8(3))
	f.Add([]byte{0, 1, 0, 0, 0, 0}, uint8(2))
	f.Add([]byte{0, 1, 9, 9}, uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		if len(in) > 2048 {
			return
		}
		split := func(next func() int) (frames [][]byte) {
			l, taken := NewTCP(TCPConfig{}), 0
			for from := 0; from < len(in); {
				to := min(from+next(), len(in))
				l.have += copy(l.buf[l.have:], in[from:to])
				from = to
				for frame, _, _ := l.next(nil); frame != nil; frame, _, _ = l.next(nil) {
					if len(frame) < mbapHead || len(frame) > mbapFrame {
						t.Fatalf("an ADU of %d bytes", len(frame))
					}
					frames, taken = append(frames, bytes.Clone(frame)), taken+len(frame)
				}
			}
			if got := taken + l.have + int(l.frames.noise.Load()); got != len(in) {
				t.Fatalf("%d bytes came of %d", len(in), got)
			}
			return frames
		}
		r := rand.New(rand.NewPCG(uint64(step), 0))
		want := split(func() int { return len(in) })
		if got := split(func() int { return 1 + r.IntN(int(step)%300+1) }); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("in pieces %d ADUs, whole %d", len(got), len(want))
		}
	})
}

// Whatever a peer says, a reply that is let through can be unpacked.
func FuzzMisfit(f *testing.F) {
	f.Add([]byte{1, 3, 4, 0, 1, 0, 2}, uint8(0))
	f.Add([]byte{1, 0x83, 2}, uint8(0))
	f.Add([]byte{1, 1, 2, 0xff, 1}, uint8(1))
	f.Add([]byte{1, 6, 0, 1, 0, 3}, uint8(2))
	f.Fuzz(func(t *testing.T, adu []byte, kind uint8) {
		if len(adu) < 3 {
			return
		}
		req := fuzzed[int(kind)%len(fuzzed)]
		if misfit(req, adu) == "" && adu[1]&0x80 == 0 && req.Op == protocol.Read {
			if words := unpack(adu[3:], req.Range); len(words) != int(req.Range.Count) {
				t.Fatalf("%d words", len(words))
			}
		}
	})
}
