package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"solarhub/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var serial9600 = protocol.Serial{Baud: 9600, DataBits: 8, StopBits: 1}

func holding(addr, count uint16) protocol.Range { return protocol.Range{Addr: addr, Count: count} }

// newUnit has holding registers 0..199 that hold their address plus 1000, and a few of the other tables.
func newUnit(id protocol.UnitID) *Unit {
	u := NewUnit(id)
	for a := range uint16(200) {
		u.Set(protocol.HoldingRegister, a, 1000+a)
	}
	u.Set(protocol.InputRegister, 10, 7, 8)
	u.Set(protocol.Coil, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1)
	u.Set(protocol.DiscreteInput, 5, 1, 1)
	return u
}

func word(t testing.TB, u *Unit, addr uint16) uint16 {
	t.Helper()
	words, ok := u.Get(protocol.HoldingRegister, addr, 1)
	if !ok {
		t.Fatalf("no holding register %d", addr)
	}
	return words[0]
}

// pdu makes a PDU of a function and words.
func pdu(function byte, words ...uint16) []byte {
	b := []byte{function}
	for _, w := range words {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

// write16 is the PDU of function 16.
func write16(addr uint16, words ...uint16) []byte {
	b := append(pdu(16, addr, uint16(len(words))), byte(2*len(words)))
	return append(b, pdu(0, words...)[1:]...)
}

func rtu(unit protocol.UnitID, pdu ...byte) []byte { return RTU.encode(frame{unit: unit, pdu: pdu}) }

func tcp(transaction uint16, unit protocol.UnitID, pdu ...byte) []byte {
	return TCP.encode(frame{transaction: transaction, unit: unit, pdu: pdu})
}

// client is the other end of a line that is served over a pipe in a bubble of testing/synctest.
type client struct {
	t *testing.T
	net.Conn
}

// bubble serves a line over a pipe with a clock of its own while f runs.
func bubble(t *testing.T, line *Line, framing Framing, f func(t *testing.T, c client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- line.ServeConn(ctx, there, framing) }()
		f(t, client{t, here})
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		here.Close()
	})
}

func (c client) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// gets sends a request and wants to have received these bytes, and no others, when d is over.
func (c client) gets(name string, request []byte, d time.Duration, want []byte) {
	c.t.Helper()
	c.send(request)
	if got := c.within(d); !bytes.Equal(got, want) {
		c.t.Errorf("%s: % x, not % x", name, got, want)
	}
}

// within returns what arrives in the time d.
func (c client) within(d time.Duration) []byte {
	c.t.Helper()
	var have []byte
	buf := make([]byte, 1000)
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		c.t.Fatal(err)
	}
	for {
		n, err := c.Read(buf)
		have = append(have, buf[:n]...)
		if err != nil {
			return have
		}
	}
}
