// Package waytest is for tests of what happens on the way between a plugin and its host.
package waytest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is where something goes.
type Direction int

// The directions.
const (
	ToPlugin Direction = iota
	ToHost
)

// Way is a TCP proxy between a plugin and its host. Its directions can be slow and can stall, and a connection can end
// on one side only.
type Way struct {
	Address string // for the plugin, host:port

	ended   chan struct{}
	running sync.WaitGroup

	mu        sync.Mutex
	slow      time.Duration
	until     [2]time.Time // nothing passes before that, by direction
	crossings []*crossing
}

// crossing is one connection over the way.
type crossing struct {
	near, far net.Conn // the plugin's and the host's
	cut       bool     // the host's is closed, and the plugin does not hear of it
}

func (c *crossing) close() {
	c.near.Close()
	c.far.Close()
}

// Open opens a way to the address of a host. It ends with the test.
func Open(t *testing.T, target string) *Way {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Way{Address: listener.Addr().String(), ended: make(chan struct{})}
	w.running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			if far, err := net.Dial("tcp", target); err != nil {
				near.Close()
			} else {
				w.open(&crossing{near: near, far: far})
			}
		}
	})
	t.Cleanup(func() {
		listener.Close()
		close(w.ended)
		w.mu.Lock()
		for _, c := range w.crossings {
			c.close()
		}
		w.mu.Unlock()
		w.running.Wait()
	})
	return w
}

func (w *Way) open(c *crossing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crossings = append(w.crossings, c)
	w.running.Go(func() { w.pass(c, c.far, c.near, ToPlugin) })
	w.running.Go(func() { w.pass(c, c.near, c.far, ToHost) })
}

// pass copies one direction until either end closes, and then closes both. Of a connection that is cut, what the plugin
// sends is lost, and nothing comes to it, not even that the host has closed.
func (w *Way) pass(c *crossing, from, to net.Conn, direction Direction) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err == nil {
			w.wait(direction)
			_, err = to.Write(buffer[:n])
		}
		w.mu.Lock()
		cut := c.cut
		w.mu.Unlock()
		switch {
		case err == nil, cut && direction == ToHost && n > 0:
		case cut && direction == ToPlugin:
			return
		default:
			c.close()
			return
		}
	}
}

// wait waits until something may pass.
func (w *Way) wait(direction Direction) {
	w.mu.Lock()
	timer := time.NewTimer(max(w.slow, time.Until(w.until[direction])))
	w.mu.Unlock()
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ended:
	}
}

// Cut closes the host's end of the last connection. The plugin does not hear of it.
func (w *Way) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.crossings); n > 0 {
		w.crossings[n-1].cut = true
		w.crossings[n-1].far.Close()
	}
}

// Delay makes everything later by d from now on.
func (w *Way) Delay(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow = d
}

// Hold lets nothing pass in one direction for d. What is sent meanwhile arrives then.
func (w *Way) Hold(direction Direction, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until[direction] = time.Now().Add(d)
}
