package link

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"solarhub/protocol"
)

// givEnergyFraming is a dongle in front of healthy devices. Its refusals have no code.
var givEnergyFraming = framing{
	"GivEnergy", givEnergySize, givEnergyReply1,
	func(b []byte) []byte { return givEnergyAnswer(b[26], b[27]|0x80, b[28:30], b[30:32]) },
	func(r []byte, unit byte) []byte { return givEnergyAnswer(unit, r[27], r[38:len(r)-2]) },
	protocol.DefaultSerial.Silence(),
	func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewGivEnergy(GivEnergyConfig{Address: "dongle:8899", Timeout: time.Second, Dial: by, Quirks: q,
			Gap: max(gap, time.Millisecond)})
	},
	false,
}

func givEnergySize(b []byte) int {
	if len(b) < 6 {
		return 0
	}
	return 6 + int(binary.BigEndian.Uint16(b[4:]))
}

// givEnergyReply1 answers a request of a client.
func givEnergyReply1(request []byte) []byte {
	reply := pdu(request[27:])
	if reply[0] > 4 {
		return givEnergyAnswer(request[26], reply[0], reply[1:])
	}
	return givEnergyAnswer(request[26], reply[0], request[28:32], reply[2:])
}

func givEnergyAnswer(unit, function byte, behind ...[]byte) []byte {
	inner := append([]byte{unit, function}, "SA00000001"...)
	inner = append(inner, bytes.Join(behind, nil)...)
	inner = binary.LittleEndian.AppendUint16(inner, crc16(inner))
	b := append(unhex("59590001"), 0, byte(20+len(inner)), 1, 2)
	binary.BigEndian.PutUint16(b[4:], uint16(20+len(inner)))
	b = append(b, "WD00000001"...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(inner)))
	return append(b, inner...)
}

// Source: dewet22/givenergy-modbus, the request of the first block.
func TestGivEnergyRequest(t *testing.T) {
	want := append(unhex("59590001 001c 01 02"), "0000000000"...)
	want = append(want, unhex("0000000000000008 11 03 0000 003c 474b")...)
	if got := (givEnergy{}).wrap(rtu(0x11, 3, 0, 0, 0, 60)); !bytes.Equal(got, want) {
		t.Errorf("% x\nwant % x", got, want)
	}
}

// What a dongle sends beside the answer, and what becomes of it. Source: dewet22/givenergy-modbus and its captures.
func TestGivEnergy(t *testing.T) {
	f := givEnergyFraming
	before := func(other func(request []byte) []byte) func([]byte) []part {
		return func(request []byte) []part { return after(turnaround, append(other(request), f.reply(request)...)) }
	}
	text := append(unhex("59590001 0025 01 02"), "WD00000001\x00\x00\x00\x00\x00\x00\x00\x00,10.0.0.2,255,1\r\n"...)
	f.play(t, []replyCase{
		{"behind a network text", readOf(3, 2), before(func([]byte) []byte { return bytes.Clone(text) }), "", false},
		{"behind an answer to the cloud", readOf(3, 2), before(func(r []byte) []byte {
			other := bytes.Clone(r)
			other[29] += 60
			return f.reply(other)
		}), "", false},
		{"behind one without a sum", readOf(3, 2), before(func(r []byte) []byte {
			b := f.reply(r)
			clear(b[len(b)-4:])
			return b
		}), "", false},
		{"behind no answer", readOf(3, 2), before(func(r []byte) []byte {
			return givEnergyAnswer(r[26], 0, make([]byte, 4+2*62))
		}), "", false},
		{"refused", readOf(3, 2), func(r []byte) []part { return after(turnaround, f.refuse(r)) }, "exception 0",
			false},
		{"in pieces", readOf(3, 2), func(r []byte) []part { return inPieces(turnaround, f.reply(r), 3, 20, 40) }, "",
			false},
	})
}

// A sign of life is answered with the same one, with the next look at the line at the latest.
func TestGivEnergySignOfLife(t *testing.T) {
	beat := append(append(unhex("59590001 000d 01 01"), "WD00000001"...), 7)
	var back atomic.Int32
	script := func(_ int, adu []byte) []part {
		if bytes.Equal(adu, beat) {
			back.Add(1)
			return nil
		}
		return after(turnaround, append(bytes.Clone(beat), givEnergyReply1(adu)...))
	}
	givEnergyFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		for range 3 {
			if _, err := l.Exchange(t.Context(), readOf(3, 2)); err != nil {
				t.Fatal(err)
			}
		}
		if n := back.Load(); n != 3 {
			t.Errorf("%d of 3 signs of life were answered", n)
		}
	})
}
