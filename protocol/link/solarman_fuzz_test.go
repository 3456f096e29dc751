package link

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"solarhub/protocol"
)

// Whatever a stick says and in whatever pieces, a link neither panics nor hangs, and what it takes for a reply was sent
// as one: a sound RTU frame from the unit, of the function and size that were asked for.
func FuzzSolarman(f *testing.F) {
	ask := solarmanRequest(1, testLogger, rtu(1, 3, 0, 0, 0, 2))
	for i, req := range fuzzed {
		reply := rtu(append([]byte{1}, replyPDU(req, make([]uint16, req.Range.Count), nil)...)...)
		whole := solarmanAnswer(ask, reply)
		f.Add(whole, uint8(i), uint32(testLogger), uint64(i))
		f.Add(append(unhex(heartbeat+threeFrames), whole...), uint8(i), uint32(0), uint64(i))
		f.Add(solarmanAnswer(ask, append(reply, 0, 0)), uint8(i), uint32(testLogger), uint64(i))
	}
	f.Add(append(said(ask, 6), said(numbered(ask, 160), 5)...), uint8(0), uint32(0), uint64(1))
	f.Add([]byte{0xA5, 23, 0, 0x10, 0x45, 3, 0, 0x81, 2, 0, 0, 0}, uint8(0), uint32(testLogger), uint64(1))
	f.Add(bytes.Repeat(unhex(heartbeat), 30), uint8(0), uint32(0), uint64(1))
	f.Fuzz(func(t *testing.T, in []byte, kind uint8, serial uint32, seed uint64) {
		req := fuzzed[int(kind)%len(fuzzed)]
		peer := &babbler{in: bytes.Clone(in), r: rand.New(rand.NewPCG(seed, 0)), hangsUp: seed&1 != 0}
		by := func(context.Context, string, string) (net.Conn, error) { return peer, nil }
		link, stick := newSolarman(SolarmanConfig{Address: "stick:8899", Serial: serial, Dial: by})
		stick.sequences.last, stick.sequences.heard = (1-sequenceStep)&0xFF, 1 // the first request has 1
		stick.discover = func(context.Context, ...string) ([]Found, error) { return nil, nil }
		link.pace, link.closing.may = nil, false // which would have it wait
		defer link.Close()
		for range 2 {
			if stick.closed = (time.Time{}); link.conn == nil { // else it may wait before it dials
				if _, err := link.Open(t.Context()); err != nil {
					return
				}
			}
			resp, err := link.Exchange(t.Context(), req)
			if _, refused := errors.AsType[protocol.ExceptionError](err); err != nil && !refused {
				if _, broken := errors.AsType[*protocol.LinkError](err); !broken || resp.Words != nil {
					t.Fatalf("%v: %v, %v", req, resp, err)
				}
				continue
			}
			if err == nil && req.Op == protocol.Read && len(resp.Words) != int(req.Range.Count) {
				t.Fatalf("%v: %d words", req, len(resp.Words))
			}
			pdu := replyPDU(req, resp.Words, err)
			if !sent(in, pdu, !link.Condition().Plain) {
				t.Fatalf("%v: %v, %v was never sent as % x", req, resp, err, pdu)
			}
		}
	})
}

// A frame of any bytes is read as what it was made of.
func FuzzSolarmanFrame(f *testing.F) {
	f.Add(unhex(heartbeat))
	f.Add(unhex(vectors[0].answer))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, size, looks := parseSolarman(b)
		switch {
		case looks == partial && size > 0 && size <= len(b), looks == whole && (size > len(b) || size < 14):
			t.Fatalf("% x: %d, %d", b, size, looks)
		case looks == whole && !bytes.Equal(sealed(b[:size-2]), b[:size]):
			t.Fatalf("% x is whole", b[:size])
		case looks == whole && got.isAnswer():
			if rtu, _ := got.modbus(); rtu != nil && soundRTU(rtu) != nil && crc16(soundRTU(rtu)) != 0 {
				t.Fatalf("% x is sound", rtu)
			}
		}
	})
}
