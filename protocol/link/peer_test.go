package link

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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
	conn   io.ReadWriteCloser
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
				p.conn.Close()
				continue
			}
			_, _ = p.conn.Write(q.bytes)
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
	p := &peer{size: size, script: script}
	var running sync.WaitGroup
	by := func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		q := &peer{conn: far, size: size, script: func(_ int, adu []byte) []part {
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

// tested is a link of either kind.
type tested interface {
	protocol.Link
	Frames() protocol.Frames
	Condition() protocol.LinkCondition
}

// framing is what tests of all links need to know of a kind.
type framing struct {
	name    string
	size    func(b []byte) int      // of the request that b begins with, 0 while unknown
	reply   func(adu []byte) []byte // of a healthy device
	refuse  func(adu []byte) []byte // with exception 2
	from    func(reply []byte, unit byte) []byte
	silence time.Duration // at least, behind a reply
	link    func(by DialFunc, q protocol.Quirks, gap time.Duration) tested

	numbered bool // a reply says which request it answers
}

var rtuFraming = framing{
	"RTU", rtuSize, rtuReplyTo, refusal,
	func(r []byte, unit byte) []byte { return rtu(append([]byte{unit}, r[1:len(r)-2]...)...) },
	protocol.DefaultSerial.Silence(),
	func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewRTUOverTCP(RTUOverTCPConfig{Address: "logger:4196", Dial: by, Quirks: q, Gap: gap})
	},
	false,
}

var tcpFraming = framing{
	"TCP", tcpSize, tcpReplyTo,
	func(adu []byte) []byte { return tcpFrame(binary.BigEndian.Uint16(adu), adu[6], adu[7]|0x80, 2) },
	func(r []byte, unit byte) []byte { r[6] = unit; return r },
	0,
	func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewTCP(TCPConfig{Address: "inverter:502", Dial: by, Quirks: q, Gap: gap})
	},
	true,
}

// shapeFraming is Modbus TCP through a gateway that has an id of its own for every reply.
func shapeFraming(name string, id func(uint16) uint16) framing {
	f := tcpFraming
	renumbered := func(make func([]byte) []byte) func([]byte) []byte {
		return func(adu []byte) []byte { return renumber(make(adu), id(binary.BigEndian.Uint16(adu))) }
	}
	f.numbered = false
	f.name, f.reply, f.refuse = "TCP by shape, "+name, renumbered(f.reply), renumbered(f.refuse)
	f.link = func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		q.Transactions = protocol.ShapeTransactions
		return tcpFraming.link(by, q, gap)
	}
	return f
}

// renumber gives a reply another transaction id.
func renumber(adu []byte, id uint16) []byte {
	binary.BigEndian.PutUint16(adu, id)
	return adu
}

var alwaysZero = shapeFraming("always 0", func(uint16) uint16 { return 0 })

// framings are one of each kind.
var framings = []framing{rtuFraming, tcpFraming, alwaysZero, solarmanFraming, asciiFraming, givEnergyFraming}

// on runs test in a bubble with a link to a scripted peer.
func (f framing) on(t *testing.T, q protocol.Quirks, gap time.Duration, script func(n int, adu []byte) []part,
	test func(t *testing.T, l tested, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		by, p, wait := pipeTo(t, f.size, script)
		l := f.link(by, q, gap)
		defer wait()
		defer l.Close()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, l, p)
	})
}

// soundly answers as a healthy device does, in its time.
func (f framing) soundly(_ int, adu []byte) []part { return after(turnaround, f.reply(adu)) }

const turnaround = 20 * time.Millisecond

// onPipe runs test on RTU.
func onPipe(t *testing.T, script func(n int, adu []byte) []part, test func(t *testing.T, l tested, p *peer)) {
	t.Helper()
	rtuFraming.on(t, protocol.Quirks{}, 0, script, test)
}

func after(d time.Duration, b []byte) []part { return []part{{d, b}} }

func refusal(adu []byte) []byte { return rtu(adu[0], adu[1]|0x80, 2) }

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
	return link && !errors.Is(err, protocol.ErrTimeout) && !errors.Is(err, protocol.ErrMisfit)
}

// replyCase is what comes behind a request, and what becomes of it.
type replyCase struct {
	name   string
	req    protocol.Request
	script func(adu []byte) []part
	err    string // part of the error; empty: the right words
	closed bool   // the connection is given up
}

func silent([]byte) []part { return nil }

// sends says the same whatever is asked.
func sends(b ...byte) func([]byte) []part { return func([]byte) []part { return after(turnaround, b) } }

// inPieces sends b with a pause before each piece; ends are where the pieces end.
func inPieces(pause time.Duration, b []byte, ends ...int) (parts []part) {
	from := 0
	for _, to := range append(ends, len(b)) {
		parts, from = append(parts, part{pause, b[from:to]}), to
	}
	return parts
}

// play plays each case to a link of its own.
func (f framing) play(t *testing.T, cases []replyCase) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			f.on(t, protocol.Quirks{}, 0, func(_ int, adu []byte) []part { return tt.script(adu) },
				func(t *testing.T, l tested, p *peer) { tt.check(t, l) })
		})
	}
}

func (tt replyCase) check(t *testing.T, l tested) {
	begun := time.Now()
	resp, err := l.Exchange(t.Context(), tt.req)
	if took := time.Since(begun); took > 1200*time.Millisecond {
		t.Errorf("took %v: the deadline is absolute", took)
	}
	if resp.Sent.IsZero() {
		t.Error("the request went out, but Sent is zero")
	}
	if tt.err == "" {
		if err != nil {
			t.Fatal(err)
		}
		if tt.req.Op == protocol.Read {
			right(t, tt.req, resp)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), tt.err) {
		t.Fatalf("error %v, want one with %q", err, tt.err)
	}
	_, refused := errors.AsType[protocol.ExceptionError](err)
	_, broken := errors.AsType[*protocol.LinkError](err)
	if refused == broken || fatal(err) != tt.closed {
		t.Errorf("exception %v, link error %v, fatal %v", refused, broken, fatal(err))
	}
	if unknown := errors.Is(err, protocol.ErrOutcomeUnknown); unknown != (broken && tt.req.Op != protocol.Read) {
		t.Errorf("outcome unknown is %v for %v", unknown, tt.req)
	}
	if _, err := l.Exchange(t.Context(), readOf(0, 1)); errors.Is(err, protocol.ErrDown) != tt.closed {
		t.Errorf("behind: %v; want it closed: %v", err, tt.closed)
	}
}
