package demo

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

// Report tells of writes: people in words, programs in JSON.
type Report struct {
	mu      sync.Mutex
	people  io.Writer
	journal io.WriteCloser // nil: none
	failed  error          // the first failure of the journal
}

// NewReport returns a report that writes a sentence about each write for people, and a line of JSON into the journal; a
// nil journal is none.
func NewReport(people io.Writer, journal io.WriteCloser) *Report {
	return &Report{people: people, journal: journal}
}

// journalLine is one line of the journal.
type journalLine struct {
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
func (r *Report) follow(l *Line, writes <-chan sim.Exchange) {
	for e := range writes {
		for _, d := range l.Devices {
			if d.Unit.ID() == e.Unit {
				r.write(l, d, e)
			}
		}
	}
}

// write reports one write and notes the new values.
func (r *Report) write(l *Line, d *Device, e sim.Exchange) {
	values := d.values(func(p profile.Point) bool { return slices.ContainsFunc(p.Ranges, e.Range.Overlaps) })
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.people, "%s  %s  %s\n", e.Received.Local().Format("15:04:05.000"), d.Profile.ID,
		writeSentence(d, e, values))
	maps.Copy(d.reported, values)
	if r.journal == nil {
		return
	}
	plain := map[string]any{}
	for key, v := range values {
		plain[key] = v.Any()
	}
	line, err := json.Marshal(journalLine{At: e.At, Received: e.Received, Device: d.Profile.ID, Serial: d.SerialNumber,
		Place: l.Address,
		Unit:  int(e.Unit), Function: int(e.Function), Table: e.Range.Table.String(), Address: int(e.Range.Addr),
		Words:      e.Words,
		CarriedOut: e.CarriedOut, Exception: int(e.Exception), Fault: e.Fault, Values: plain})
	if err == nil {
		_, err = r.journal.Write(append(line, '\n'))
	}
	if err != nil && r.failed == nil {
		r.failed = fmt.Errorf("write the journal: %w", err)
	}
}

// writeSentence says what a write did: "Battery: Charge current limit 100 -> 25 A   (holding 108+1: [25])".
func writeSentence(d *Device, e sim.Exchange, now map[string]codec.Value) string {
	var parts []string
	for _, p := range d.Points {
		v, touched := now[p.Key]
		if before := d.reported[p.Key]; touched && v != before {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s -> %s %s", d.Profile.FullName(p), before, v,
				p.Unit)))
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

// Close closes the journal and returns what went wrong with it.
func (r *Report) Close() error {
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
