package link

import (
	"context"
	"time"

	"solarhub/protocol"
)

// Modbus over UDP is in no standard. Two forms are in use: the frames of Modbus TCP, or those of RTU, one in each
// datagram; who does not know which tries both (simonvetter/modbus, README).

// UDPConfig is a Modbus link over UDP, or one of RTU over UDP. Only Address is needed.
type UDPConfig struct {
	Address string          // host:port
	Serial  protocol.Serial // of RTU: the line behind the gateway. Defaults to DefaultSerial
	Name    string          // what errors call the link. Defaults to Address
	Timeout time.Duration   // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap     time.Duration   // as in TCPConfig or RTUConfig
	Quirks  protocol.Quirks // Defaults to none
	Never   map[protocol.UnitID][]protocol.Range
	Dial    DialFunc                      // makes the socket. Defaults to net.Dialer
	Trace   func(sent bool, frame []byte) // as in TCPConfig
}

// NewUDP returns a closed link of Modbus TCP's frames in datagrams. Each request has an id of its own, also a second
// try, so neither a late reply nor one that the network has doubled passes for another (pymodbus #1468).
func NewUDP(cfg UDPConfig) *TCPLink {
	l := NewTCP(TCPConfig{Address: cfg.Address, Name: cfg.Name, Timeout: cfg.Timeout, Gap: cfg.Gap, Quirks: cfg.Quirks,
		Never: cfg.Never, Trace: cfg.Trace})
	l.dial = func(ctx context.Context) (stream, error) {
		return dialUDP(ctx, cfg.Dial, cfg.Address, datagrams{whole: isMBAP, frames: &l.frames, renews: l.byShape()})
	}
	l.closing.may = false
	return l
}

// NewRTUOverUDP returns a closed link of RTU frames in datagrams.
func NewRTUOverUDP(cfg UDPConfig) *RTULink {
	l := newRTULink(RTUConfig{
		Serial: cfg.Serial, Name: cfg.Name, Timeout: cfg.Timeout, Gap: cfg.Gap, Quirks: cfg.Quirks, Never: cfg.Never,
		Trace: cfg.Trace,
	}, cfg.Address)
	l.dial = func(ctx context.Context) (stream, error) {
		return dialUDP(ctx, cfg.Dial, cfg.Address, datagrams{whole: isRTU, frames: &l.frames, renews: true})
	}
	return l
}

// isMBAP reports whether b is one reply of Modbus TCP.
func isMBAP(b []byte) bool {
	return len(b) >= mbapHead && b[2] == 0 && b[3] == 0 && mbapSize(b) == len(b)
}

// isRTU reports whether b is one sound reply, or a refusal with more bytes in front of its checksum than its code.
func isRTU(b []byte) bool {
	r, size, looks := parseReply(b)
	return looks == whole && size == len(b) || r.exception && paddedEnd(b) == len(b)
}
