package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// report tells of writes: people in words, programs in JSON.
type report struct {
	mu      sync.Mutex
	people  io.Writer
	journal io.WriteCloser // nil: none
	failed  error          // the first failure of the journal
}

func newReport(people io.Writer, journal io.WriteCloser) *report {
	return &report{people: people, journal: journal}
}

// written is one line of the journal.
type written struct {
	At         time.Time      `json:"at"`       // the first byte of the request was here
	Received   time.Time      `json:"received"` // its last byte had passed
	Device     string         `json:"device"`   // the profile
	Serial     string         `json:"serial_number"`
	Place      string         `json:"place"` // path or address
	Unit       int            `json:"unit"`
	Function   int            `json:"function"`
	Table      string         `json:"table"`
	Address    int            `json:"address"` // of the first register, zero-based
	Words      []uint16       `json:"words"`   // that were sent
	CarriedOut bool           `json:"carried_out"`
	Exception  int            `json:"exception,omitempty"`
	Fault      string         `json:"fault,omitempty"`
	Values     map[string]any `json:"values"` // by key: what the device holds since
}

// follow reports the writes of one line until the channel is closed.
func (r *report) follow(l *simLine, writes <-chan sim.Exchange) {
	for e := range writes {
		for _, u := range l.units {
			if u.memory.ID() == e.Unit {
				r.write(l, u, e)
			}
		}
	}
}

// write reports one write and notes the new values.
func (r *report) write(l *simLine, u *unit, e sim.Exchange) {
	values := u.values(func(p profile.Point) bool { return slices.ContainsFunc(p.Ranges, e.Range.Overlaps) })
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.people, "%s  %s  %s\n", e.Received.Local().Format("15:04:05.000"), u.profile.ID, sentence(u, e, values))
	maps.Copy(u.known, values)
	if r.journal == nil {
		return
	}
	plain := map[string]any{}
	for key, v := range values {
		plain[key] = v.Any()
	}
	line, err := json.Marshal(written{At: e.At, Received: e.Received, Device: u.profile.ID, Serial: u.serial, Place: l.address, Unit: int(e.Unit),
		Function: int(e.Function), Table: e.Range.Table.String(), Address: int(e.Range.Addr), Words: e.Words, CarriedOut: e.CarriedOut,
		Exception: int(e.Exception), Fault: e.Fault, Values: plain})
	if err == nil {
		_, err = r.journal.Write(append(line, '\n'))
	}
	if err != nil && r.failed == nil {
		r.failed = fmt.Errorf("write the journal: %w", err)
	}
}

// sentence says what a write did: "Battery: Maximum charge current 100 -> 25 A   (holding 108+1: [25])".
func sentence(u *unit, e sim.Exchange, now map[string]codec.Value) string {
	var parts []string
	for _, p := range u.points {
		v, touched := now[p.Key]
		if before := u.known[p.Key]; touched && v != before {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s -> %s %s", fullName(u.profile, p), before, v, p.Unit)))
		}
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = "nothing changed"
	}
	text += fmt.Sprintf("   (%s: %d)", e.Range, e.Words)
	if e.Exception != 0 {
		text += ", " + protocol.ExceptionError{Function: e.Function, Code: e.Exception}.Error()
	}
	if e.Fault != "" {
		text += ", fault: " + e.Fault
	}
	return text
}

// values returns what the device holds now, of the points that are wanted.
func (u *unit) values(wanted func(profile.Point) bool) map[string]codec.Value {
	values := map[string]codec.Value{}
	for _, p := range u.points {
		if p.Button() || !wanted(p) {
			continue
		}
		if words := u.words(p); len(words) == p.Spec.Words() {
			values[p.Key] = p.Spec.Decode(words)
		}
	}
	return values
}

// close closes the journal and returns what went wrong with it.
func (r *report) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.journal == nil {
		return nil
	}
	if err := r.journal.Close(); err != nil && r.failed == nil {
		r.failed = fmt.Errorf("close the journal: %w", err)
	}
	return r.failed
}
