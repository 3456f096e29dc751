package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// babbler is a connection whose peer says the same whatever it is asked: in, in pieces drawn from r, each behind a
// request, then nothing, or with hangsUp the end.
type babbler struct {
	in      []byte
	r       *rand.Rand
	hangsUp bool
	asked   bool
}

func (b *babbler) Read(p []byte) (int, error) {
	if !b.asked {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p[:min(len(p), 1+b.r.IntN(40))], b.in)
	b.in = b.in[n:]
	switch {
	case n > 0:
		return n, nil
	case b.hangsUp:
		return 0, io.EOF
	}
	b.asked = false // the deadline passes
	return 0, os.ErrDeadlineExceeded
}

func (b *babbler) Write(p []byte) (int, error)      { b.asked = true; return len(p), nil }
func (b *babbler) Close() error                     { return nil }
func (b *babbler) SetDeadline(time.Time) error      { return nil }
func (b *babbler) SetReadDeadline(time.Time) error  { return nil }
func (b *babbler) SetWriteDeadline(time.Time) error { return nil }
func (b *babbler) LocalAddr() net.Addr              { return nil }
func (b *babbler) RemoteAddr() net.Addr             { return nil }

// fuzzed are requests of each kind.
var fuzzed = []protocol.Request{
	readOf(0, 2), readOf(7, 1), readOf(0, 125),
	{Unit: 1, Range: protocol.Range{Table: protocol.InputRegister, Addr: 0, Count: 3}},
	{Unit: 1, Range: protocol.Range{Table: protocol.Coil, Addr: 0, Count: 9}},
	{Unit: 1, Range: protocol.Range{Table: protocol.DiscreteInput, Addr: 3, Count: 1}}, writeOf(1, 3),
	{Unit: 1, Op: protocol.WriteSingle, Range: protocol.Range{Table: protocol.Coil, Addr: 1, Count: 1},
		Words: []uint16{1}},
	{Unit: 1, Op: protocol.WriteMultiple, Range: protocol.Range{Table: protocol.HoldingRegister, Addr: 1, Count: 2},
		Words: []uint16{4, 5}},
	{Unit: 1, Op: protocol.WriteMultiple, Range: protocol.Range{Table: protocol.Coil, Addr: 1, Count: 3},
		Words: []uint16{1, 0, 1}},
}

// replyPDU is the PDU that a result must have come in.
func replyPDU(req protocol.Request, words []uint16, err error) []byte {
	if refused, ok := errors.AsType[protocol.ExceptionError](err); ok {
		return []byte{req.Function() | 0x80, refused.Code}
	}
	if req.Op != protocol.Read {
		echo := echoOf(req)
		return append([]byte{req.Function()}, echo[:]...)
	}
	data := pack(words, req.Range.Table)
	return append([]byte{req.Function(), byte(len(data))}, data...)
}

// Whatever a peer says and in whatever pieces, a link neither panics nor hangs, and what it takes for a reply was sent
// as one: a whole frame from the unit, of the function and size that were asked for.
func FuzzLink(f *testing.F) {
	for i, req := range fuzzed {
		words := make([]uint16, req.Range.Count)
		pdu := replyPDU(req, words, nil)
		f.Add(tcpFrame(1, 1, pdu...), uint8(i), uint8(0), uint64(i))
		f.Add(rtu(append([]byte{1}, pdu...)...), uint8(i), uint8(2), uint64(i))
		late := append(tcpFrame(9, 1, 0x83, 2), tcpFrame(2, 1, pdu...)...)
		f.Add(late, uint8(i), uint8(1), uint64(i))
		noisy := append([]byte{0, 0xFF, 1, 3}, rtu(1, 0x83, 6)...)
		f.Add(append(noisy, rtu(append([]byte{1}, pdu...)...)...), uint8(i), uint8(6), uint64(i))
	}
	f.Add([]byte{0, 1, 0, 0, 0xFF, 0xFF, 1}, uint8(0), uint8(0), uint64(1))
	f.Add(bytes.Repeat(rtu(2, 3, 4, 0, 0, 0, 0), 30), uint8(0), uint8(2), uint64(1))
	f.Fuzz(func(t *testing.T, in []byte, kind, how uint8, seed uint64) {
		req := fuzzed[int(kind)%len(fuzzed)]
		peer := &babbler{in: bytes.Clone(in), r: rand.New(rand.NewPCG(seed, 0)), hangsUp: how&0x10 != 0}
		by := func(context.Context, string, string) (net.Conn, error) { return peer, nil }
		quirks := protocol.Quirks{Transactions: protocol.Transactions(how & 1), Echo: protocol.Echo(how >> 2 & 1)}
		var link protocol.Link = NewTCP(TCPConfig{Dial: by, Quirks: quirks})
		if how&2 != 0 {
			serial := protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
			rtu := NewRTUOverTCP(RTUOverTCPConfig{Dial: by, Serial: serial, Quirks: quirks})
			rtu.sleep = func(time.Duration) {}
			link = rtu
		}
		defer link.Close()
		for range 3 {
			if _, err := link.Open(t.Context()); err != nil {
				return
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
			if !sent(in, pdu, how&2 != 0) {
				t.Fatalf("%v: %v, %v was never sent as % x", req, resp, err, pdu)
			}
		}
	})
}

// sent reports whether a whole frame of unit 1 with the PDU was sent, whatever its length field says and however long a
// refusal is; of bits only those asked for count.
func sent(in, pdu []byte, serial bool) bool {
	for i := range in {
		head := i
		if !serial {
			head += mbapHeader - 1
		}
		end := head + 1 + len(pdu)
		if end > len(in) || in[head] != 1 || !samePDU(in[head+1:end], pdu) {
			continue
		}
		if !serial && in[i+2] == 0 && in[i+3] == 0 {
			return true
		}
		for ; serial && end+2 <= len(in); end++ {
			if crc16(in[i:end]) == binary.LittleEndian.Uint16(in[end:]) {
				return true
			}
			if pdu[0]&0x80 == 0 {
				break
			}
		}
	}
	return false
}

// samePDU compares PDUs; bits beyond those asked for, in the last byte, may be anything.
func samePDU(got, want []byte) bool {
	if want[0] == 1 || want[0] == 2 {
		last := len(want) - 1
		return bytes.Equal(got[:last], want[:last]) && got[last]&want[last] == want[last]
	}
	return bytes.Equal(got, want)
}

// answering is a transporter with one answer.
type answering []byte

func (a answering) Send([]byte) ([]byte, error) { return a, nil }

// goburrow's packagers take whatever our links let through: it is at least a header, a function and a byte.
func FuzzPackager(f *testing.F) {
	f.Add(tcpFrame(1, 1, 3, 4, 0, 1, 0, 2), uint8(0), true)
	f.Add(tcpFrame(1, 1, 0x83, 2), uint8(0), true)
	f.Add(rtu(1, 3, 4, 0, 1, 0, 2), uint8(0), false)
	f.Add(rtu(1, 0x90, 2), uint8(8), false)
	f.Add(rtu(1, 6, 0, 1, 0, 3), uint8(6), false)
	f.Fuzz(func(t *testing.T, adu []byte, kind uint8, tcp bool) {
		least, packager := rtuException, rtuPackager(1)
		if tcp {
			least, packager = mbapHeader+2, tcpPackager(1)
		}
		if len(adu) < least {
			return
		}
		req := fuzzed[int(kind)%len(fuzzed)]
		data, err := call(modbus.NewClient2(packager, answering(adu)), req)
		if err == nil && len(data) > len(adu) {
			t.Fatalf("%d bytes of data in an ADU of %d", len(data), len(adu))
		}
	})
}

// Whatever comes beside replies, whole ones to other requests, parts of them, bytes of no meaning, in whatever pieces:
// a value is that of the request, and a reply behind which all is quiet again is found on the same connection.
func FuzzResync(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, how uint8) {
		counts := rand.New(rand.NewPCG(seed, 1<<16))
		script := func(n int, adu []byte) (all []part) {
			r := rand.New(rand.NewPCG(seed, uint64(how)<<8|uint64(n)))
			if n%8 > 5 {
				return after(turnaround, tcpReplyTo(adu))
			}
			var b []byte
			for range r.IntN(6) {
				other := bytes.Clone(adu)
				binary.BigEndian.PutUint16(other, binary.BigEndian.Uint16(adu)-uint16(1+r.IntN(9))*transactionStep)
				binary.BigEndian.PutUint16(other[8:], uint16(r.IntN(60000))) // what it asked for
				reply := tcpReplyTo(other)
				switch r.IntN(4) {
				case 0:
					b = append(b, reply...)
				case 1:
					b = append(b, reply[:r.IntN(len(reply))]...)
				case 2:
					reply[5] = byte(r.Uint32())
					b = append(b, reply...)
				default:
					for range r.IntN(40) {
						b = append(b, byte(r.Uint32())&^byte(-int8(r.Uint32()&1)))
					}
				}
				if r.IntN(3) == 0 {
					own := tcpReplyTo(adu)
					own[5] += byte(r.IntN(3) - 1)
					b = append(b, own...)
				}
			}
			for len(b) > 0 {
				n := min(len(b), 1+r.IntN(60))
				all, b = append(all, part{time.Duration(r.IntN(30)) * time.Millisecond, b[:n:n]}), b[n:]
			}
			return all
		}
		tcpFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			for n := range 16 {
				connection, err := l.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				req := readOf(uint16(100*n), uint16(1+counts.IntN(4)))
				resp, err := l.Exchange(t.Context(), req)
				if err == nil {
					right(t, req, resp)
				} else if n%8 == 7 && connection == 1 {
					t.Errorf("request %d: %v", n, err)
				}
			}
		})
	})
}
