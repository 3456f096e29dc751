package link

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"solarhub/protocol"
)

func TestNextMBAP(t *testing.T) {
	frame := tcpFrame(7, 1, 3, 2, 0, 9)
	largest := tcpFrame(7, 1, make([]byte, 253)...)
	for _, tt := range []struct {
		name string
		b    []byte
		want []byte
		err  string
	}{
		{"whole", frame, frame, ""},
		{"two", append(slices.Clone(frame), frame...), frame, ""},
		{"largest", largest, largest, ""},
		{"cut", frame[:len(frame)-1], nil, ""},
		{"head", frame[:5], nil, ""},
		{"empty", nil, nil, ""},
		{"length 2", []byte{0, 1, 0, 0, 0, 2, 1, 3}, nil, "length field 2, not 3..254"},
		{"length 255", []byte{0, 1, 0, 0, 0, 255, 1, 3}, nil, "length field 255, not 3..254"},
		{"protocol", []byte{0, 1, 1, 0}, nil, "protocol id 256, not 0"},
	} {
		got, err := nextMBAP(tt.b)
		if !bytes.Equal(got, tt.want) || (err == nil) != (tt.err == "") || err != nil &&
			!strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: % x, %v", tt.name, got, err)
		}
	}
}

// A stream splits into the same ADUs however it arrives, and every ADU is within the bounds.
func FuzzMBAP(f *testing.F) {
	f.Add(tcpFrame(7, 1, 3, 2, 0, 9), uint8(1))
	f.Add(append(tcpFrame(7, 1, 3, 2, 0, 9), tcpFrame(8, 255, 0x83, 2)...), uint8(5))
	f.Add([]byte{0, 1, 0, 0, 255, 255, 1, 3}, uint8(3))
	f.Add([]byte{0, 1, 0, 0, 0, 0}, uint8(2))
	f.Add([]byte{0, 1, 9, 9}, uint8(2))
	f.Fuzz(func(t *testing.T, in []byte, step uint8) {
		want, wantErr := split(t, nil, in)
		var got [][]byte
		var have []byte
		var err error
		r := rand.New(rand.NewPCG(uint64(step), 0))
		for from := 0; from < len(in); {
			to := min(from+1+r.IntN(int(step)%300+1), len(in))
			have = append(have, in[from:to]...)
			from = to
			var more [][]byte
			if more, err = split(t, &have, have); true {
				got = append(got, more...)
			}
			if err != nil {
				break
			}
		}
		if !slices.EqualFunc(got, want, bytes.Equal) || (err == nil) != (wantErr == nil) {
			t.Fatalf("in pieces %d ADUs, %v; whole %d, %v", len(got), err, len(want), wantErr)
		}
	})
}

func split(t *testing.T, rest *[]byte, b []byte) (frames [][]byte, err error) {
	for {
		frame, err := nextMBAP(b)
		if frame == nil || err != nil {
			if rest != nil {
				*rest = b
			}
			return frames, err
		}
		if len(frame) < 9 || len(frame) > mbapFrame {
			t.Fatalf("an ADU of %d bytes", len(frame))
		}
		frames = append(frames, frame)
		b = b[len(frame):]
	}
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
