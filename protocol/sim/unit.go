// Package sim simulates Modbus units and the lines they hang on: Modbus TCP, the same inside TLS, RTU over TCP, both in
// datagrams, RTU and ASCII on a pty that keeps the time of a serial line, and sticks (Framing). A line can have bad
// days (Fault) and keeps a Journal of what came in and went out.
//
// Time is time.Now everywhere and waiting is Options.Wait, so a line works inside testing/synctest over net.Pipe
// (ServeConn).
package sim

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"solarhub/protocol"
)

// Unit is the memory of a simulated device and its manners. Only addresses that were Set exist. Safe for concurrent
// use.
type Unit struct {
	id protocol.UnitID

	mu         sync.Mutex
	tables     [4]map[uint16]uint16
	limits     Limits
	rules      []rule // the last that contains an address counts
	wholes     []whole
	pending    []stored
	turnaround *time.Duration
	onWrite    []func(Write)
	live       []*ticker
}

// Limits is what a unit takes in one request. The zero value is what the standard allows.
type Limits struct {
	ReadRegisters  int  // most registers of one read. Defaults to protocol.MaxReadRegisters
	ReadBits       int  // most bits of one read. Defaults to protocol.MaxReadBits
	WriteRegisters int  // most registers of one write. Defaults to protocol.MaxWriteRegisters
	RefuseSingle   byte // exception code for functions 5 and 6; 0: they are carried out
	RefuseMultiple byte // exception code for functions 15 and 16; 0: they are carried out
	TooLong        byte // exception code for requests over the limits above. Defaults to 3
	Undefined      byte // exception code for addresses that do not exist. Defaults to 2
}

// Silence stands in place of an exception code where a device does not refuse but does not answer.
const Silence = 0xFF

// Write is a write that a unit has acknowledged. What it stored is another matter: see Behave.
type Write struct {
	Unit  protocol.UnitID
	Range protocol.Range
	Words []uint16
	At    time.Time
}

// ticker is a function that moves values.
type ticker struct {
	every time.Duration
	next  time.Time
	move  func(now time.Time)
}

// stored is a word that gets its value later.
type stored struct {
	due   time.Time
	table protocol.Table
	addr  uint16
	word  uint16
}

// NewUnit makes a unit without any address.
func NewUnit(id protocol.UnitID) *Unit {
	u := &Unit{id: id}
	for i := range u.tables {
		u.tables[i] = map[uint16]uint16{}
	}
	return u
}

// ID returns the unit id.
func (u *Unit) ID() protocol.UnitID { return u.id }

// Set gives words to the addresses from addr on and makes them exist. A bit is 0 or 1. It panics behind address 65535,
// as an index out of range does.
func (u *Unit) Set(t protocol.Table, addr uint16, words ...uint16) {
	if int(addr)+len(words) > 1<<16 {
		panic(fmt.Sprintf("sim: set %s %d+%d: behind address 65535", t, addr, len(words)))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, w := range words {
		u.tables[t][addr+uint16(i)] = w
	}
}

// SetLater is Set after some time.
func (u *Unit) SetLater(after time.Duration, t protocol.Table, addr uint16, words ...uint16) {
	u.mu.Lock()
	defer u.mu.Unlock()
	due := time.Now().Add(after)
	for i, w := range words {
		u.later(stored{due, t, addr + uint16(i), w})
	}
}

// Get returns the count words from addr on as they are now; false if one of them does not exist.
func (u *Unit) Get(t protocol.Table, addr, count uint16) ([]uint16, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.settle(time.Now())
	return u.read(protocol.Range{Table: t, Addr: addr, Count: count})
}

// Remove takes addresses away: what touches them is answered as Limits.Undefined says.
func (u *Unit) Remove(r protocol.Range) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range r.Count {
		delete(u.tables[r.Table], r.Addr+i)
	}
}

// Limit sets what the unit takes in one request.
func (u *Unit) Limit(l Limits) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.limits = l
}

// Turnaround sets the time from the end of a request to the first byte of this unit's reply; without it the line's
// counts.
func (u *Unit) Turnaround(d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.turnaround = &d
}

// OnWrite has f called for each acknowledged write, behind the store and before the reply. f may Set and Get.
func (u *Unit) OnWrite(f func(Write)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.onWrite = append(u.onWrite, f)
}

// Live has move called before a request is answered, but not more often than every. So values move when somebody looks,
// and nothing runs while nobody does. move may Set and Get.
func (u *Unit) Live(every time.Duration, move func(now time.Time)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.live = append(u.live, &ticker{every: every, move: move})
}

// Still ends what Live has begun: the registers hold what they hold.
func (u *Unit) Still() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.live = nil
}

// tick calls the functions of Live whose time has come, without the lock because they use the unit.
func (u *Unit) tick(now time.Time) {
	u.mu.Lock()
	var due []func(time.Time)
	for _, t := range u.live {
		if !now.Before(t.next) {
			t.next = now.Add(t.every)
			due = append(due, t.move)
		}
	}
	u.mu.Unlock()
	for _, move := range due {
		move(now)
	}
}

// settle gives the words whose time has come their value. The lock is held.
func (u *Unit) settle(now time.Time) {
	n := 0
	for n < len(u.pending) && !u.pending[n].due.After(now) {
		p := u.pending[n]
		u.tables[p.table][p.addr] = p.word
		n++
	}
	u.pending = slices.Delete(u.pending, 0, n)
}

// later stores a word when it is due. The lock is held.
func (u *Unit) later(s stored) {
	i := len(u.pending)
	for i > 0 && u.pending[i-1].due.After(s.due) {
		i--
	}
	u.pending = slices.Insert(u.pending, i, s)
}

// read returns the words of r; false if one does not exist. The lock is held.
func (u *Unit) read(r protocol.Range) ([]uint16, bool) {
	if r.End() > 1<<16 {
		return nil, false
	}
	words := make([]uint16, r.Count)
	for i := range words {
		w, ok := u.tables[r.Table][r.Addr+uint16(i)]
		if !ok {
			return nil, false
		}
		words[i] = w
	}
	return words, true
}

// turnaroundOr returns the unit's turnaround, or the line's.
func (u *Unit) turnaroundOr(line time.Duration) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.turnaround != nil {
		return *u.turnaround
	}
	return line
}
