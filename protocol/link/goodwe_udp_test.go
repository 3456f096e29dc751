package link

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"solarhub/protocol"
)

// goodWeFraming is a module in front of a healthy inverter.
var goodWeFraming = framing{
	"GoodWe", rtuSize, func(adu []byte) []byte { return behindHead(rtuReplyTo(adu)) },
	func(adu []byte) []byte { return behindHead(refusal(adu)) },
	func(r []byte, unit byte) []byte { return behindHead(rtuFraming.from(r[2:], unit)) },
	protocol.DefaultSerial.Silence(),
	func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewGoodWeUDP(UDPConfig{Address: "module:8899", Dial: by, Quirks: q, Gap: gap})
	},
	false,
}

func behindHead(adu []byte) []byte { return append([]byte{0xAA, 0x55}, adu...) }

// Source: marcelblijleven/goodwe, protocol.py and its tests.
func TestGoodWe(t *testing.T) {
	f := goodWeFraming
	ask := protocol.Request{Unit: 0xF7, Range: protocol.Range{Addr: 0x88B8, Count: 0x21}}
	sent := unhex("f7 03 88b8 0021 3ac1")
	for _, tt := range []struct {
		name   string
		answer func(reply []byte) []part
		wrong  string
	}{
		{"as it should be", func(r []byte) []part { return after(turnaround, r) }, ""},
		{"in two datagrams", func(r []byte) []part { return inPieces(turnaround, r, 30) }, ""},
		{"without its head", func(r []byte) []part { return after(turnaround, r[2:]) }, "no answer"},
		{"cut short", func(r []byte) []part { return after(turnaround, r[:40]) }, "no answer"},
		// What is left of the first spoils it; the next try has another port.
		{"cut short, and whole", func(r []byte) []part {
			return append(after(turnaround, r[:40]), part{turnaround, r})
		}, "no answer"},
		{"damaged", func(r []byte) []part { r[9] ^= 1; return after(turnaround, r) }, "no answer"},
		{"refused", func(r []byte) []part { return after(turnaround, behindHead(refusal(sent))) }, "exception 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := func(_ int, adu []byte) []part {
				if !bytes.Equal(adu, sent) {
					t.Errorf("sent % x", adu)
				}
				return tt.answer(f.reply(adu))
			}
			f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
				resp, err := l.Exchange(t.Context(), ask)
				switch {
				case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)),
					tt.wrong == "" && err != nil:
					t.Errorf("%v, want %q", err, tt.wrong)
				case tt.wrong == "":
					right(t, ask, resp)
				}
			})
		})
	}
}

// Each request goes out from a port of its own, so that a late answer reaches nobody.
func TestGoodWeTakesAnotherPort(t *testing.T) {
	var dials atomic.Int32
	f := goodWeFraming
	link := f.link
	f.link = func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return link(func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return by(ctx, network, address)
		}, q, gap)
	}
	f.on(t, protocol.Quirks{}, 0, f.soundly, func(t *testing.T, l tested, p *peer) {
		for range 3 {
			before := dials.Load()
			if _, err := l.Exchange(t.Context(), readOf(3, 2)); err != nil || dials.Load() == before {
				t.Errorf("%v, %d sockets as before", err, before)
			}
		}
	})
}
