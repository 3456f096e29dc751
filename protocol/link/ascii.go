package link

import (
	"context"
	"time"

	"solarhub/protocol"
)

// ASCII is RTU in other clothes: what is behind a frame's mark is the same unit id and PDU. So the link is that of RTU,
// with its ways to tell replies apart, on a stream that translates. No profile
// needs it; meters and heating controllers offer it as a setting (mbpoll #33).

// NewASCII returns a closed link on a serial port, as NewRTU does. Serial defaults to DefaultASCII.
func NewASCII(cfg RTUConfig) *RTULink {
	cfg.Serial = asASCII(cfg.Serial)
	return NewRTU(cfg).inASCII()
}

// NewASCIIOverTCP returns a closed link through a serial device server, as NewRTUOverTCP does. Serial defaults to
// DefaultASCII.
func NewASCIIOverTCP(cfg RTUOverTCPConfig) *RTULink {
	cfg.Serial = asASCII(cfg.Serial)
	return NewRTUOverTCP(cfg).inASCII()
}

func asASCII(s protocol.Serial) protocol.Serial {
	if s == (protocol.Serial{}) {
		return protocol.DefaultASCII
	}
	s.ASCII = true
	return s
}

func (l *RTULink) inASCII() *RTULink {
	dial := l.dial
	l.dial = func(ctx context.Context) (stream, error) {
		s, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		return &ascii{under: newPeekConn(s), noise: func(n int) { l.frames.noise.Add(uint64(n)) }}, nil
	}
	return l
}

// ascii is a stream of RTU frames on one of ASCII frames.
type ascii struct {
	under *peekConn
	noise func(n int) // counts characters that are of no frame
	text  asciiText
	ready []byte // frames that nobody has read yet
	buf   [512]byte
}

func (a *ascii) Close() error                  { return a.under.Close() }
func (a *ascii) SetDeadline(t time.Time) error { return a.under.SetDeadline(t) }

// sleep is that of the port.
func (a *ascii) sleep(d time.Duration) {
	if p, ok := a.under.stream.(interface{ sleep(time.Duration) }); ok {
		p.sleep(d)
		return
	}
	time.Sleep(d)
}

// Write sends an RTU frame.
func (a *ascii) Write(adu []byte) (int, error) {
	if _, err := a.under.Write(asciiFrame(adu)); err != nil {
		return 0, err
	}
	return len(adu), nil
}

// Read returns frames as RTU has them, whole.
func (a *ascii) Read(b []byte) (int, error) {
	for len(a.ready) == 0 {
		n, err := a.under.Read(a.buf[:])
		if n == 0 && err != nil {
			return 0, err
		}
		a.take(n)
	}
	return a.give(b), nil
}

// hearOut is how long the next character of a frame that has begun is waited for, while nothing is asked: longer than a
// USB adapter keeps what it has (16 ms), and than a character takes at 1200 baud.
const hearOut = 25 * time.Millisecond

// readAvailable returns the frames that have come in. One that has begun is heard out: its sender would not hear us.
func (a *ascii) readAvailable(b []byte) (int, error) {
	for len(a.ready) == 0 {
		n, gone := a.under.readAvailable(a.buf[:])
		switch {
		case gone:
			return 0, a.under.err
		case n == 0 && a.text.begun():
			if err := a.SetDeadline(time.Now().Add(hearOut)); err != nil {
				return 0, err
			}
			var err error
			if n, err = a.under.Read(a.buf[:]); n == 0 && isTimeout(err) {
				a.noise(a.text.drop())
				return 0, nil
			} else if n == 0 {
				return 0, err
			}
		case n == 0:
			return 0, nil
		}
		a.take(n)
	}
	return a.give(b), nil
}

func (a *ascii) take(n int) {
	for _, c := range a.buf[:n] {
		frame, wasted := a.text.add(c)
		a.ready = append(a.ready, frame...)
		a.noise(wasted)
	}
}

func (a *ascii) give(b []byte) int {
	n := copy(b, a.ready)
	a.ready = append(a.ready[:0], a.ready[n:]...)
	return n
}
