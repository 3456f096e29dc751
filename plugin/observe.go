package plugin

import (
	"context"
	"errors"
	"time"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
)

// Exchange is one request on a line and what came of it.
type Exchange struct {
	Line     string    `json:"line"` // as in Observation
	Device   string    `json:"device"`
	Unit     uint8     `json:"unit"`
	Function byte      `json:"function"`
	Range    string    `json:"range"` // "holding 588+2"
	Asked    string    `json:"asked"` // who asked: poll, read, write, read-back
	Written  []uint16  `json:"written,omitempty"`
	Words    []uint16  `json:"words,omitempty"` // of the reply to a read
	At       time.Time `json:"at"`              // when the first byte went out
	TookMS   float64   `json:"took_ms"`         // from then to the last byte of the reply, or to the end of waiting
	Error    string    `json:"error,omitempty"`
}

// Observation is what the lines and the ledger are like at a moment.
type Observation struct {
	At     time.Time      `json:"at"`
	Lines  []ObservedLine `json:"lines"`
	Ledger []ledger.Entry `json:"ledger"` // the last set-values, newest last
}

// ObservedLine is a line with what its devices are asked for.
type ObservedLine struct {
	Line      string           `json:"line"`
	Serial    string           `json:"serial,omitempty"` // its setting, "9600 8N1"; not on TCP
	Since     time.Time        `json:"since"`
	Queued    int              `json:"queued"`  // requests that wait now
	BusyMS    float64          `json:"busy_ms"` // time in exchanges since then
	Requests  uint64           `json:"requests"`
	Failed    uint64           `json:"failed"` // requests that were refused, were not answered, or broke off
	P50MS     float64          `json:"p50_ms"` // of the last latencies
	P95MS     float64          `json:"p95_ms"`
	WaitMS    float64          `json:"wait_ms"` // longest of the last writes' waits for the line
	Down      string           `json:"down,omitempty"`
	Devices   []ObservedDevice `json:"devices"`
	LastError string           `json:"last_error,omitempty"`
}

// ObservedDevice is a device with its read plan.
type ObservedDevice struct {
	Name   string        `json:"name"`
	Unit   uint8         `json:"unit"`
	Online bool          `json:"online"`
	Reason string        `json:"reason,omitempty"` // why it is not online
	Plan   []PlannedRead `json:"plan"`             // of all that is enabled
}

// PlannedRead is one request of a plan.
type PlannedRead struct {
	Range  string  `json:"range"`
	WireMS float64 `json:"wire_ms"` // that it takes on the wire, as predicted
}

// Observe returns how the lines are. It reads and asks nothing of them. The error is that of ctx, or that the plugin
// does not run.
func (p *Plugin) Observe(ctx context.Context) (Observation, error) {
	now := p.now.Load()
	if now == nil {
		return Observation{}, errors.New("SolarHub is starting or stopping")
	}
	o := Observation{At: time.Now()}
	for _, l := range now.lines {
		o.Lines = append(o.Lines, observeLine(l.Line))
	}
	known, err := p.hub.Snapshot(ctx)
	if err != nil {
		return Observation{}, err
	}
	o.Ledger = known.Ledger
	return o, nil
}

func observeLine(l doctor.Line) ObservedLine {
	s := l.Bus.Stats()
	o := ObservedLine{Line: l.Config.String(), Since: s.Since, Queued: s.Queued, BusyMS: millis(s.Busy),
		Requests: s.Requests,
		Failed:   s.Exceptions + s.Timeouts + s.Misfits + s.Failures,
		P50MS:    millis(s.Latency.P50), P95MS: millis(s.Latency.P95),
		WaitMS: millis(s.WriteWait.Max)}
	if l.Config.Transport.HasSerial() {
		o.Serial = l.Config.Serial.String()
	}
	if s.LastError != nil {
		o.LastError = s.LastError.Error()
		if !s.DownSince.IsZero() {
			o.Down = o.LastError
		}
	}
	for i, d := range l.Devices {
		status := d.Status()
		one := ObservedDevice{Name: d.Name(), Unit: uint8(l.Config.Devices[i].Unit), Online: status.Online,
			Reason: status.Reason}
		timing := devices.TimingOf(l.Config.Devices[i].Line)
		for _, r := range d.Plan() {
			one.Plan = append(one.Plan,
				PlannedRead{Range: r.Range.String(), WireMS: millis(timing.Exchange(protocol.Read, r.Range))})
		}
		o.Devices = append(o.Devices, one)
	}
	return o
}

func millis(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// observed is a link whose exchanges are told as they end.
type observed struct {
	protocol.Link
	line    config.Line
	observe func(Exchange)
}

// watch returns the link, or one that tells of its exchanges if anybody wants to know.
func watch(link protocol.Link, l config.Line, observe func(Exchange)) protocol.Link {
	if observe == nil {
		return link
	}
	return &observed{link, l, observe}
}

// Exchange is the link's own, and then told.
func (o *observed) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	began := time.Now()
	resp, err := o.Link.Exchange(ctx, req)
	if resp.Sent.IsZero() && !errors.Is(err, protocol.ErrTimeout) {
		return resp, err // nothing went out
	}
	e := Exchange{Line: o.line.String(), Unit: uint8(req.Unit), Function: req.Function(), Range: req.Range.String(),
		Asked:   askedBy(req),
		Written: req.Words, Words: resp.Words, At: began, TookMS: millis(time.Since(began))}
	if !resp.Sent.IsZero() {
		e.At = resp.Sent
		if !resp.Done.IsZero() {
			e.TookMS = millis(resp.Done.Sub(resp.Sent))
		}
	}
	for _, d := range o.line.Devices {
		if d.Unit == req.Unit {
			e.Device = d.Name
		}
	}
	if err != nil {
		e.Error = err.Error()
	}
	o.observe(e)
	return resp, err
}

// askedBy says who wanted a request: what a write waits for goes ahead of what a person does, and that ahead of the
// poll.
func askedBy(req protocol.Request) string {
	switch {
	case req.Op != protocol.Read:
		return "write"
	case req.Priority == protocol.PriorityWrite:
		return "read-back"
	case req.Priority == protocol.PriorityRead:
		return "read"
	}
	return "poll"
}

// Frames is the link's own, if it counts them.
func (o *observed) Frames() protocol.Frames {
	if l, ok := o.Link.(interface{ Frames() protocol.Frames }); ok {
		return l.Frames()
	}
	return protocol.Frames{}
}

// Condition is the link's own, if it tells.
func (o *observed) Condition() protocol.LinkCondition {
	if l, ok := o.Link.(interface {
		Condition() protocol.LinkCondition
	}); ok {
		return l.Condition()
	}
	return protocol.LinkCondition{}
}
