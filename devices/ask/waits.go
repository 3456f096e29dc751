package ask

import "time"

// How long something is waited for. What concerns a single write stands in write/verify.go, and the timeout of an
// exchange in the profile or the configuration.
const (
	// ForTurn is how long identification and reads on demand may wait for their turn on the line.
	ForTurn = 10 * time.Second
	// ForPoll is how long a planned read may wait for its turn, at least; where its interval is longer, that long.
	ForPoll = 5 * time.Second
	// ForWrite is how long a set-value without a deadline may wait.
	ForWrite = 30 * time.Second

	// BeforeRetry is the pause after a failed read while the device does not yet count as away.
	BeforeRetry = 200 * time.Millisecond

	// AfterRefusal is the pause before registers that the device refuses are asked for again. It doubles each time
	// up to AfterRefusalMost, so that a device that is booting is missed for seconds and one without the registers
	// is asked six times an hour.
	AfterRefusal     = 5 * time.Second
	AfterRefusalMost = 10 * time.Minute
)
