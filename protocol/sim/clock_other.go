//go:build !linux

package sim

import "time"

// sleep is what this system's Go timers can do, a millisecond or so.
func sleep(d time.Duration) { time.Sleep(d) }
