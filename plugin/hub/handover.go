package hub

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"solarhub/devices"
	"solarhub/plugin/host"
)

// While the line of a device is started anew, calls to the device wait: those that have begun come to their ends with
// the device as it was, later ones are carried out by the one in its place.

// handover lets calls to devices through, or has them wait.
type handover struct {
	mu      sync.Mutex
	running map[*devices.Device]int // calls
	held    map[*devices.Device]bool
	changed chan struct{} // closed, and replaced, when a call ends or devices are let go
}

func newHandover() handover {
	return handover{running: map[*devices.Device]int{}, held: map[*devices.Device]bool{}, changed: make(chan struct{})}
}

// begin counts a call to a device, or returns what to wait for before it may begin.
func (h *handover) begin(d *devices.Device) (wait <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[d] {
		return h.changed
	}
	h.running[d]++
	return nil
}

// end notes that a call has ended.
func (h *handover) end(d *devices.Device) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running[d]--; h.running[d] == 0 {
		delete(h.running, d)
	}
	h.tell()
}

// tell wakes those who wait. The caller holds mu.
func (h *handover) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// busy returns what to wait for while calls to one of the devices are running, else nil.
func (h *handover) busy(of []*devices.Device) (wait <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.ContainsFunc(of, func(d *devices.Device) bool { return h.running[d] > 0 }) {
		return h.changed
	}
	return nil
}

func (h *handover) hold(of []*devices.Device) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range of {
		h.held[d] = true
	}
}

func (h *handover) release(of []*devices.Device) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.held, func(d *devices.Device, _ bool) bool { return slices.Contains(of, d) })
	h.tell()
}

// Hold has further calls to the devices wait, and waits until those that have begun have ended, or until ctx ends. The
// calls go on with release, to the devices that Arrange has put in their places.
func (h *Hub) Hold(ctx context.Context, of []*devices.Device) (release func()) {
	h.handover.hold(of)
	for wait := h.handover.busy(of); wait != nil; wait = h.handover.busy(of) {
		select {
		case <-wait:
		case <-ctx.Done():
			return func() { h.handover.release(of) }
		}
	}
	return func() { h.handover.release(of) }
}

// begin waits until a call may begin. Its end is to be told by end.
func (h *Hub) begin(ctx context.Context, call host.Call) (end func(), refused *host.CallError) {
	for {
		d := h.described.Load().deviceOf(call)
		wait := h.handover.begin(d)
		if wait == nil && h.described.Load().deviceOf(call) == d {
			return func() { h.handover.end(d) }, nil
		}
		if wait == nil { // another is in its place since
			h.handover.end(d)
			continue
		}
		select {
		case <-wait:
		case <-ctx.Done():
			more := map[string]string{"name": d.Name(), "device": d.Name()}
			return nil, host.NewCallError(codeOf(ctx, entityPoint{device: d}, ctx.Err(), more),
				"its line is being started with a changed configuration, and the time was over before it ran", more)
		}
	}
}

// deviceOf returns the device that a call is for; nil if there is none.
func (c *catalog) deviceOf(call host.Call) *devices.Device {
	if t, ok := c.targets[call.ID]; ok {
		return t.device
	}
	if f, ok := c.figures[call.ID]; ok {
		return f.device
	}
	if o, ok := c.choices[call.ID]; ok {
		return o.device
	}
	root, _, _ := strings.Cut(call.Device, "/")
	return c.devices[root]
}
