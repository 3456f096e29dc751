package link

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"solarhub/protocol"
)

// newLibraryRTU is NewRTU as other systems have it.
func newLibraryRTU(cfg RTUConfig) *RTULink {
	l := NewRTU(cfg)
	l.dial = func(context.Context) (stream, error) {
		return openLibrary(cfg.Path, l.cfg.Serial, cfg.Quirks.Direction)
	}
	return l
}

// The port of other systems carries what ours does: exchanges with the silence between them, time-outs, and an end.
func TestLibraryPort(t *testing.T) {
	fast := protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
	p := newPaced(t, fast, 0)
	l := newLibraryRTU(RTUConfig{Path: p.path, Serial: fast, Timeout: time.Minute})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range uint16(5) {
		req := readOf(i, 1+20*i)
		resp, err := l.Exchange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		right(t, req, resp)
	}
	if gap := p.shortestGap(); gap < fast.Silence() {
		t.Errorf("a gap of %v, t3.5 is %v", gap, fast.Silence())
	}
	if _, err := p.master.Write([]byte{1, 2, 3}); err != nil { // noise between two requests
		t.Fatal(err)
	}
	resp, err := l.Exchange(t.Context(), readOf(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	right(t, readOf(1, 2), resp)
	if l.connection != 1 {
		t.Errorf("connection %d", l.connection)
	}
}

func TestLibraryPortEnds(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty: %v", err)
	}
	l := newLibraryRTU(RTUConfig{Path: slave.Name(), Timeout: 50 * time.Millisecond})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	if _, err := l.Exchange(t.Context(), readOf(1, 2)); !errors.Is(err, protocol.ErrTimeout) {
		t.Errorf("nobody answers: %v", err)
	}
	master.Close()
	if _, err := l.Exchange(t.Context(), readOf(1, 2)); !errors.Is(err, protocol.ErrDown) {
		t.Errorf("pulled out: %v", err)
	}
}

// It is set as asked, and each reason for which it cannot be opened is one sentence.
func TestLibraryPortOpens(t *testing.T) {
	path := openPTY(t)
	p, err := openLibrary(path, protocol.Serial{Baud: 19200, DataBits: 7, Parity: protocol.EvenParity, StopBits: 2},
		protocol.AdapterDirection)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err == nil { // root, whom TIOCEXCL does not keep out
		defer f.Close()
		got, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		// A pty has 8 bits and no parity, whatever it is told.
		if err != nil || got.Cflag&unix.CBAUD != unix.B19200 || got.Cflag&unix.CSTOPB == 0 {
			t.Errorf("control flags %#o, %v", got.Cflag, err)
		}
	}
	_, gone := openLibrary("/dev/cu.none", protocol.DefaultSerial, protocol.AdapterDirection)
	_, directed := openLibrary(path, protocol.DefaultSerial, protocol.RTSDirection)
	_, null := openLibrary("/dev/null", protocol.DefaultSerial, protocol.AdapterDirection)
	for want, err := range map[string]error{
		"there is no /dev/cu.none; th":                                              gone,
		path + " has a driver that does not switch the direction of RS485: only":    directed,
		"/dev/null is no serial port, or cannot be set to 9600 8N1: Invalid serial": null,
	} {
		if _, ok := errors.AsType[*PortError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if !errors.Is(gone, fs.ErrNotExist) {
		t.Error(gone)
	}
}
