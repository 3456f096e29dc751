package link

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// RTUConfig is an RTU link on a serial port. Only Path is needed.
type RTUConfig struct {
	Path    string                        // of the port; /dev/serial/by-id/... stays the same when ports are numbered anew
	Serial  protocol.Serial               // Defaults to DefaultSerial
	Name    string                        // what errors call the link. Defaults to Path
	Timeout time.Duration                 // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap     time.Duration                 // silence behind a reply, where Pace has a shorter one. Defaults to t3.5, never less
	Quirks  protocol.Quirks               // Defaults to none
	Sleep   func(time.Duration)           // the last milliseconds of a gap. Defaults to the kernel's precise timer
	Trace   func(sent bool, frame []byte) // sees every ADU, also those that answer nothing; frame is only lent. Defaults to none
}

// RTUOverTCPConfig is an RTU link through a serial device server that hands on bare RTU frames. Only Address is needed.
type RTUOverTCPConfig struct {
	Address     string                        // host:port
	Serial      protocol.Serial               // the line behind the server, for its silences. Defaults to DefaultSerial
	Name        string                        // what errors call the link. Defaults to Address
	Timeout     time.Duration                 // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap         time.Duration                 // as in RTUConfig
	Quirks      protocol.Quirks               // as in RTUConfig
	DialTimeout time.Duration                 // of opening the connection. Defaults to DefaultDialTimeout
	Dial        DialFunc                      // makes the connection. Defaults to net.Dialer
	Sleep       func(time.Duration)           // as in RTUConfig
	Trace       func(sent bool, frame []byte) // as in RTUConfig
}

// RTULink is a line that carries RTU frames: a serial port, or a TCP connection to one. Unit ids are 1..247.
// Source: MODBUS over Serial Line V1.02.
type RTULink struct {
	cfg     RTUConfig
	open    func(ctx context.Context) (stream, error)
	skipped func(frame []byte) // traces
	virtual bool               // the port is the end of a pty: what is behind it may be a network
	port    bool               // a serial port: timeouts never close it, because other units share it and reopening cures nothing

	units      units
	call       call
	stream     *tap // nil while closed
	connection uint64
	timeouts   int // in a row
	pace       pace
	echo       echo
	free       time.Time
	looked     time.Time // when it was last known what had come in
	buf        [1024]byte
	have       int // bytes at the start of buf that came in between two exchanges and are not yet a whole frame
	frames     frameCounter
	condition  condition
}

// NewRTU returns a closed link.
func NewRTU(cfg RTUConfig) *RTULink {
	l := newRTULink(cfg, cfg.Path)
	l.port = true
	l.open = func(context.Context) (stream, error) {
		if err := l.cfg.Serial.Check(); err != nil {
			return nil, err
		}
		port, err := openSerial(cfg.Path, l.cfg.Serial)
		if err != nil {
			return nil, err
		}
		l.virtual = isPTY(cfg.Path)
		timer := latencyTimer{root: "/", path: cfg.Path, keep: cfg.Quirks.KeepLatency}.set(port)
		l.condition.latencyTimer.Store(&timer)
		return port, nil
	}
	return l
}

func isPTY(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	return err == nil && strings.HasPrefix(real, "/dev/pts/")
}

// NewRTUOverTCP returns a closed link.
func NewRTUOverTCP(cfg RTUOverTCPConfig) *RTULink {
	l := newRTULink(RTUConfig{
		Serial: cfg.Serial, Name: cfg.Name, Timeout: cfg.Timeout, Gap: cfg.Gap, Quirks: cfg.Quirks, Sleep: cfg.Sleep, Trace: cfg.Trace,
	}, cfg.Address)
	timeout := cmp.Or(cfg.DialTimeout, DefaultDialTimeout)
	l.open = func(ctx context.Context) (stream, error) { return dial(ctx, cfg.Dial, cfg.Address, timeout) }
	return l
}

func newRTULink(cfg RTUConfig, subject string) *RTULink {
	if cfg.Name == "" {
		cfg.Name = subject
	}
	if cfg.Serial == (protocol.Serial{}) {
		cfg.Serial = protocol.DefaultSerial
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleepPrecisely
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, protocol.DefaultTimeout)
	cfg.Gap = max(cfg.Gap, cfg.Serial.Silence())
	l := &RTULink{cfg: cfg, units: newUnits(cfg.Quirks.Units), echo: echo{told: cfg.Quirks.Echo}}
	l.call.via = l
	l.units.client, l.units.once, l.units.fail = l.client, l.once, l.fail
	l.skipped = func(frame []byte) { l.trace(false, frame) }
	l.condition.gap.Store(int64(cfg.Gap))
	l.condition.latencyTimer.Store(new(string))
	return l
}

// client returns goburrow's client of a unit.
func (l *RTULink) client(id protocol.UnitID) modbus.Client {
	return modbus.NewClient2(rtuPackager(id), &l.call)
}

func rtuPackager(id protocol.UnitID) modbus.Packager {
	h := modbus.NewRTUClientHandler("")
	h.SlaveId = byte(id)
	return h
}

// Frames returns what came in and answered nothing. It may be called from any goroutine.
func (l *RTULink) Frames() protocol.Frames { return l.frames.snapshot() }

// Condition returns what the link knows of itself. It may be called from any goroutine.
func (l *RTULink) Condition() protocol.LinkCondition { return l.condition.snapshot() }

// Serial returns the setting of the line. It may be called from any goroutine.
func (l *RTULink) Serial() protocol.Serial { return l.cfg.Serial }

// Open opens the port, or the connection if it is closed or the peer has closed it.
func (l *RTULink) Open(ctx context.Context) (uint64, error) {
	if l.stream != nil {
		n, gone := l.overhear()
		if n > 0 { // someone may still be sending
			l.free = time.Now().Add(l.cfg.Gap)
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
	l.looked = time.Now()
	l.free = l.looked.Add(max(l.cfg.Gap, l.cfg.Quirks.ConnectDelay))
	return l.connection, nil
}

// Ready waits for the end of the silence behind the last byte or behind the opening.
func (l *RTULink) Ready(ctx context.Context) error { return waitUntil(ctx, l.free, l.cfg.Sleep) }

// Close closes the port or the connection. What units still owe stays remembered: a device server may hand it to the
// next connection.
func (l *RTULink) Close() error {
	l.timeouts, l.have = 0, 0
	l.echo = echo{told: l.cfg.Quirks.Echo}
	if l.stream == nil {
		return nil
	}
	err := l.stream.Close()
	l.stream = nil
	return err
}

// Exchange is described at Link. If the unit may still answer an earlier request in the same shape, a short read of
// another shape goes first; when that gets no answer the request fails with ErrTimeout and was not sent. So it does before a
// single write while it is not known whether the line echoes.
func (l *RTULink) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if err := req.Check(); err != nil {
		return protocol.Response{}, err
	}
	if req.Unit < 1 || req.Unit > 247 {
		return protocol.Response{}, fmt.Errorf("%v: unit ids on a serial line are 1..247", req)
	}
	u := l.units.unit(req.Unit)
	if ambiguous(shapeOf(req)) && l.echo.unknown() && l.stream != nil {
		if err := l.units.probe(ctx, u, req, nil); err != nil {
			return protocol.Response{}, fmt.Errorf("%v: not sent, it is not known yet whether the line echoes: %w", req, err)
		}
	}
	return l.units.exchange(ctx, u, req)
}

// once sends one request; avoid is that of units.once.
func (l *RTULink) once(ctx context.Context, u *unit, req protocol.Request, avoid *shape) (protocol.Response, error) {
	l.free = u.notBefore(req, l.free)
	if err := l.Ready(ctx); err != nil {
		return protocol.Response{}, fmt.Errorf("%v: %w", req, err)
	}
	return l.call.run(ctx, u, req, avoid, l.connection)
}

func (l *RTULink) fail(op string, err error) error {
	return &protocol.LinkError{Op: op, Link: l.cfg.Name, Err: err}
}

func (l *RTULink) trace(sent bool, frame []byte) {
	if l.cfg.Trace != nil {
		l.cfg.Trace(sent, frame)
	}
}
