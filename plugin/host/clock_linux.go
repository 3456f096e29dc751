package host

import (
	"time"

	"golang.org/x/sys/unix"
)

// systemClock is the Clock of this machine. Go's own monotonic time stands still while a machine is suspended.
func systemClock() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return time.Since(processStart)
	}
	return time.Duration(t.Nano())
}

var processStart = time.Now()
