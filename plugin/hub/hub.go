// Package hub keeps what the devices report: the newest values, what the host is told there is, and the calls of the
// host. One goroutine, Hub.Run, owns all of it.
package hub

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/protocol"
)

// Hub keeps what the devices report: one goroutine, Run, owns it all. It is the Sink of the devices and what the host's
// client serves.
type Hub struct {
	outbox *host.Outbox
	asks   Asks
	log    zerolog.Logger

	inbox     chan func(*state) // what Run carries out, in order
	handover  handover
	deletions deletions
	disabled  chan []string // the newest list of the host that Run has not taken
	ended     chan struct{} // closed when Run is over
	described atomic.Pointer[catalog]
}

// saveEvery is how often changes are handed to the cache. What is lost if the power fails is at most this old, and a
// sync every 5 s is a fraction of what wears an SD card out.
const saveEvery = 5 * time.Second

// Asks is what a hub asks of the connection with the host. None of it may wait.
type Asks struct {
	Redescribe func()            // the definitions have changed
	Notify     func(host.Notice) // the owner is to hear of something
	// Remove is told those that have left the configuration, none of an older list; see Left. Nil: the devices of this
	// hub are only a part of the configuration.
	Remove func(devices []string)
}

// New returns a hub that puts what changes into outbox.
func New(outbox *host.Outbox, asks Asks, log zerolog.Logger) *Hub {
	h := &Hub{outbox: outbox, asks: asks, log: log, handover: newHandover(),
		deletions: deletions{wake: make(chan struct{}, 1)},
		inbox:     make(chan func(*state), 64), disabled: make(chan []string, 1), ended: make(chan struct{})}
	h.described.Store(&catalog{})
	return h
}

// Place is where a device of the hub is.
type Place struct {
	Device  *devices.Device
	Key     string // line and unit, for the cache
	Pending string // the id under which the host shows it until it is identified for the first time; "": not at all
	Entry   string // what the configuration says of the device: another text is another wish of the owner
	Gauge   Gauge  // of its line; nil: nothing is told of the line
}

// Gauge tells how the line of a device is. It must be quick.
type Gauge interface {
	Measure(d *devices.Device, now time.Time) LineState
}

// LineState is what the figures of a device's line are made of.
type LineState struct {
	Line   protocol.Stats     // since the start
	Unit   protocol.UnitStats // the part of the device
	Advice string             // the most important sentence about the device or its line
	Well   bool               // the sentence is that nothing is wrong
}

// Run keeps the state of the devices until ctx ends. Then it takes what is left in its inbox, saves everything and
// returns nil. It may be called once. Reports that come before or after it are dropped.
func (h *Hub) Run(ctx context.Context, places []Place, remembered Memory, keeper Keeper) error {
	defer close(h.ended)
	s := newState(h, places, remembered)
	saver := newSaver(keeper, h.asks.Notify, h.log)
	defer saver.end()
	s.describe(time.Now())
	s.enable(time.Now())
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case f := <-h.inbox:
			f(s)
		case ids := <-h.disabled:
			s.setDisabled(ids, time.Now())
		case <-h.deletions.wake:
			s.delete(h.deletions.take(), time.Now())
		case now := <-tick.C:
			s.leave()
			s.enable(now)
			s.await(now)
			s.measure(now, false)
			s.collect(now, false)
			saver.offer(s.pending)
		case r := <-saver.results:
			saver.done(r, s.pending)
		case <-ctx.Done():
			h.drain(s)
			s.collect(time.Now(), true)
			saver.last(s.pending)
			return nil
		}
	}
}

// drain carries out what is in the inbox already.
func (h *Hub) drain(s *state) {
	for {
		select {
		case f := <-h.inbox:
			f(s)
		default:
			return
		}
	}
}

// post has Run carry out f; false if ctx or Run ended before it was taken.
func (h *Hub) post(ctx context.Context, f func(*state)) bool {
	select {
	case h.inbox <- f:
		return true
	case <-ctx.Done():
	case <-h.ended:
	}
	return false
}

// do has Run carry out f and waits for it; false if ctx or Run ended before.
func (h *Hub) do(ctx context.Context, f func(*state)) bool {
	done := make(chan struct{})
	if !h.post(ctx, func(s *state) { f(s); close(done) }) {
		return false
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-h.ended:
	}
	return false
}

// Readings takes new values of a device.
func (h *Hub) Readings(ctx context.Context, d *devices.Device, readings []devices.Reading) {
	h.post(ctx, func(s *state) { s.readings(d, readings) })
}

// Status takes the state of a device.
func (h *Hub) Status(ctx context.Context, d *devices.Device, status devices.Status) {
	h.post(ctx, func(s *state) { s.status(d, status, time.Now()) })
}

// Describe returns the definitions of all devices that are known.
func (h *Hub) Describe() host.Definitions { return h.described.Load().definitions }

// Config takes the host's list of disabled ids; an older one that Run has not seen is replaced.
func (h *Hub) Config(disabled []string) {
	for {
		select {
		case h.disabled <- disabled:
			return
		default:
		}
		select {
		case <-h.disabled:
		default:
		}
	}
}
