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

// carrier is what differs between a link of Modbus TCP and one of RTU.
type carrier interface {
	// prepare waits until the request may go out. It sets the connection, and fails if nothing may be sent.
	prepare(ctx context.Context, x *transfer) error
	// transmit sends an ADU and returns the one that answers it.
	transmit(x *transfer, adu []byte) ([]byte, error)
}

// transfer is one request on its way over a link.
type transfer struct {
	over       carrier
	req        protocol.Request
	unit       *unit
	settles    shape // of a probe: the shape that is to be pending no longer
	connection uint64
	sent       time.Time // just before the first byte went out
	done       time.Time // when the last byte of the reply was in
}

// Send is goburrow's Transporter.
func (x *transfer) Send(adu []byte) ([]byte, error) { return x.over.transmit(x, adu) }

// settled reports whether this is a probe that has done what it was sent for.
func (x *transfer) settled() bool { return x.settles != shape{} && !x.unit.pending.has(x.settles) }

// carry has goburrow pack the request, send it and check and unpack the reply.
func (x *transfer) carry(ctx context.Context) (protocol.Response, error) {
	var data []byte
	err := x.over.prepare(ctx, x)
	if err == nil {
		data, err = call(x.unit.client, x.req)
	}
	resp := protocol.Response{Sent: x.sent, Done: x.done, Connection: x.connection}
	if err != nil {
		if exception, ok := errors.AsType[*modbus.ModbusError](err); ok {
			// err: goburrow leaves the error bit in the function code.
			err = protocol.ExceptionError{Function: exception.FunctionCode &^ 0x80, Code: exception.ExceptionCode}
			x.unit.answered(x, true)
		}
		return resp, fmt.Errorf("%v: %w", x.req, err)
	}
	x.unit.answered(x, false)
	if x.req.Op == protocol.Read {
		resp.Words = unpack(data, x.req.Range)
	}
	return resp, nil
}

// call makes goburrow's client send the request.
func call(client modbus.Client, req protocol.Request) ([]byte, error) {
	addr, count, words := req.Range.Addr, req.Range.Count, req.Words
	switch req.Function() {
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
		return client.WriteMultipleCoils(addr, count, pack(words, req.Range.Table))
	}
	return client.WriteMultipleRegisters(addr, count, pack(words, req.Range.Table))
}

// mayStart is the last look before the first byte.
func (x *transfer) mayStart(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d := x.req.Deadline; !d.IsZero() && time.Now().After(d) {
		return protocol.ErrExpired
	}
	return nil
}

// failed is what a LinkError wraps when the request went out and no valid reply came.
func (x *transfer) failed(err error) error {
	if x.req.Op == protocol.Read {
		return err
	}
	return fmt.Errorf("%w, %w", err, protocol.ErrOutcomeUnknown)
}

// broke is what a LinkError wraps when the line failed, whether anything went out or not.
func (x *transfer) broke(err error) error {
	if x.sent.IsZero() {
		return err
	}
	return x.failed(err)
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
