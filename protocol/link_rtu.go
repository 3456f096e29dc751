package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goburrow/modbus"
)

// RTUConfig is an RTU link on a serial port. Only Path is needed.
type RTUConfig struct {
	Path    string                        // of the port; /dev/serial/by-id/... stays the same when ports are numbered anew
	Serial  Serial                        // Defaults to DefaultSerial
	Name    string                        // what errors call the link. Defaults to Path
	Timeout time.Duration                 // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap     time.Duration                 // silence behind a reply, where Pace has a shorter one. Defaults to t3.5, never less
	Sleep   func(time.Duration)           // the last milliseconds of a gap. Defaults to the kernel's precise timer
	Trace   func(sent bool, frame []byte) // sees every ADU, also those that answer nothing; frame is only lent. Defaults to none
}

// RTUOverTCPConfig is an RTU link through a serial device server that hands on bare RTU frames. Only Address is needed.
type RTUOverTCPConfig struct {
	Address     string                        // host:port
	Serial      Serial                        // the line behind the server, for its silences. Defaults to DefaultSerial
	Name        string                        // what errors call the link. Defaults to Address
	Timeout     time.Duration                 // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap         time.Duration                 // as in RTUConfig
	DialTimeout time.Duration                 // of opening the connection. Defaults to DefaultDialTimeout
	Dial        DialFunc                      // makes the connection. Defaults to net.Dialer
	Sleep       func(time.Duration)           // as in RTUConfig
	Trace       func(sent bool, frame []byte) // as in RTUConfig
}

// RTULink is a line that carries RTU frames: a serial port, or a TCP connection to one. Unit ids are 1..247.
// Source: MODBUS over Serial Line V1.02.
type RTULink struct {
	name    string
	serial  Serial
	timeout time.Duration
	gap     time.Duration
	sleep   func(time.Duration)
	traceTo func(sent bool, frame []byte)
	open    func(ctx context.Context) (stream, error)
	patient bool // timeouts never close the line: other units share it and reopening cures nothing

	units      map[UnitID]*rtuUnit
	stream     *tap // nil while closed
	connection uint64
	timeouts   int  // in a row
	echoes     bool // the line repeats what is sent
	free       time.Time
	buf        [1024]byte
	frames     frameCounter
}

// rtuUnit is what a link knows of one unit.
type rtuUnit struct {
	packager modbus.Packager
	debts    debts
	good     Range // a range that it has answered, of two or more if there was one
}

// NewRTU returns a closed link.
func NewRTU(cfg RTUConfig) *RTULink {
	l := newRTULink(cfg.Name, cfg.Path, cfg.Serial, cfg.Timeout, cfg.Gap, cfg.Sleep, cfg.Trace)
	l.patient = true
	l.open = func(context.Context) (stream, error) {
		if err := l.serial.Check(); err != nil {
			return nil, err
		}
		return openSerial(cfg.Path, l.serial)
	}
	return l
}

// NewRTUOverTCP returns a closed link.
func NewRTUOverTCP(cfg RTUOverTCPConfig) *RTULink {
	l := newRTULink(cfg.Name, cfg.Address, cfg.Serial, cfg.Timeout, cfg.Gap, cfg.Sleep, cfg.Trace)
	timeout := orDefault(cfg.DialTimeout, DefaultDialTimeout)
	l.open = func(ctx context.Context) (stream, error) { return dial(ctx, cfg.Dial, cfg.Address, timeout) }
	return l
}

func newRTULink(name, subject string, s Serial, timeout, gap time.Duration, sleep func(time.Duration), trace func(bool, []byte)) *RTULink {
	if name == "" {
		name = subject
	}
	if s == (Serial{}) {
		s = DefaultSerial
	}
	if sleep == nil {
		sleep = sleepPrecisely
	}
	return &RTULink{
		name: name, serial: s, timeout: orDefault(timeout, DefaultTimeout), gap: max(gap, s.Silence()),
		sleep: sleep, traceTo: trace, units: make(map[UnitID]*rtuUnit),
	}
}

// Frames returns what came in and answered nothing. It may be called from any goroutine.
func (l *RTULink) Frames() Frames { return l.frames.snapshot() }

// Open opens the port, or the connection if it is closed or the peer has closed it.
func (l *RTULink) Open(ctx context.Context) (uint64, error) {
	if l.stream != nil {
		n, gone := l.stream.arrived(l.buf[:])
		if n > 0 { // someone may still be sending
			l.frames.noise.Add(uint64(n))
			l.free = time.Now().Add(l.gap)
		}
		if !gone {
			return l.connection, nil
		}
		l.Close()
	}
	s, err := l.open(ctx)
	if err != nil {
		return l.connection, l.fail("open", err)
	}
	l.stream = newTap(s)
	l.connection++
	l.free = time.Now().Add(l.gap)
	return l.connection, nil
}

// Ready waits for the end of the silence behind the last byte.
func (l *RTULink) Ready(ctx context.Context) error { return waitUntil(ctx, l.free, l.sleep) }

// Close closes the port or the connection. What units still owe stays remembered: a device server may hand it to the
// next connection.
func (l *RTULink) Close() error {
	l.timeouts, l.echoes = 0, false
	if l.stream == nil {
		return nil
	}
	err := l.stream.Close()
	l.stream = nil
	return err
}

// Exchange is described at Link. If the unit may still answer an earlier request in the same shape, a short read of
// another shape goes first; when that gets no answer the request fails with ErrTimeout and was not sent.
func (l *RTULink) Exchange(ctx context.Context, req Request) (Response, error) {
	if err := req.Check(); err != nil {
		return Response{}, err
	}
	if req.Unit < 1 || req.Unit > 247 {
		return Response{}, fmt.Errorf("%v: unit ids on a serial line are 1..247", req)
	}
	u := l.unit(req.Unit)
	if err := l.settle(ctx, u, req); err != nil {
		return Response{}, fmt.Errorf("%v: %w", req, err)
	}
	return l.exchange(ctx, u, req, nil)
}

func (l *RTULink) unit(id UnitID) *rtuUnit {
	u := l.units[id]
	if u == nil {
		h := modbus.NewRTUClientHandler("")
		h.SlaveId = byte(id)
		u = &rtuUnit{packager: h}
		l.units[id] = u
	}
	return u
}

func (l *RTULink) exchange(ctx context.Context, u *rtuUnit, req Request, avoid *shape) (Response, error) {
	if err := l.Ready(ctx); err != nil {
		return Response{}, fmt.Errorf("%v: %w", req, err)
	}
	c := &call{ctx: ctx, req: req}
	c.via = rtuTransmitter{l, u, avoid}
	resp, err := c.run(u.packager, l.connection)
	if err == nil && req.Op == Read && (req.Range.Count > 1 || u.good.Count < 2) {
		u.good = req.Range
	}
	return resp, err
}

// errSettled ends a probe early: a reply has come that settles what the probe was sent for.
var errSettled = errors.New("settled by an earlier answer")

// maxProbes bounds the probes before one request; each can settle at least one answer.
const maxProbes = 3

// settle makes sure that no late answer can pass for the answer to req.
func (l *RTULink) settle(ctx context.Context, u *rtuUnit, req Request) error {
	avoid := shapeOf(req)
	u.debts.forget(time.Now())
	for range maxProbes {
		if !u.debts.owes(avoid) {
			return nil
		}
		_, err := l.exchange(ctx, u, u.debts.probe(req, u.good), &avoid)
		if _, refused := errors.AsType[ExceptionError](err); err == nil || refused || errors.Is(err, errSettled) {
			continue
		}
		return fmt.Errorf("not sent, an earlier answer may still come: %w", err)
	}
	if u.debts.owes(avoid) {
		return l.fail("receive", fmt.Errorf("not sent, an earlier answer may still come: %w", ErrTimeout))
	}
	return nil
}

func (l *RTULink) fail(op string, err error) error { return &LinkError{Op: op, Link: l.name, Err: err} }

func (l *RTULink) trace(sent bool, frame []byte) {
	if l.traceTo != nil {
		l.traceTo(sent, frame)
	}
}
