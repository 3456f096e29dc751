package link

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"solarhub/protocol"
)

// paced is a device behind a pty that keeps the time of a serial line: a request takes its characters, silence tells
// its end, the turnaround passes, and the reply comes one character at a time.
type paced struct {
	master *os.File
	path   string
	serial protocol.Serial
	pause  time.Duration // turnaround

	mu     sync.Mutex
	echoes bool            // it repeats what it hears, as an RS485 adapter does, and carries out no single write
	counts bool            // the first register of a read counts the requests, as that of a living device moves
	gaps   []time.Duration // from the last byte of a reply to the next request
}

// newPaced serves until the test ends.
func newPaced(t testing.TB, s protocol.Serial, turnaround time.Duration) *paced {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty: %v", err)
	}
	p := &paced{master: master, path: slave.Name(), serial: s, pause: turnaround}
	var serving sync.WaitGroup
	serving.Go(p.serve)
	t.Cleanup(func() {
		master.Close()
		slave.Close()
		serving.Wait()
	})
	return p
}

func (p *paced) serve() {
	var have []byte
	var last time.Time
	var n uint16
	buf := make([]byte, 512)
	for {
		got, err := p.master.Read(buf)
		if err != nil {
			return
		}
		arrived := time.Now()
		have = append(have, buf[:got]...)
		size := rtuSize(have)
		if size == 0 || size > len(have) {
			continue
		}
		if !last.IsZero() {
			p.mu.Lock()
			p.gaps = append(p.gaps, arrived.Sub(last))
			p.mu.Unlock()
		}
		p.mu.Lock()
		echoes, counts := p.echoes, p.counts
		p.mu.Unlock()
		if echoes {
			if _, err := p.master.Write(have[:size]); err != nil {
				return
			}
		}
		if !echoes || have[1] != 6 {
			reply := rtuReplyTo(have[:size])
			if counts {
				n++
				reply[3], reply[4] = byte(n>>8), byte(n)
				reply = rtu(reply[:len(reply)-2]...)
			}
			last = p.reply(arrived, reply)
		}
		have = have[size:]
	}
}

func (p *paced) reply(arrived time.Time, reply []byte) (last time.Time) {
	begin := arrived.Add(p.serial.Chars(8) + p.serial.Silence() + p.pause)
	for i := range reply {
		if left := time.Until(begin.Add(p.serial.Chars(i + 1))); left > 0 {
			sleepPrecisely(left)
		}
		last = time.Now()
		if _, err := p.master.Write(reply[i : i+1]); err != nil {
			break
		}
	}
	return last
}

// sleepPrecisely is for the far end: what it oversleeps is not to be counted against ours.
func sleepPrecisely(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}

func (p *paced) shortestGap() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Min(p.gaps)
}

func TestSerialPort(t *testing.T) {
	for _, s := range []protocol.Serial{
		{Baud: 9600, DataBits: 8, Parity: protocol.NoParity, StopBits: 1},
		{Baud: 19200, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1},
		{Baud: 38400, DataBits: 8, Parity: protocol.OddParity, StopBits: 1},
		{Baud: 115200, DataBits: 8, Parity: protocol.NoParity, StopBits: 2},
	} {
		t.Run(s.String(), func(t *testing.T) {
			p := newPaced(t, protocol.Serial{Baud: 115200, DataBits: 8, Parity: protocol.NoParity, StopBits: 1}, 0)
			l := NewRTU(RTUConfig{Path: p.path, Serial: s})
			defer l.Close()
			if connection, err := l.Open(t.Context()); err != nil || connection != 1 {
				t.Fatal(connection, err)
			}
			for i := range uint16(5) {
				req := readOf(i, 1+i)
				resp, err := l.Exchange(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				right(t, req, resp)
			}
			if gap := p.shortestGap(); gap < s.Silence() {
				t.Errorf("a gap of %v, t3.5 is %v", gap, s.Silence())
			}
		})
	}
}

// countedPort counts how often a port is asked for bytes.
type countedPort struct {
	*port
	reads int
}

func (p *countedPort) Read(b []byte) (int, error) {
	p.reads++
	return p.port.Read(b)
}

// A reply is read in four parts, however long it is, instead of byte by byte: its first byte, the head, all but the
// last byte, the last.
func TestSerialPortWakesUpSeldom(t *testing.T) {
	p := newPaced(t, protocol.DefaultSerial, 0)
	l := NewRTU(RTUConfig{Path: p.path})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	counted := &countedPort{port: l.conn.stream.(*port)}
	l.conn.stream = counted
	if _, err := l.Exchange(t.Context(), readOf(0, 20)); err != nil {
		t.Fatal(err)
	}
	if counted.reads > 5 {
		t.Errorf("%d reads for one reply", counted.reads)
	}
}

// On a port that hears itself the echo of a single write is not taken for its reply.
func TestSerialPortEcho(t *testing.T) {
	p := newPaced(t, protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}, 0)
	p.mu.Lock()
	p.echoes = true
	p.mu.Unlock()
	quirks := protocol.Quirks{Echo: protocol.WithEcho}
	l := NewRTU(RTUConfig{Path: p.path, Serial: p.serial, Timeout: 200 * time.Millisecond, Quirks: quirks})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		req := readOf(7, 10)
		req.Pace.Timeout = 10 * time.Second
		resp, err := l.Exchange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		right(t, req, resp)
		if _, err := l.Exchange(t.Context(), writeOf(1, 2)); !errors.Is(err, protocol.ErrOutcomeUnknown) {
			t.Error(err)
		}
	}
	if c := l.Condition(); c.LatencyTimer != "" || !c.Echoes {
		t.Errorf("%+v", c)
	}
}

// The port is set as asked: raw, and with the right number of bits.
func TestSerialTermios(t *testing.T) {
	const even, odd, two, mask = unix.PARENB, unix.PARENB | unix.PARODD, unix.CSTOPB,
		unix.PARENB | unix.PARODD | unix.CSTOPB
	for _, tt := range []struct {
		s    protocol.Serial
		baud uint32
		bits uint32
	}{
		{protocol.Serial{Baud: 9600, DataBits: 8, Parity: protocol.NoParity, StopBits: 1}, unix.B9600, 0},
		{protocol.Serial{Baud: 19200, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1}, unix.B19200, even},
		{protocol.Serial{Baud: 1200, DataBits: 8, Parity: protocol.OddParity, StopBits: 1}, unix.B1200, odd},
		{protocol.Serial{Baud: 115200, DataBits: 8, Parity: protocol.NoParity, StopBits: 2}, unix.B115200, two},
	} {
		master, slave, err := pty.Open()
		if err != nil {
			t.Skipf("no pty: %v", err)
		}
		port, err := openSerial(slave.Name(), tt.s, protocol.AdapterDirection)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		// A pty has no parity; the kernel takes the bit away again.
		if want := tt.bits &^ unix.PARENB; got.Cflag&unix.CBAUD != tt.baud || got.Cflag&mask&^unix.PARENB != want {
			t.Errorf("%v: control flags %#o", tt.s, got.Cflag)
		}
		if got.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0 || got.Oflag&unix.OPOST != 0 ||
			got.Iflag&(unix.IXON|unix.ICRNL) != 0 {
			t.Errorf("%v: not raw", tt.s)
		}
		if _, err := openSerial(slave.Name(), tt.s, protocol.AdapterDirection); !errors.Is(err, protocol.ErrPortHeld) {
			t.Errorf("opened twice: %v", err)
		}
		port.Close()
		master.Close()
		slave.Close()
	}
}

// The driver is told how to switch the transceiver; a port whose driver cannot is refused with the reason.
func TestSerialDirection(t *testing.T) {
	for d, want := range map[protocol.Direction]uint32{protocol.RTSDirection: 0b011, protocol.InvertedRTS: 0b101} {
		if got := rs485For(d); got.flags != want || unsafe.Sizeof(*got) != 32 {
			t.Errorf("direction %d: %+v of %d bytes", d, *got, unsafe.Sizeof(*got))
		}
		p := newPaced(t, protocol.DefaultSerial, 0)
		l := NewRTU(RTUConfig{Path: p.path, Quirks: protocol.Quirks{Direction: d}})
		_, err := l.Open(t.Context())
		if !errors.Is(err, unix.ENOTTY) ||
			!strings.Contains(err.Error(), p.path+" has a driver that does not switch the direction of RS485") {
			t.Error(err)
		}
		l.Close()
	}
	if rs485For(protocol.AdapterDirection) != nil {
		t.Error("an adapter that switches by itself is told how to")
	}
}

// An adapter that is pulled out: the exchange ends at once, and so does the attempt to send on it.
func TestSerialPortGone(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty: %v", err)
	}
	path := slave.Name()
	l := NewRTU(RTUConfig{Path: path, Timeout: time.Minute, Quirks: protocol.Quirks{Echo: protocol.NoEcho}})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	var pulling sync.WaitGroup
	pulling.Go(func() {
		_, _ = master.Read(make([]byte, 8))
		master.Close()
	})
	_, err = l.Exchange(t.Context(), writeOf(1, 2))
	pulling.Wait()
	if !fatal(err) || !errors.Is(err, protocol.ErrOutcomeUnknown) || !strings.Contains(err.Error(), "hung up") {
		t.Errorf("in flight: %v", err)
	}
	if _, err := l.Exchange(t.Context(), writeOf(1, 2)); !errors.Is(err, protocol.ErrDown) {
		t.Errorf("behind: %v", err)
	}
	if _, err := l.Open(t.Context()); !fatal(err) || !strings.HasPrefix(err.Error(), "open "+path+": ") {
		t.Errorf("open: %v", err)
	}
}

func TestSerialCannotOpen(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		cfg RTUConfig
		err string
	}{
		{RTUConfig{Path: "/dev/does-not-exist"}, "there is no /dev/does-not-exist"},
		{RTUConfig{Path: file}, "is a file, no serial port"},
		{RTUConfig{Path: file, Serial: protocol.Serial{Baud: 9601, DataBits: 8, Parity: protocol.NoParity,
			StopBits: 1}}, "baud 9601 is not one of [1200 "},
	} {
		_, err := NewRTU(tt.cfg).Open(t.Context())
		if !fatal(err) || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q, want one with %q", err, tt.err)
		}
	}
}
