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
// that polls an inverter. What is in that poller is an epoll of our own. It holds the port, armed while somebody waits
// for input, and a timer of the kernel: Go's timers round to a millisecond, a third of t3.5 at 9600 baud. A system call
// that blocks would be as precise, but the runtime wakes up every 20 us to watch it.
type portWait struct {
	port, timer, epoll int
	file               *os.File        // of epoll
	conn               syscall.RawConn // of file
	events             [2]unix.EpollEvent
	look               func(fd uintptr) bool // made once: it runs several times for each frame
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
	nonblock := unix.SetNonblock(epoll, true) // NewFile has the runtime poll only what does not block
	w.file = os.NewFile(uintptr(epoll), "epoll")
	w.look = func(fd uintptr) bool {
		n, err := unix.EpollWait(int(fd), w.events[:], 0)
		return n > 0 || err != nil
	}
	w.conn, err = w.file.SyscallConn()
	err = errors.Join(nonblock, err, w.control(unix.EPOLL_CTL_ADD, timer, unix.EPOLLIN|unix.EPOLLET),
		w.control(unix.EPOLL_CTL_ADD, port, unix.EPOLLONESHOT))
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *portWait) close() {
	unix.Close(w.timer)
	w.file.Close()
}

func (w *portWait) control(op, fd int, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.epoll, op, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

// until waits until t, or until there is input if that is asked for. It may return sooner.
func (w *portWait) until(t time.Time, input bool) error {
	if input {
		if err := w.control(unix.EPOLL_CTL_MOD, w.port, unix.EPOLLIN|unix.EPOLLONESHOT); err != nil {
			return err
		}
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, int64(time.Until(t))))} // 0 would stop the timer
	if err := unix.TimerfdSettime(w.timer, 0, &at, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	return w.conn.Read(w.look)
}
