package link

import (
	"cmp"
	"context"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// TCPConfig is a Modbus TCP link. Only Address is needed.
type TCPConfig struct {
	Address     string          // host:port; the standard's port is 502
	Name        string          // what errors call the link. Defaults to Address
	Timeout     time.Duration   // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap         time.Duration   // silence behind a reply, where Pace has a shorter one. Defaults to 0
	DialTimeout time.Duration   // of opening the connection. Defaults to DefaultDialTimeout
	Quirks      protocol.Quirks // Defaults to none
	Dial        DialFunc        // makes the connection. Defaults to net.Dialer
	// Never are the registers of each unit that no request may touch; a unit that is not named has those of all.
	// Defaults to none.
	Never map[protocol.UnitID][]protocol.Range
	// Trace sees every ADU, also those that answer nothing; frame is only lent. Defaults to none.
	Trace func(sent bool, frame []byte)
}

// maxTimeouts in a row make a TCP link open a new connection: a gateway that has lost ours often keeps it open.
const maxTimeouts = 3

// TCPLink is a Modbus TCP connection. Replies are told apart by transaction ids of its own, so a late answer never
// passes for another one; where ids cannot be trusted (ShapeTransactions), as on a serial line. Source: MODBUS
// Messaging on TCP/IP V1.0b.
type TCPLink struct {
	line
	cfg          TCPConfig
	transactions transactions
	// drained: when Open last dropped what had come in, for the next request; zero: not since the last request.
	drained time.Time
	noise   int  // bytes that belonged to no ADU, in this exchange
	astray  bool // such bytes came since the last ADU
	buf     [4096]byte
	reply   [mbapFrame]byte // the last reply, until it is unpacked
}

// NewTCP returns a closed link.
func NewTCP(cfg TCPConfig) *TCPLink {
	if cfg.Name == "" {
		cfg.Name = cfg.Address
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, protocol.DefaultTimeout)
	cfg.DialTimeout = cmp.Or(cfg.DialTimeout, DefaultDialTimeout)
	l := &TCPLink{cfg: cfg}
	l.line.set(cfg.Name, cfg.Gap, cfg.Trace, newUnits(cfg.Quirks.Units, tcpPackager))
	l.units.never = cfg.Never
	l.dial = func(ctx context.Context) (stream, error) { return dial(ctx, cfg.Dial, cfg.Address, l.cfg.DialTimeout) }
	l.delay, l.closing.may = cfg.Quirks.ConnectDelay, true
	return l
}

// tcpPackager is goburrow's maker of the ADUs of a unit.
func tcpPackager(id protocol.UnitID) modbus.Packager {
	h := modbus.NewTCPClientHandler("")
	h.SlaveId = byte(id)
	return h
}

// Open opens the connection if it is closed or the peer has closed it.
func (l *TCPLink) Open(ctx context.Context) (uint64, error) {
	if l.conn != nil && l.drain() == nil {
		l.drained = l.looked
		return l.connection, nil
	}
	l.Close()
	err := l.connect(ctx)
	return l.connection, err
}

// Exchange is described at Link. Any byte is a unit id here. With ShapeTransactions a probe may go first, as on an RTU
// link.
func (l *TCPLink) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if err := req.Check(); err != nil {
		return protocol.Response{}, err
	}
	return l.units.unit(req.Unit).exchange(ctx, l, req)
}

// byShape reports whether transaction ids say nothing.
func (l *TCPLink) byShape() bool { return l.cfg.Quirks.Transactions == protocol.ShapeTransactions }

// transactions are the ids of the last requests on a Modbus TCP connection.
type transactions struct {
	last uint16
	sent [64]transaction // the newest request is at (n-1) % 64
	n    int
}

type transaction struct {
	id       uint16
	at       time.Time
	answered bool
}

// transactionStep lies between the ids of two requests. They do not simply count, because a device that gets an id
// wrong by a little must not hit that of a neighbour: multiples of the golden ratio keep the last 64 at least 500
// apart. It is odd, so an id comes again after 65,536 requests only.
const transactionStep = 40503

// next returns the id of a request that goes out now.
func (t *transactions) next(now time.Time) uint16 {
	t.last += transactionStep
	t.sent[t.n%len(t.sent)] = transaction{id: t.last, at: now}
	t.n++
	return t.last
}

// answered notes that the last request was answered.
func (t *transactions) answered() { t.sent[(t.n-1)%len(t.sent)].answered = true }

// classify says what a reply with an id is that does not answer the last request, and when the request behind a late
// one was sent.
func (t *transactions) classify(id uint16) (kind replyKind, sent time.Time) {
	for i := range min(t.n, len(t.sent)) {
		if s := &t.sent[i]; s.id == id && !s.answered {
			s.answered = true
			return late, s.at
		}
	}
	return foreign, time.Time{}
}
