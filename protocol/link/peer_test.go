package link

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"solarhub/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// part is a piece of what a peer sends, after a pause.
type part struct {
	after time.Duration
	bytes []byte
}

// peer plays the other end of a link: it takes whole requests and sends what script says, in order, each part after its
// pause behind the part before. The request number counts from 0.
type peer struct {
	t      *testing.T
	conn   io.ReadWriter
	size   func(b []byte) int // of the request that b begins with, 0 while unknown
	script func(n int, adu []byte) []part
	mu     sync.Mutex
	got    [][]byte
}

// serve runs until the connection ends. Requests that come while it still sends are queued, as in loggers and device
// servers.
func (p *peer) serve() {
	var sender sync.WaitGroup
	parts := make(chan part, 1024)
	sender.Go(func() {
		for q := range parts {
			time.Sleep(q.after)
			if q.bytes == nil {
				if c, ok := p.conn.(io.Closer); ok {
					c.Close()
				}
				continue
			}
			if _, err := p.conn.Write(q.bytes); err != nil {
				continue
			}
		}
	})
	defer sender.Wait()
	defer close(parts)
	var have []byte
	buf := make([]byte, 512)
	for n := 0; ; {
		got, err := p.conn.Read(buf)
		if err != nil {
			return
		}
		have = append(have, buf[:got]...)
		for size := p.size(have); size > 0 && size <= len(have); size = p.size(have) {
			adu := append([]byte(nil), have[:size]...)
			have = have[size:]
			p.mu.Lock()
			p.got = append(p.got, adu)
			p.mu.Unlock()
			for _, q := range p.script(n, adu) {
				parts <- q
			}
			n++
		}
	}
}

func (p *peer) requests() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got
}

// pipeTo returns a DialFunc whose connections end at a new peer each, and a function that waits for all of them.
func pipeTo(t *testing.T, size func([]byte) int, script func(n int, adu []byte) []part) (DialFunc, *peer, func()) {
	p := &peer{t: t, size: size, script: script}
	var running sync.WaitGroup
	by := func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		q := &peer{t: t, conn: far, size: size, script: func(_ int, adu []byte) []part {
			p.mu.Lock()
			n := len(p.got)
			p.got = append(p.got, adu)
			p.mu.Unlock()
			return script(n, adu)
		}}
		running.Go(func() {
			defer far.Close()
			q.serve()
		})
		return near, nil
	}
	return by, p, running.Wait
}

// rtuSize is the length of an RTU request.
func rtuSize(b []byte) int {
	if len(b) < 7 {
		return 0
	}
	if b[1] == 15 || b[1] == 16 {
		return 9 + int(b[6])
	}
	return 8
}

func tcpSize(b []byte) int {
	if len(b) < 6 {
		return 0
	}
	return 6 + int(binary.BigEndian.Uint16(b[4:]))
}

// rtu appends the checksum.
func rtu(b ...byte) []byte {
	crc := crc16(b)
	return append(append([]byte(nil), b...), byte(crc), byte(crc>>8))
}

// value is what the peers' register at addr holds: every address another one.
func value(addr uint16) uint16 { return addr*31 + 7 }

// pdu answers a request PDU as a healthy device would.
func pdu(b []byte) []byte {
	addr, count := binary.BigEndian.Uint16(b[1:]), binary.BigEndian.Uint16(b[3:])
	switch b[0] {
	case 1, 2:
		out := make([]byte, 2+(count+7)/8)
		out[0], out[1] = b[0], byte((count+7)/8)
		for i := range count {
			out[2+i/8] |= byte(value(addr+i)&1) << (i % 8)
		}
		return out
	case 3, 4:
		out := []byte{b[0], byte(2 * count)}
		for i := range count {
			out = binary.BigEndian.AppendUint16(out, value(addr+i))
		}
		return out
	}
	return append([]byte(nil), b[:5]...)
}

// rtuReplyTo answers an RTU request.
func rtuReplyTo(adu []byte) []byte {
	return rtu(append([]byte{adu[0]}, pdu(adu[1:len(adu)-2])...)...)
}

func tcpReplyTo(adu []byte) []byte {
	return tcpFrame(binary.BigEndian.Uint16(adu), adu[6], pdu(adu[7:])...)
}

func tcpFrame(transaction uint16, unit byte, pdu ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, transaction)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(pdu)+1))
	return append(append(b, unit), pdu...)
}

// readOf is a read of holding registers of unit 1.
func readOf(addr, count uint16) protocol.Request {
	return protocol.Request{Unit: 1, Range: protocol.Range{Addr: addr, Count: count}}
}

func writeOf(addr, word uint16) protocol.Request {
	return protocol.Request{Unit: 1, Op: protocol.WriteSingle, Range: protocol.Range{Addr: addr, Count: 1},
		Words: []uint16{word}}
}

// right fails the test unless the response holds what the peers' registers hold.
func right(t *testing.T, req protocol.Request, resp protocol.Response) {
	t.Helper()
	if len(resp.Words) != int(req.Range.Count) {
		t.Fatalf("%v: %d words", req, len(resp.Words))
	}
	for i, got := range resp.Words {
		want := value(req.Range.Addr + uint16(i))
		if req.Range.Table.Bits() {
			want &= 1
		}
		if got != want {
			t.Fatalf("%v: word %d is %d, want %d: the reply to another request", req, i, got, want)
		}
	}
}

// slowDial never connects.
func slowDial(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// fatal reports whether err means that the line, not only one unit, has failed.
func fatal(err error) bool {
	_, link := errors.AsType[*protocol.LinkError](err)
	return link && !errors.Is(err, protocol.ErrTimeout)
}
