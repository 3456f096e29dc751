package link

import (
	"cmp"
	"context"
	"time"

	"solarhub/protocol"
)

// RTUOverTCPConfig is an RTU link through a serial device server that passes bare RTU frames on. Only Address is
// needed.
type RTUOverTCPConfig struct {
	Address     string          // host:port
	Serial      protocol.Serial // of the line behind the server. Defaults to DefaultSerial
	Name        string          // what errors call the link. Defaults to Address
	Timeout     time.Duration   // as in RTUConfig
	Gap         time.Duration   // as in RTUConfig
	Quirks      protocol.Quirks // as in RTUConfig
	Never       map[protocol.UnitID][]protocol.Range
	DialTimeout time.Duration                 // of opening the connection. Defaults to DefaultDialTimeout
	Dial        DialFunc                      // makes the connection. Defaults to net.Dialer
	Trace       func(sent bool, frame []byte) // as in RTUConfig
}

// NewRTUOverTCP returns a closed link.
func NewRTUOverTCP(cfg RTUOverTCPConfig) *RTULink {
	l := newRTULink(RTUConfig{
		Serial: cfg.Serial, Name: cfg.Name, Timeout: cfg.Timeout, Gap: cfg.Gap, Quirks: cfg.Quirks, Never: cfg.Never,
		Trace: cfg.Trace,
	}, cfg.Address)
	timeout := cmp.Or(cfg.DialTimeout, DefaultDialTimeout)
	l.dial = func(ctx context.Context) (stream, error) { return dial(ctx, cfg.Dial, cfg.Address, timeout) }
	l.closing.may = true
	return l
}
