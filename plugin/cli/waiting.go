package cli

import (
	"fmt"
	"sync"
	"time"
)

// whileWaiting tells a person at the terminal what is done, if it takes more than a second, until quiet is called.
func (a *app) whileWaiting(what string) (quiet func()) {
	if !terminal(a.Err) {
		return func() {}
	}
	var mu sync.Mutex
	shown, over := false, false
	timer := time.AfterFunc(time.Second, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			shown = true
			fmt.Fprintf(a.Err, "%s ...", what)
		}
	})
	return sync.OnceFunc(func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		if over = true; shown {
			fmt.Fprint(a.Err, "\r\x1b[K")
		}
	})
}
