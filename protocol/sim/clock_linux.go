package sim

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleep sleeps on the kernel's high-resolution timer. It holds a thread, so it is for milliseconds only.
func sleep(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
