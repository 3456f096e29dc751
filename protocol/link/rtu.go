package link

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// RTUConfig is an RTU link on a serial port. Only Path is needed.
type RTUConfig struct {
	Path    string          // of the port; those under /dev/serial/by-id stay the same when ports are numbered anew
	Serial  protocol.Serial // Defaults to DefaultSerial
	Name    string          // what errors call the link. Defaults to Path
	Timeout time.Duration   // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap     time.Duration   // silence after a reply, where Pace has a shorter one. Defaults to t3.5, never less
	Quirks  protocol.Quirks // Defaults to none
	// Never is as in TCPConfig.
	Never map[protocol.UnitID][]protocol.Range
	// Trace sees every ADU, also those that answer nothing. It may not keep the frame. Defaults to none.
	Trace func(sent bool, frame []byte)
}

// RTULink is a line that carries RTU frames: a serial port, or a TCP connection to one. Unit ids are 1..247.
// Source: MODBUS over Serial Line V1.02.
type RTULink struct {
	line
	cfg     RTUConfig
	skipped func(frame []byte) // traces
	// isPort is set for a serial port. Timeouts never close it: other units share it, and reopening cures nothing.
	isPort bool
	buf    [1024]byte
}

// NewRTU returns a closed link.
func NewRTU(cfg RTUConfig) *RTULink {
	l := newRTULink(cfg, cfg.Path)
	l.isPort = true
	l.dial = l.openAt(newPlace(cfg.Path))
	return l
}

// openAt returns what opens the port of a place.
func (l *RTULink) openAt(p *place) func(context.Context) (stream, error) {
	return func(context.Context) (stream, error) {
		if err := l.cfg.Serial.Check(); err != nil {
			return nil, err
		}
		path, err := p.find()
		if err != nil {
			return nil, err
		}
		port, err := openSerial(path, l.cfg.Serial, l.cfg.Quirks.Direction)
		if err != nil {
			return nil, err
		}
		p.opened(path)
		timer := latencyTimer{root: "/", path: path, keep: l.cfg.Quirks.KeepLatency}.set(port)
		l.condition.latencyTimer.Store(&timer)
		l.condition.port.Store(&foundPort{path: path, moved: path != p.path, lasting: p.lasting})
		return port, nil
	}
}

func newRTULink(cfg RTUConfig, subject string) *RTULink {
	if cfg.Name == "" {
		cfg.Name = subject
	}
	if cfg.Serial == (protocol.Serial{}) {
		cfg.Serial = protocol.DefaultSerial
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, protocol.DefaultTimeout)
	cfg.Gap = max(cfg.Gap, cfg.Serial.Silence())
	l := &RTULink{cfg: cfg}
	l.line.set(cfg.Name, cfg.Gap, cfg.Trace, newUnits(cfg.Quirks.Units, rtuPackager))
	l.units.never = cfg.Never
	l.delay = max(cfg.Gap, cfg.Quirks.ConnectDelay)
	l.skipped = func(frame []byte) { l.trace(false, frame) }
	return l
}

// rtuPackager is goburrow's maker of the ADUs of a unit.
func rtuPackager(id protocol.UnitID) modbus.Packager {
	h := modbus.NewRTUClientHandler("")
	h.SlaveId = byte(id)
	return h
}

// Serial returns the setting of the line. It may be called from any goroutine.
func (l *RTULink) Serial() protocol.Serial { return l.cfg.Serial }

// Open opens the port, or the connection if it is closed or the peer has closed it.
func (l *RTULink) Open(ctx context.Context) (uint64, error) {
	if l.conn != nil {
		n, gone := l.drain()
		if n > 0 { // someone may still be sending
			l.free = time.Now().Add(l.cfg.Gap)
		}
		if !gone {
			return l.connection, nil
		}
		l.Close()
	}
	err := l.connect(ctx)
	return l.connection, err
}

// Exchange is described at protocol.Link. If an earlier reply may still come and looks like the one to req, a probe
// goes first; when that gets no reply the request fails with ErrTimeout and was not sent.
func (l *RTULink) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if err := req.Check(); err != nil {
		return protocol.Response{}, err
	}
	if req.Unit < 1 || req.Unit > 247 {
		return protocol.Response{}, fmt.Errorf("%v: unit ids on a serial line are 1..247", req)
	}
	return l.units.unit(req.Unit).exchange(ctx, l, req)
}
