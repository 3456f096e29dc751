package control

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"solarhub/protocol"
)

// AskExchange is one read on a line, which waits behind everything else that the line does. Times are in milliseconds.
type AskExchange struct {
	Endpoint string  `json:"endpoint"` // of the line
	Unit     uint8   `json:"unit"`
	Table    string  `json:"table"` // holding, input, coil, discrete
	Address  uint16  `json:"address"`
	Count    uint16  `json:"count"`
	Gap      float64 `json:"gap,omitempty"`     // silence behind the reply. Defaults to that of the link
	Timeout  float64 `json:"timeout,omitempty"` // for the reply. Defaults to that of the link
	After    float64 `json:"after,omitempty"`   // it does not go out before
	Within   float64 `json:"within,omitempty"`  // it must be out by then. Defaults to no limit
}

// Exchanged is the reply.
type Exchanged struct {
	Words      []uint16  `json:"words"`
	Sent       time.Time `json:"sent"`
	Done       time.Time `json:"done"`
	Connection uint64    `json:"connection"` // counts the openings of the line
}

var tables = []protocol.Table{protocol.HoldingRegister, protocol.InputRegister, protocol.Coil, protocol.DiscreteInput}

// Request returns what is asked as the line takes it: a read with the priority of a poll.
func (a AskExchange) Request(now time.Time) (protocol.Request, error) {
	req := protocol.Request{Unit: protocol.UnitID(a.Unit), Op: protocol.Read, Priority: protocol.PriorityPoll,
		Range: protocol.Range{Addr: a.Address, Count: a.Count},
		Pace:  protocol.Pace{Gap: duration(a.Gap), Timeout: duration(a.Timeout)}}
	known := false
	for _, t := range tables {
		if t.String() == a.Table {
			req.Range.Table, known = t, true
		}
	}
	if !known {
		return req, &Error{Code: CodeAsked, Reason: fmt.Sprintf("table %q is none of holding, input, coil, discrete",
			a.Table)}
	}
	if a.After > 0 {
		req.NotBefore = now.Add(duration(a.After))
	}
	if a.Within > 0 {
		req.Deadline = now.Add(duration(a.Within))
	}
	if err := req.Check(); err != nil {
		return req, &Error{Code: CodeAsked, Reason: err.Error()}
	}
	return req, nil
}

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// LineBus is a line of the program that runs, for those who only read: a devices.Bus. Nothing can be written with it.
type LineBus struct {
	client     *Client
	endpoint   string
	connection atomic.Uint64
}

// Line returns a line of the program, by its endpoint.
func (c *Client) Line(endpoint string) *LineBus { return &LineBus{client: c, endpoint: endpoint} }

// errReadOnly: writes go through Client.Set, which has them checked, read back and noted.
var errReadOnly = errors.New("a line of the SolarHub that runs is only read")

// Do sends one read and returns the reply; errors are those of protocol.Bus.Do. Its priority is that of a poll,
// whatever the request says. It returns at once when ctx ends.
func (l *LineBus) Do(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if req.Op != protocol.Read {
		return protocol.Response{}, errReadOnly
	}
	asked := AskExchange{Endpoint: l.endpoint, Unit: uint8(req.Unit), Table: req.Range.Table.String(),
		Address: req.Range.Addr, Count: req.Range.Count, Gap: millis(req.Pace.Gap), Timeout: millis(req.Pace.Timeout)}
	if !req.NotBefore.IsZero() {
		asked.After = max(millis(time.Until(req.NotBefore)), 0)
	}
	if !req.Deadline.IsZero() {
		if asked.Within = millis(time.Until(req.Deadline)); asked.Within <= 0 {
			return protocol.Response{}, fmt.Errorf("%v: %w", req, protocol.ErrExpired)
		}
	}
	got, err := ask[Exchanged](ctx, l.client, OpExchange, asked)
	if err != nil {
		return protocol.Response{}, err
	}
	l.connection.Store(got.Connection)
	return protocol.Response{Words: got.Words, Sent: got.Sent, Done: got.Done, Connection: got.Connection}, nil
}

// Hold runs f with the line. It is not held: others use it between two exchanges of f, as they may between two reads.
func (l *LineBus) Hold(ctx context.Context, req protocol.Request,
	f func(ctx context.Context, x protocol.Exchanger) error) error {
	return f(ctx, &borrowed{l, req.Pace})
}

// borrowed is the line in the time of a Hold.
type borrowed struct {
	*LineBus
	pace protocol.Pace
}

func (b *borrowed) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	req.NotBefore = time.Time{}
	if req.Pace == (protocol.Pace{}) {
		req.Pace = b.pace
	}
	return b.Do(ctx, req)
}

func (b *borrowed) Connection() uint64 { return b.connection.Load() }
