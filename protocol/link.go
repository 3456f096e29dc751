package protocol

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/goburrow/modbus"
)

// DefaultTimeout is how long a reply may take when neither the request nor the link says otherwise. Inverters answer
// within 20 to 400 ms; the slowest first answers known take 0.5 s (Fronius, libmodbus #776).
const DefaultTimeout = time.Second

// Link carries one exchange at a time to the units of one line or connection. A Link belongs to one goroutine, usually
// that of a Bus.
type Link interface {
	// Open opens the link if it is closed or if its peer has hung up since, and returns how often it has been opened so
	// far. Its failure is a LinkError.
	Open(ctx context.Context) (connection uint64, err error)

	// Ready waits until the line may carry the next request: the silence behind the last reply is over. Whoever chooses
	// between requests calls it before choosing. Its only failure is that of ctx, and none if it need not wait.
	Ready(ctx context.Context) error

	// Exchange sends the request on the open link and returns the reply that answers it. Before the first byte it gives up
	// with the error of ctx, with ErrExpired behind req.Deadline, or with ErrDown when the link is closed; nothing was sent
	// then. Once the first byte is out ctx no longer counts: the exchange ends with a reply, an ExceptionError (the line is
	// healthy), or a LinkError. A LinkError without ErrTimeout leaves the link closed. A LinkError of a write that went out
	// wraps ErrOutcomeUnknown. Response.Sent is set with an error, too, if anything was sent.
	Exchange(ctx context.Context, req Request) (Response, error)

	// Close closes the link; Open opens it again.
	Close() error
}

// transmitter moves one ADU: what differs between Modbus TCP and RTU.
type transmitter interface {
	transmit(c *call, adu []byte) ([]byte, error)
}

// call is one exchange on its way through goburrow's client, which knows no context: it carries the context past it. A link has
// one, because it carries one exchange at a time.
type call struct {
	via   transmitter
	ctx   context.Context
	req   Request
	unit  *unit
	avoid *shape    // of a probe: the shape that it is to settle
	sent  time.Time // just before the first byte went out
	done  time.Time // when the last byte of the reply was in
}

// Send is goburrow's Transporter.
func (c *call) Send(adu []byte) ([]byte, error) { return c.via.transmit(c, adu) }

// run packs the request, transmits it and unpacks the reply.
func (c *call) run(ctx context.Context, u *unit, req Request, avoid *shape, connection uint64) (Response, error) {
	*c = call{via: c.via, ctx: ctx, req: req, unit: u, avoid: avoid}
	defer c.forget()
	data, err := c.invoke(u.client)
	resp := Response{Sent: c.sent, Done: c.done, Connection: connection}
	if err != nil {
		err = ownError(err)
		if _, refused := errors.AsType[ExceptionError](err); refused {
			u.answered(req, connection, true)
		}
		return resp, fmt.Errorf("%v: %w", req, err)
	}
	u.answered(req, connection, false)
	if req.Op == Read {
		resp.Words = unpack(data, req.Range)
	}
	return resp, nil
}

// forget lets go of what belonged to the caller.
func (c *call) forget() { c.ctx, c.req = nil, Request{} }

func (c *call) invoke(client modbus.Client) ([]byte, error) {
	addr, count, words := c.req.Range.Addr, c.req.Range.Count, c.req.Words
	switch c.req.Function() {
	case modbus.FuncCodeReadCoils:
		return client.ReadCoils(addr, count)
	case modbus.FuncCodeReadDiscreteInputs:
		return client.ReadDiscreteInputs(addr, count)
	case modbus.FuncCodeReadHoldingRegisters:
		return client.ReadHoldingRegisters(addr, count)
	case modbus.FuncCodeReadInputRegisters:
		return client.ReadInputRegisters(addr, count)
	case modbus.FuncCodeWriteSingleCoil:
		return client.WriteSingleCoil(addr, words[0]*0xFF00)
	case modbus.FuncCodeWriteSingleRegister:
		return client.WriteSingleRegister(addr, words[0])
	case modbus.FuncCodeWriteMultipleCoils:
		return client.WriteMultipleCoils(addr, count, pack(words, c.req.Range.Table))
	}
	return client.WriteMultipleRegisters(addr, count, pack(words, c.req.Range.Table))
}

// mayStart is the last look before the first byte.
func (c *call) mayStart(now time.Time) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if d := c.req.Deadline; !d.IsZero() && now.After(d) {
		return ErrExpired
	}
	return nil
}

// failed is what a LinkError wraps when the request went out and no valid reply came.
func (c *call) failed(err error) error {
	if c.req.Op == Read {
		return err
	}
	return fmt.Errorf("%w, %w", err, ErrOutcomeUnknown)
}

// broke is the same for a line that failed, whether anything went out or not.
func (c *call) broke(err error) error {
	err = hangUp(err)
	if c.sent.IsZero() {
		return err
	}
	return c.failed(err)
}

// ownError turns goburrow's exception, whose function code carries the error bit, into ours.
func ownError(err error) error {
	if exception, ok := errors.AsType[*modbus.ModbusError](err); ok {
		return ExceptionError{Function: exception.FunctionCode &^ 0x80, Code: exception.ExceptionCode}
	}
	return err
}

// unpack returns the registers or bits of a read reply. data is long enough: the reply was matched to the request.
func unpack(data []byte, r Range) []uint16 {
	words := make([]uint16, r.Count)
	for i := range words {
		if r.Table.Bits() {
			words[i] = uint16(data[i/8]>>(i%8)) & 1
		} else {
			words[i] = binary.BigEndian.Uint16(data[2*i:])
		}
	}
	return words
}

// pack returns the data bytes of a write of several registers or bits.
func pack(words []uint16, table Table) []byte {
	if !table.Bits() {
		data := make([]byte, 2*len(words))
		for i, w := range words {
			binary.BigEndian.PutUint16(data[2*i:], w)
		}
		return data
	}
	data := make([]byte, (len(words)+7)/8)
	for i, w := range words {
		data[i/8] |= byte(w) << (i % 8)
	}
	return data
}
