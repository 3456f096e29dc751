package conformance

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"solarhub/protocol"
)

// What libmodbus' test server does on purpose is keyed to these. Source: its tests/unit-test.h.in.
const (
	hostileBits      = 0x130
	hostileRegisters = 0x160
	answersBusy      = 0x170 // an exception; a write is told to be of a wrong length
	answersOther     = 0x171 // another transaction id, on RTU another unit id
	answersLate      = 0x172 // behind half a second
	answersSlowly    = 0x173 // byte by byte, 5 ms each; on a serial line it fails to
	badLengthBit     = 0x132 // a write is told to be of a wrong length
	miscounts        = 2     // a read of so many registers is answered with one less
)

// byShape believes replies of the right shape, whatever their transaction id.
var byShape = protocol.Quirks{Transactions: protocol.ShapeTransactions}

// hostile starts libmodbus' test server, which serves one connection and ends, and returns its memory and a client of
// ours.
func hostile(t *testing.T, line string, timeout time.Duration, quirks protocol.Quirks) (*memory, exchange) {
	t.Helper()
	there, here := places(t, line)
	p := start(t, "stdbuf", "-oL", filepath.Join(peers(t), "unit-test-server"), modes[line], there)
	m := &memory{unit: 17, first: [4]uint16{protocol.HoldingRegister: hostileRegisters, protocol.Coil: hostileBits,
		protocol.InputRegister: 0x108, protocol.DiscreteInput: 0x1C4}}
	if line == onTCP {
		m.unit = 255 // it signs some replies so, whoever was asked
	} else {
		p.hear("Opening")
	}
	m.tables[protocol.HoldingRegister] = make([]uint16, 0x10) // up to the first trap
	m.tables[protocol.Coil] = make([]uint16, 0x25)
	m.tables[protocol.InputRegister] = []uint16{10}
	for i := range 0x16 { // as bytes AC DB 35, the lowest bit first
		m.tables[protocol.DiscreteInput] = append(m.tables[protocol.DiscreteInput], uint16(uint32(0x35DBAC)>>i&1))
	}
	return m, client(t, line, here, certificates{}, timeout, quirks)
}

func TestOurClientAgainstLibmodbus(t *testing.T) {
	for _, line := range []string{onTCP, onPTY} {
		pair(t, "our client", "libmodbus test server", line, func(t *testing.T) string {
			// Our link asks again where a reply may be a copy of the one before, with reads of two registers among
			// others.
			m, do := hostile(t, line, 500*time.Millisecond, protocol.Quirks{})
			return exercise(t, m, 200, patient(do), m.trap)
		})
		for _, trap := range traps {
			if line == onPTY && trap.quirks != (protocol.Quirks{}) {
				continue // there are no transaction ids
			}
			pair(t, "our client", "libmodbus test server, "+trap.name, line, func(t *testing.T) string {
				m, do := hostile(t, line, trap.timeout, trap.quirks)
				return trap.spring(t, m, line, do)
			})
		}
	}
}

// trap says which requests are not for the plain exercise: what it holds beyond the memory, and what it answers
// wrongly.
func (m *memory) trap(req protocol.Request) bool {
	end := uint32(m.first[req.Range.Table]) + uint32(len(m.tables[req.Range.Table]))
	holding := req.Range.Table == protocol.HoldingRegister
	return holding && (req.Range.End() > end || req.Op == protocol.Read && req.Range.Count == miscounts) ||
		req.Op == protocol.WriteSingle && req.Range.Addr == badLengthBit
}

// traps are what the server does on purpose.
var traps = []struct {
	name    string
	timeout time.Duration
	quirks  protocol.Quirks
	spring  func(t *testing.T, m *memory, line string, do exchange) string
}{
	{"busy", time.Second, protocol.Quirks{}, func(t *testing.T, m *memory, _ string, do exchange) string {
		words, err := patient(do)(m.read(protocol.HoldingRegister, answersBusy, 1))
		if refusalOf(err) != (protocol.ExceptionError{Function: 3, Code: 6}) || words != nil {
			t.Errorf("%v, %v", words, err)
		}
		return "exception 6" + well(t, m, do)
	}},
	{"wrong id", 300 * time.Millisecond, protocol.Quirks{},
		func(t *testing.T, m *memory, _ string, do exchange) string {
			return ignored(t, do, m.read(protocol.HoldingRegister, answersOther, 1)) + well(t, m, do)
		}},
	{"wrong id, by shape", time.Second, byShape, func(t *testing.T, m *memory, _ string, do exchange) string {
		return zero(t, do, m.read(protocol.HoldingRegister, answersOther, 1)) + well(t, m, do)
	}},
	{"late", time.Second, protocol.Quirks{}, func(t *testing.T, m *memory, _ string, do exchange) string {
		return zero(t, do, m.read(protocol.HoldingRegister, answersLate, 1)) + well(t, m, do)
	}},
	{"too late", 200 * time.Millisecond, protocol.Quirks{},
		func(t *testing.T, m *memory, _ string, do exchange) string {
			write := m.write(protocol.HoldingRegister, hostileRegisters, 0)
			if _, err := patient(do)(write); err != nil {
				t.Fatal(err)
			}
			done := ignored(t, do, m.read(protocol.HoldingRegister, answersLate, 1))
			// Its reply comes now, and has the shape of this one's.
			if words, err := patient(do)(m.read(protocol.HoldingRegister, hostileRegisters, 1)); err != nil ||
				!slices.Equal(words, write.Words) {
				t.Fatalf("%v, %v for %v", words, err, write.Words)
			}
			return done + ", dropped when it came"
		}},
	// On TCP only the low byte of its transaction id is right.
	{"byte by byte", 300 * time.Millisecond, protocol.Quirks{},
		func(t *testing.T, m *memory, _ string, do exchange) string {
			return ignored(t, do, m.read(protocol.HoldingRegister, answersSlowly, 1)) + well(t, m, do)
		}},
	{"byte by byte, by shape", time.Second, byShape, func(t *testing.T, m *memory, _ string, do exchange) string {
		return zero(t, do, m.read(protocol.HoldingRegister, answersSlowly, 1)) + well(t, m, do)
	}},
	{"wrong count", 300 * time.Millisecond, protocol.Quirks{},
		func(t *testing.T, m *memory, line string, do exchange) string {
			words, err := do(m.read(protocol.HoldingRegister, hostileRegisters, miscounts))
			broken, ok := errors.AsType[*protocol.LinkError](err)
			if !ok || words != nil {
				t.Fatalf("%v, %v", words, err)
			}
			if line == onTCP { // the connection cannot be trusted any more; the server ends with it
				return "refused: " + broken.Err.Error()
			}
			return "refused: " + broken.Err.Error() + well(t, m, do)
		}},
	{"wrong length of a write", 300 * time.Millisecond, protocol.Quirks{},
		func(t *testing.T, m *memory, _ string, do exchange) string {
			told := ""
			for _, req := range []protocol.Request{m.write(protocol.Coil, badLengthBit, 0),
				m.write(protocol.HoldingRegister, answersBusy, 0)} {
				_, err := do(req)
				if err == nil {
					t.Fatalf("%v: taken for done", req)
				}
				told = fmt.Sprint(refusalOf(err))
			}
			return told
		}},
}

// ignored asks what is answered with something that is no reply, and must find none.
func ignored(t *testing.T, do exchange, req protocol.Request) string {
	t.Helper()
	words, err := do(req)
	if !errors.Is(err, protocol.ErrTimeout) || words != nil {
		t.Fatalf("%v, %v; want no answer", words, err)
	}
	return "no answer"
}

// zero asks what is answered with a zero, if in an odd way.
func zero(t *testing.T, do exchange, req protocol.Request) string {
	t.Helper()
	if words, err := patient(do)(req); err != nil || !slices.Equal(words, []uint16{0}) {
		t.Fatalf("%v, %v", words, err)
	}
	return "taken"
}

// well makes sure that the line works as before.
func well(t *testing.T, m *memory, do exchange) string {
	t.Helper()
	for range 5 {
		if words, err := patient(do)(m.read(protocol.InputRegister, 0x108, 1)); err != nil ||
			!slices.Equal(words, []uint16{10}) {
			t.Fatalf("afterwards %v, %v", words, err)
		}
	}
	return ", then as before"
}

// patient asks again until a reply comes, for the timeouts are short and machines may be slow.
func patient(do exchange) exchange {
	return func(req protocol.Request) ([]uint16, error) {
		for began := time.Now(); ; {
			words, err := do(req)
			if !errors.Is(err, protocol.ErrTimeout) || time.Since(began) > patience {
				return words, err
			}
		}
	}
}
