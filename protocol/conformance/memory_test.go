package conformance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// memory is what a server holds: runs of registers and bits, and nothing else. It says what a request must bring.
type memory struct {
	unit   protocol.UnitID
	first  [4]uint16
	tables [4][]uint16
}

// newMemory holds 300 registers and 3,008 bits of each kind from address 0 on, many values of their own among them.
// pymodbus keeps bits by sixteen.
func newMemory(unit protocol.UnitID) *memory {
	m := &memory{unit: unit}
	for table := range protocol.Table(4) {
		count, bits := 300, table.Bits()
		if bits {
			count = 3008
		}
		for i := range count {
			word := uint16(i*31 + 7 + 1000*int(table))
			if bits {
				word = uint16(i) % uint16(2+table) & 1
			}
			m.tables[table] = append(m.tables[table], word)
		}
	}
	return m
}

// described is the memory for a peer's script.
func (m *memory) described() map[string]any {
	d := map[string]any{"unit": m.unit}
	for table := range protocol.Table(4) {
		d[table.String()] = m.tables[table]
	}
	return d
}

// simulated is the memory as a unit of ours.
func (m *memory) simulated() *sim.Unit {
	u := sim.NewUnit(m.unit)
	for table := range protocol.Table(4) {
		u.Set(table, m.first[table], m.tables[table]...)
	}
	return u
}

// carryOut returns the words that a request brings and keeps those it writes; an exception if it goes beyond the
// memory.
func (m *memory) carryOut(req protocol.Request) ([]uint16, error) {
	held, from := m.tables[req.Range.Table], int(req.Range.Addr)-int(m.first[req.Range.Table])
	if from < 0 || from+int(req.Range.Count) > len(held) {
		return nil, protocol.ExceptionError{Function: req.Function(), Code: 2}
	}
	held = held[from : from+int(req.Range.Count)]
	if req.Op == protocol.Read {
		return slices.Clone(held), nil
	}
	copy(held, req.Words)
	return nil, nil
}

// edges are the requests that every server is asked: the shortest and the longest, the first and the last addresses,
// and those just behind them.
func (m *memory) edges() (all []protocol.Request) {
	most := func(op protocol.Op, t protocol.Table) int {
		limits := map[bool][2]int{false: {protocol.MaxReadRegisters, protocol.MaxWriteRegisters},
			true: {protocol.MaxReadBits, protocol.MaxWriteBits}}
		return min(limits[t.Bits()][min(op, 1)], len(m.tables[t]))
	}
	for table := range protocol.Table(4) {
		first, end := int(m.first[table]), int(m.first[table])+len(m.tables[table])
		longest := most(protocol.Read, table)
		all = append(all, m.read(table, first, 1), m.read(table, end-1, 1), m.read(table, first, longest),
			m.read(table, end-longest, longest),
			m.read(table, end, 1), m.read(table, end-1, 2))
		if table != protocol.HoldingRegister && table != protocol.Coil {
			continue
		}
		longest = most(protocol.WriteMultiple, table)
		for _, count := range []int{0, 1, 9, longest} {
			count = min(count, longest)
			all = append(all, m.write(table, end-max(count, 1), count),
				m.read(table, first, most(protocol.Read, table)))
		}
		all = append(all, m.write(table, end, 0), m.write(table, end-1, 2),
			m.read(table, first, most(protocol.Read, table)))
	}
	return all
}

func (m *memory) read(t protocol.Table, addr, count int) protocol.Request {
	return protocol.Request{Unit: m.unit, Range: protocol.Range{Table: t, Addr: uint16(addr), Count: uint16(count)}}
}

// write makes a write of several words, or of a single one by its own function where count is 0.
func (m *memory) write(t protocol.Table, addr, count int) protocol.Request {
	req := m.read(t, addr, max(count, 1))
	req.Op = protocol.WriteMultiple
	if count == 0 {
		req.Op = protocol.WriteSingle
	}
	for i := range max(count, 1) {
		word := uint16(addr*17 + i*259 + count)
		if t.Bits() {
			word = word >> 2 & 1
		}
		req.Words = append(req.Words, word)
	}
	return req
}

// random returns a request anywhere in the memory, now and then a little beyond it.
func (m *memory) random(r *rand.Rand) protocol.Request {
	table := protocol.Table(r.IntN(4))
	size := len(m.tables[table])
	addr := int(m.first[table]) + r.IntN(size)
	count := 1 + r.IntN(min(protocol.MaxWriteRegisters, size))
	if r.IntN(10) > 0 {
		count = min(count, int(m.first[table])+size-addr)
	}
	if table != protocol.HoldingRegister && table != protocol.Coil || r.IntN(2) == 0 {
		return m.read(table, addr, count)
	}
	req := m.write(table, addr, count*r.IntN(2))
	for i := range req.Words {
		if req.Words[i] = uint16(r.Uint32()); table.Bits() {
			req.Words[i] &= 1
		}
	}
	return req
}

// exchange carries a request to a server and returns what came back.
type exchange func(protocol.Request) ([]uint16, error)

// exercise asks a server for all edges and for some requests at random and holds each reply against the memory.
// Requests that skip names are left out. It returns what was done in words.
func exercise(t *testing.T, m *memory, random int, do exchange, skip func(protocol.Request) bool) string {
	t.Helper()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	requests := m.edges()
	for range random {
		requests = append(requests, m.random(r))
	}
	asked, refused := 0, 0
	for _, req := range requests {
		if skip != nil && skip(req) {
			continue
		}
		asked++
		words, err := do(req)
		want, refusal := m.carryOut(req)
		if refusal != nil {
			refused++
		}
		if fmt.Sprint(refusalOf(err)) != fmt.Sprint(refusal) || !slices.Equal(words, want) {
			t.Fatalf("seed %d: %v function %d: %v, %v; want %v, %v", seed, req, req.Function(), words, err, want,
				refusal)
		}
	}
	return fmt.Sprintf("%d requests, %d of them refused", asked, refused)
}
