//go:build !linux

package host

import "time"

var processStart = time.Now()

// systemClock is the Clock of this machine. On some systems it stands still while the machine is suspended.
func systemClock() time.Duration { return time.Since(processStart) }
