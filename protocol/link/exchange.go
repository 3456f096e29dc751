package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// transmitter moves one ADU: what differs between Modbus TCP and RTU.
type transmitter interface {
	transmit(c *call, adu []byte) ([]byte, error)
}

// call is one exchange on its way through goburrow's client, which knows no context: it carries the context past it. A link has
// one, because it carries one exchange at a time.
type call struct {
	via   transmitter
	ctx   context.Context
	req   protocol.Request
	unit  *unit
	avoid *shape    // of a probe: the shape that it is to settle
	sent  time.Time // just before the first byte went out
	done  time.Time // when the last byte of the reply was in
}

// Send is goburrow's Transporter.
func (c *call) Send(adu []byte) ([]byte, error) { return c.via.transmit(c, adu) }

// run packs the request, transmits it and unpacks the reply.
func (c *call) run(ctx context.Context, u *unit, req protocol.Request, avoid *shape, connection uint64) (protocol.Response, error) {
	*c = call{via: c.via, ctx: ctx, req: req, unit: u, avoid: avoid}
	defer c.forget()
	data, err := c.invoke(u.client)
	resp := protocol.Response{Sent: c.sent, Done: c.done, Connection: connection}
	if err != nil {
		err = ownError(err)
		if _, refused := errors.AsType[protocol.ExceptionError](err); refused {
			u.answered(req, connection, true)
		}
		return resp, fmt.Errorf("%v: %w", req, err)
	}
	u.answered(req, connection, false)
	if req.Op == protocol.Read {
		resp.Words = unpack(data, req.Range)
	}
	return resp, nil
}

// forget lets go of what belonged to the caller.
func (c *call) forget() { c.ctx, c.req = nil, protocol.Request{} }

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
		return protocol.ErrExpired
	}
	return nil
}

// failed is what a LinkError wraps when the request went out and no valid reply came.
func (c *call) failed(err error) error {
	if c.req.Op == protocol.Read {
		return err
	}
	return fmt.Errorf("%w, %w", err, protocol.ErrOutcomeUnknown)
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
		return protocol.ExceptionError{Function: exception.FunctionCode &^ 0x80, Code: exception.ExceptionCode}
	}
	return err
}

// unpack returns the registers or bits of a read reply. data is long enough: the reply was matched to the request.
func unpack(data []byte, r protocol.Range) []uint16 {
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
func pack(words []uint16, table protocol.Table) []byte {
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
