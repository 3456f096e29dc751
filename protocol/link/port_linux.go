package link

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"solarhub/protocol"
)

var rates = map[int]uint32{
	1200: unix.B1200, 1800: unix.B1800, 2400: unix.B2400, 4800: unix.B4800, 9600: unix.B9600, 19200: unix.B19200,
	38400: unix.B38400, 57600: unix.B57600, 115200: unix.B115200, 230400: unix.B230400, 460800: unix.B460800,
	500000: unix.B500000, 576000: unix.B576000, 921600: unix.B921600,
}

// port is a serial port.
type port struct {
	fd       int
	waits    *portWait
	deadline time.Time
}

// openSerial opens a serial port raw and for this process alone. The error is a *PortError.
func openSerial(path string, s protocol.Serial, d protocol.Direction) (stream, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, machine{"/"}.trouble(path, err)
	}
	t, err := take(fd)
	if err != nil {
		unix.Close(fd)
		return nil, machine{"/"}.trouble(path, err)
	}
	if err := cmp.Or(setTermios(fd, t, s), setDirection(fd, d)); err != nil {
		unix.Close(fd)
		return nil, &PortError{Sentence: path + " " + err.Error(), Err: err}
	}
	wait, err := newPortWait(fd)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &port{fd: fd, waits: wait}, nil
}

func (p *port) SetDeadline(t time.Time) error {
	p.deadline = t
	return nil
}

func (p *port) Close() error {
	p.waits.close()
	return unix.Close(p.fd)
}

// Read waits for at least one byte until the deadline.
func (p *port) Read(b []byte) (int, error) {
	for {
		n, err := p.readAvailable(b)
		if n > 0 || err != nil {
			return n, err
		}
		if !time.Now().Before(p.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		if err := p.waits.wait(p.deadline, true); err != nil {
			return 0, err
		}
	}
}

// sleep is as precise as the kernel's timers.
func (p *port) sleep(d time.Duration) {
	for t := time.Now().Add(d); time.Now().Before(t) && p.waits.wait(t, false) == nil; {
	}
}

// readAvailable reads what has come in: nothing is 0 and no error, an end is 0 and an error.
func (p *port) readAvailable(b []byte) (int, error) { return readDescriptor(uintptr(p.fd), b) }

// Write does not wait: a request is shorter than the buffer of any driver, which is a page of memory. Where it does not
// fit the port is stuck.
func (p *port) Write(b []byte) (int, error) {
	n, err := unix.Write(p.fd, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return max(n, 0), err
}

// take takes a port for this process alone, and returns its settings. The lock is the one that other Modbus masters
// take: two on one port ruin each other's frames.
func take(fd int) (*unix.Termios, error) {
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, err
	}
	return unix.IoctlGetTermios(fd, unix.TCGETS)
}

func setTermios(fd int, t *unix.Termios, s protocol.Serial) error {
	rate := rates[s.Baud]
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | rate
	if s.DataBits == 7 {
		t.Cflag = t.Cflag&^unix.CSIZE | unix.CS7
	}
	t.Ispeed, t.Ospeed = rate, rate
	if s.StopBits == 2 {
		t.Cflag |= unix.CSTOPB
	}
	if s.Parity != protocol.NoParity {
		// INPCK|IGNPAR would drop a byte with a wrong parity; the checksum finds it anyway and the frame keeps its
		// length.
		t.Cflag |= unix.PARENB
	}
	if s.Parity == protocol.OddParity {
		t.Cflag |= unix.PARODD
	}
	// At least one byte: with 0 an idle line would read as end of file, which has to mean that the port is gone.
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("cannot be set to %v: %w", s, err)
	}
	return nil
}

// rs485 is struct serial_rs485 of Linux, include/uapi/linux/serial.h.
type rs485 struct {
	flags, delayBefore, delayAfter uint32 // the delays of RTS are in milliseconds
	_                              [5]uint32
}

const (
	rs485Enabled      = 1 << 0
	rs485RTSOnSend    = 1 << 1
	rs485RTSAfterSend = 1 << 2
)

// rs485For returns what the driver is told; nil where the adapter switches by itself.
func rs485For(d protocol.Direction) *rs485 {
	switch d {
	case protocol.RTSDirection:
		return &rs485{flags: rs485Enabled | rs485RTSOnSend}
	case protocol.InvertedRTS:
		return &rs485{flags: rs485Enabled | rs485RTSAfterSend}
	}
	return nil
}

// setDirection has the driver switch the transceiver. Source: Linux, Documentation/driver-api/serial/serial-rs485.rst.
func setDirection(fd int, d protocol.Direction) error {
	s := rs485For(d)
	if s == nil {
		return nil
	}
	_, _, failure := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSRS485, uintptr(unsafe.Pointer(s)))
	if failure != 0 {
		return fmt.Errorf("has a driver that does not switch the direction of RS485: %w", failure)
	}
	return nil
}

// readDescriptor reads into b what has already arrived on a descriptor that does not block: nothing is 0 and no error,
// an end is 0 and an error. The runtime is not told of the system call: it would wake up to watch it.
func readDescriptor(fd uintptr, b []byte) (int, error) {
	for {
		n, _, err := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return 0, nil
		case err != 0:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return int(n), nil
	}
}

const canReadDescriptor = true
