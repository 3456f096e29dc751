package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// patience is how long a test waits for what has to come; none takes it on a machine that is alive.
const patience = 10 * time.Second

// listen serves a line on a free port until the test ends.
func listen(t testing.TB, serve func(context.Context, net.Listener) error) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	untilEnd(t, func(ctx context.Context) error { return serve(ctx, ln) })
	return ln.Addr().String()
}

// untilEnd runs f until the test ends and wants nil from it then.
func untilEnd(t testing.TB, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f(ctx); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends a request and returns what comes, as many bytes as want has.
func ask(t testing.TB, c io.ReadWriter, request, want []byte) {
	t.Helper()
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("% x, not % x: %v", got[:n], want, err)
	}
}

// exercise has a client of other people read and write all tables.
func exercise(t *testing.T, c modbus.Client, u *Unit) {
	t.Helper()
	for _, tt := range []struct {
		name string
		do   func() ([]byte, error)
		want []byte
	}{
		{"coils", func() ([]byte, error) { return c.ReadCoils(0, 9) }, []byte{0b1101, 1}},
		{"discrete inputs", func() ([]byte, error) { return c.ReadDiscreteInputs(5, 2) }, []byte{3}},
		{"input registers", func() ([]byte, error) { return c.ReadInputRegisters(10, 2) }, []byte{0, 7, 0, 8}},
		{"holding registers", func() ([]byte, error) { return c.ReadHoldingRegisters(5, 2) },
			[]byte{0x03, 0xED, 0x03, 0xEE}},
		{"write coil", func() ([]byte, error) { return c.WriteSingleCoil(1, 0xFF00) }, []byte{0xFF, 0}},
		{"write register", func() ([]byte, error) { return c.WriteSingleRegister(5, 77) }, []byte{0, 77}},
		{"write coils", func() ([]byte, error) { return c.WriteMultipleCoils(7, 2, []byte{1}) }, []byte{0, 2}},
		{"write registers", func() ([]byte, error) { return c.WriteMultipleRegisters(6, 2, []byte{0, 1, 0, 2}) },
			[]byte{0, 2}},
		{"coils again", func() ([]byte, error) { return c.ReadCoils(0, 9) }, []byte{0b1000_1111, 0}},
	} {
		if got, err := tt.do(); err != nil || !bytes.Equal(got, tt.want) {
			t.Errorf("%s: % x, not % x: %v", tt.name, got, tt.want, err)
		}
	}
	if got, _ := u.Get(protocol.HoldingRegister, 5, 4); !slices.Equal(got, []uint16{77, 1, 2, 1008}) {
		t.Errorf("stored %v", got)
	}
	all, err := c.ReadHoldingRegisters(0, 125)
	if err != nil || len(all) != 250 || binary.BigEndian.Uint16(all[248:]) != 1124 {
		t.Errorf("125 registers: %d bytes, %v", len(all), err)
	}
}

func TestStockClientTCP(t *testing.T) {
	u := newUnit(1)
	h := modbus.NewTCPClientHandler(listen(t, NewLine(Options{}, u).ServeTCP))
	h.SlaveId, h.Timeout = 1, patience
	defer h.Close()
	exercise(t, modbus.NewClient(h), u)
	var refused *modbus.ModbusError
	if _, err := modbus.NewClient(h).ReadHoldingRegisters(300, 1); !errors.As(err, &refused) ||
		refused.ExceptionCode != 2 {
		t.Errorf("a hole: %v", err)
	}
}

func TestStockClientPTY(t *testing.T) {
	u := newUnit(1)
	p := openPTY(t, "")
	line := NewLine(Options{}, u)
	untilEnd(t, func(ctx context.Context) error { return line.ServePTY(ctx, p, RTU) })
	h := modbus.NewRTUClientHandler(p.Path())
	h.BaudRate, h.DataBits, h.Parity, h.StopBits = 115200, 8, "N", 1
	h.SlaveId, h.Timeout = 1, patience
	exercise(t, modbus.NewClient(h), u)
	// A client that closes and opens again finds the same port.
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if got, err := modbus.NewClient(h).ReadHoldingRegisters(100, 1); err != nil ||
		!bytes.Equal(got, []byte{0x04, 0x4C}) {
		t.Errorf("% x, %v", got, err)
	}
}

func TestStockClientASCII(t *testing.T) {
	u := newUnit(1)
	p := openPTY(t, "")
	line := NewLine(Options{}, u)
	untilEnd(t, func(ctx context.Context) error { return line.ServePTY(ctx, p, ASCII) })
	h := modbus.NewASCIIClientHandler(p.Path())
	h.BaudRate, h.DataBits, h.Parity, h.StopBits = 115200, 8, "N", 1
	h.SlaveId, h.Timeout = 1, patience
	defer h.Close()
	exercise(t, modbus.NewClient(h), u)
	if n := line.Journal().Counts().Noise; n != 0 {
		t.Errorf("%d characters were no request", n)
	}
}

// Units of one line are reached over all its openings, and what they hold is the same.
func TestRTUOverTCP(t *testing.T) {
	line := NewLine(Options{}, newUnit(1), newUnit(2))
	over, plain := dial(t, listen(t, line.ServeRTUOverTCP)), dial(t, listen(t, line.ServeTCP))
	ask(t, over, writeOne, writeOne)
	ask(t, plain, tcp(3, 1, pdu(3, 5, 1)...), tcp(3, 1, 3, 2, 0, 77))
	ask(t, over, rtu(2, pdu(3, 5, 1)...), rtu(2, 3, 2, 0x03, 0xED))
	if got := line.Journal().Since(0); len(got) != 3 || got[0].Connection == got[1].Connection ||
		got[0].Connection != got[2].Connection {
		t.Errorf("%v", got)
	}
}

// Requests in one packet are answered one after the other.
func TestPipelined(t *testing.T) {
	c := dial(t, listen(t, NewLine(Options{}, newUnit(1)).ServeTCP))
	one, two := tcp(1, 1, pdu(3, 5, 1)...), tcp(2, 1, pdu(3, 6, 1)...)
	ask(t, c, slices.Concat(one, two), slices.Concat(tcp(1, 1, 3, 2, 0x03, 0xED), tcp(2, 1, 3, 2, 0x03, 0xEE)))
}

func TestHangUpTCP(t *testing.T) {
	line := NewLine(Options{}, newUnit(1))
	address := listen(t, line.ServeTCP)
	request, reply := tcp(1, 1, pdu(3, 5, 1)...), tcp(1, 1, 3, 2, 0x03, 0xED)
	for kind, want := range map[Kind]error{HangUp: syscall.ECONNRESET, CloseBefore: io.EOF, CloseAfter: io.EOF} {
		line.Play(NewScript(1, Fault{Kind: kind, Count: 1}))
		c := dial(t, address)
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		// A reset may overtake the half of the reply that went before it.
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, want) && !(err == nil && want == io.EOF) {
			t.Errorf("%s: %v, not %v", kind, err, want)
		}
		ask(t, dial(t, address), request, reply)
	}
	c := dial(t, address)
	ask(t, c, request, reply)
	line.Disconnect()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("disconnected: %v", err)
	}
	ask(t, dial(t, address), request, reply)
}

func TestListenerFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := NewLine(Options{}).ServeTCP(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// The end of ctx ends everything at once, also what waits for its turn to answer.
func TestStopWhileAnswering(t *testing.T) {
	line := NewLine(Options{Turnaround: time.Hour}, newUnit(1))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- line.ServeRTUOverTCP(ctx, ln) }()
	c := dial(t, ln.Addr().String())
	if _, err := c.Write(rtu(9, pdu(3, 0, 1)...)); err != nil {
		t.Fatal(err)
	}
	if _, err := line.Journal().Wait(ctx, 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(readTwo); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("still serving")
	}
}

// The journal finds a write by the time its reply is there, with times in their order and never early.
func TestJournalOfPacedPTY(t *testing.T) {
	const turnaround = 3 * time.Millisecond
	line := NewLine(Options{Serial: &serial9600, Turnaround: turnaround}, newUnit(1))
	p := openPTY(t, "")
	untilEnd(t, func(ctx context.Context) error { return line.ServePTY(ctx, p, RTU) })
	writes, stop := line.Journal().Writes(10)
	defer stop()
	port := openPort(t, p.Path())
	for range 3 {
		begun := time.Now()
		ask(t, port, writeOne, writeOne)
		done := time.Now()
		var e Exchange
		select {
		case e = <-writes:
		default:
			t.Fatal("the reply is here and the journal has no write")
		}
		wire := serial9600.Chars(8) + serial9600.Silence() + turnaround + serial9600.Chars(8)
		if took := done.Sub(begun); took < wire {
			t.Errorf("answered in %v, the wire takes %v", took, wire)
		}
		times := []time.Time{begun, e.At, e.Arrived, e.Received, e.ReplyAt, e.Replied, done}
		if !slices.IsSortedFunc(times, time.Time.Compare) {
			t.Errorf("not in order: %v", times)
		}
		if got := e.Replied.Sub(e.At); got < wire {
			t.Errorf("replied in %v, not %v", got, wire)
		}
		if got, least := e.ReplyAt.Sub(e.Received), serial9600.Silence()+turnaround+serial9600.Chars(1); got < least {
			t.Errorf("began to reply behind %v, not %v", got, least)
		}
		if e.Range != holding(5, 1) || !slices.Equal(e.Words, []uint16{77}) || !e.CarriedOut {
			t.Errorf("%+v", e)
		}
	}
}
