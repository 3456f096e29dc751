package link

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// portWait waits for input on a port, or for a moment. The port is not in the runtime's poller: that would wake up for
// each byte that comes in, whether somebody waits for it or not, which at 9600 baud is most of what a program costs
// that polls an inverter. What is in that poller is an epoll of our own. It holds the port while somebody waits for
// input, and a timer of the kernel: Go's timers round to a millisecond, a third of t3.5 at 9600 baud. A system call
// that blocks would be as precise, but the runtime wakes up every 20 us to watch it.
type portWait struct {
	port, timer, epoll int
	file               *os.File        // of epoll
	conn               syscall.RawConn // of file
	step               func(uintptr) bool

	// Of the wait in progress.
	until time.Time
	input bool
	armed bool
	err   error
}

// newPortWait is for a port that is open.
func newPortWait(port int) (*portWait, error) {
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		unix.Close(timer)
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	w := &portWait{port: port, timer: timer, epoll: epoll}
	nonblock := unix.SetNonblock(epoll, true) // only then NewFile puts it into the runtime's poller
	w.file = os.NewFile(uintptr(epoll), "epoll")
	w.conn, err = w.file.SyscallConn()
	if err := errors.Join(nonblock, err, w.control(unix.EPOLL_CTL_ADD, timer)); err != nil {
		w.close()
		return nil, err
	}
	w.step = func(uintptr) bool {
		if !w.armed {
			w.armed, w.err = true, w.arm()
			return w.err != nil
		}
		return true
	}
	return w, nil
}

func (w *portWait) close() {
	unix.Close(w.timer)
	w.file.Close()
}

// wait waits until t, or for input if that is asked for. It may return sooner.
func (w *portWait) wait(t time.Time, input bool) error {
	w.until, w.input, w.armed = t, input, false
	err := w.conn.Read(w.step)
	if input && w.err == nil {
		w.err = w.control(unix.EPOLL_CTL_DEL, w.port)
	}
	return errors.Join(err, w.err)
}

// arm runs when the runtime's poller is about to wait, and not sooner: it would forget what has happened before.
func (w *portWait) arm() error {
	if w.input {
		if err := w.control(unix.EPOLL_CTL_ADD, w.port); err != nil {
			return err
		}
	}
	left := max(1, time.Until(w.until)) // 0 would stop the timer
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}
	return os.NewSyscallError("timerfd_settime", unix.TimerfdSettime(w.timer, 0, &spec, nil))
}

func (w *portWait) control(op, fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.epoll, op, fd, &event))
}
