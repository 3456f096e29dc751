package link

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// TCPConfig is a Modbus TCP link. Only Address is needed.
type TCPConfig struct {
	Address     string                        // host:port; the standard's port is 502
	Name        string                        // what errors call the link. Defaults to Address
	Timeout     time.Duration                 // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap         time.Duration                 // silence behind a reply, where Pace has a shorter one. Defaults to 0
	DialTimeout time.Duration                 // of opening the connection. Defaults to DefaultDialTimeout
	Quirks      protocol.Quirks               // Defaults to none
	Dial        DialFunc                      // makes the connection. Defaults to net.Dialer
	Trace       func(sent bool, frame []byte) // sees every ADU, also those that answer nothing; frame is only lent. Defaults to none
}

// maxTimeouts in a row make a TCP link open a new connection: a gateway that has lost ours often keeps it open.
const maxTimeouts = 3

// TCPLink is a Modbus TCP connection. Replies are told apart by transaction ids of its own, so a late answer never
// passes for another one; where ids cannot be trusted (ShapeTransactions), as on a serial line. Source: MODBUS Messaging on TCP/IP
// V1.0b.
type TCPLink struct {
	cfg          TCPConfig
	units        units
	call         call
	stream       *tap // nil while closed
	connection   uint64
	transactions transactions
	timeouts     int // in a row
	free         time.Time
	looked       time.Time // when it was last known what had come in
	drained      time.Time // when Open has seen to that, for the next request; zero: it has not
	buf          [4096]byte
	have         int             // bytes at the start of buf that came in and are not yet a whole ADU
	reply        [mbapFrame]byte // the last reply, until it is unpacked
	frames       frameCounter
	condition    condition
}

// NewTCP returns a closed link.
func NewTCP(cfg TCPConfig) *TCPLink {
	if cfg.Name == "" {
		cfg.Name = cfg.Address
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, protocol.DefaultTimeout)
	cfg.DialTimeout = cmp.Or(cfg.DialTimeout, DefaultDialTimeout)
	l := &TCPLink{cfg: cfg, units: newUnits(cfg.Quirks.Units)}
	l.call.via = l
	l.units.client, l.units.once, l.units.fail = l.client, l.once, l.fail
	l.condition.gap.Store(int64(cfg.Gap))
	return l
}

// client returns goburrow's client of a unit.
func (l *TCPLink) client(id protocol.UnitID) modbus.Client {
	return modbus.NewClient2(tcpPackager(id), &l.call)
}

func tcpPackager(id protocol.UnitID) modbus.Packager {
	h := modbus.NewTCPClientHandler("")
	h.SlaveId = byte(id)
	return h
}

// Frames returns what came in and answered nothing. It may be called from any goroutine.
func (l *TCPLink) Frames() protocol.Frames { return l.frames.snapshot() }

// Condition returns what the link knows of itself. It may be called from any goroutine.
func (l *TCPLink) Condition() protocol.LinkCondition { return l.condition.snapshot() }

// Open opens the connection if it is closed or the peer has closed it.
func (l *TCPLink) Open(ctx context.Context) (uint64, error) {
	if l.stream != nil && l.drain() == nil {
		l.drained = l.looked
		return l.connection, nil
	}
	l.Close()
	conn, err := dial(ctx, l.cfg.Dial, l.cfg.Address, l.cfg.DialTimeout)
	if err != nil {
		return l.connection, l.fail("open", err)
	}
	l.stream = newTap(conn)
	l.connection++
	l.looked = time.Now()
	l.free = l.looked.Add(l.cfg.Quirks.ConnectDelay)
	return l.connection, nil
}

// Ready waits for the end of the silence behind the last reply or behind the opening.
func (l *TCPLink) Ready(ctx context.Context) error { return waitUntil(ctx, l.free, time.Sleep) }

// Close closes the connection. What units still owe stays remembered: a gateway may hand it to the next connection.
func (l *TCPLink) Close() error {
	l.have, l.timeouts = 0, 0
	if l.stream == nil {
		return nil
	}
	err := l.stream.Close()
	l.stream = nil
	return err
}

// Exchange is described at Link. Any byte is a unit id here. With ShapeTransactions short reads may go first, as on an RTU link.
func (l *TCPLink) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if err := req.Check(); err != nil {
		return protocol.Response{}, err
	}
	u := l.units.unit(req.Unit)
	if l.byShape() {
		return l.units.exchange(ctx, u, req)
	}
	return l.once(ctx, u, req, nil)
}

// byShape reports whether transaction ids say nothing.
func (l *TCPLink) byShape() bool { return l.cfg.Quirks.Transactions == protocol.ShapeTransactions }

// once sends one request; avoid is that of units.once.
func (l *TCPLink) once(ctx context.Context, u *unit, req protocol.Request, avoid *shape) (protocol.Response, error) {
	if l.byShape() {
		l.free = u.notBefore(req, l.free)
	}
	if err := l.Ready(ctx); err != nil {
		return protocol.Response{}, fmt.Errorf("%v: %w", req, err)
	}
	return l.call.run(ctx, u, req, avoid, l.connection)
}

func (l *TCPLink) fail(op string, err error) error {
	return &protocol.LinkError{Op: op, Link: l.cfg.Name, Err: err}
}

func (l *TCPLink) trace(sent bool, frame []byte) {
	if l.cfg.Trace != nil {
		l.cfg.Trace(sent, frame)
	}
}
