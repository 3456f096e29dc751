package simulate

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// ParseServer reads the script of a server that answers as a real one was seen to, and returns its line. The file is
// YAML; plugin/testdata/cases/README.md says what may stand in it. The error is strict.Findings with all that is wrong.
func ParseServer(file string, data []byte) (*sim.Line, error) {
	root, report := strict.Parse(file, data)
	s := server{units: map[protocol.UnitID]*sim.Unit{}}
	if root != nil {
		s.read(root.Fields("turnaround", "silent", "units", "later", "writes", "rules"))
	}
	if err := report.Err(); err != nil {
		return nil, err
	}
	line := sim.NewLine(s.options, s.all...)
	line.Play(sim.NewScript(1, s.faults...))
	return line, nil
}

// server is what ParseServer has read.
type server struct {
	options sim.Options
	units   map[protocol.UnitID]*sim.Unit
	all     []*sim.Unit // the same, in the order of the file
	faults  []sim.Fault
}

// mostScripted bounds the times of a script.
const mostScripted = 24 * time.Hour

func (s *server) read(f strict.Fields) {
	s.options.Turnaround = span(f, "turnaround")
	if n := f.Get("silent"); n != nil {
		s.options.SilentTCP, _ = n.Bool()
	}
	for _, e := range f.Need("units").Entries() {
		id, ok := e.Key.Uint(255)
		if !ok {
			continue
		}
		u := sim.NewUnit(protocol.UnitID(id))
		s.units[u.ID()], s.all = u, append(s.all, u)
		for _, r := range registers(e.Value) {
			u.Set(r.over.Table, r.over.Addr, r.words...)
		}
	}
	for _, n := range list(f.Get("later")) {
		s.later(n.Fields("after", "unit", "set"))
	}
	for _, n := range list(f.Get("writes")) {
		s.write(n.Fields("unit", "on", "takes", "returns", "ignored"))
	}
	for _, n := range list(f.Get("rules")) {
		s.rule(n)
	}
}

// list returns the items of what may be missing.
func list(n *strict.Node) []*strict.Node {
	if n == nil {
		return nil
	}
	return n.Items()
}

func span(f strict.Fields, key string) (d time.Duration) {
	if n := f.Get(key); n != nil {
		d, _ = n.Duration(0, mostScripted)
	}
	return d
}

func number(f strict.Fields, key string, most uint64) int {
	n := f.Get(key)
	if n == nil {
		return 0
	}
	value, _ := n.Uint(most)
	return int(value)
}

func yes(f strict.Fields, key string) (value bool) {
	if n := f.Get(key); n != nil {
		value, _ = n.Bool()
	}
	return value
}

// unit returns the unit that is named, or the first.
func (s *server) unit(f strict.Fields) *sim.Unit {
	n := f.Get("unit")
	if n == nil && len(s.all) > 0 {
		return s.all[0]
	}
	id, ok := n.Uint(255)
	u := s.units[protocol.UnitID(id)]
	if ok && u == nil {
		n.Fail("there is no unit %d under units", id)
	}
	if u == nil {
		return sim.NewUnit(0) // of a file that is refused
	}
	return u
}

// later has registers change by themselves.
func (s *server) later(f strict.Fields) {
	after, _ := f.Need("after").Duration(0, mostScripted)
	for _, r := range registers(f.Need("set")) {
		s.unit(f).SetLater(after, r.over.Table, r.over.Addr, r.words...)
	}
}

// write says what becomes of what is written: it is taken over later, put back later, or never stored.
func (s *server) write(f strict.Fields) {
	over, ok := parseRange(f.Need("on"))
	if !ok {
		return
	}
	takes, returns := span(f, "takes"), span(f, "returns")
	var b sim.Behaviour
	keep := func(_, old, _ uint16) uint16 { return old }
	switch {
	case takes > 0:
		b.Store, b.Later = keep, func(_, _, wanted uint16) (uint16, time.Duration) { return wanted, takes }
	case returns > 0:
		b.Later = func(_, old, _ uint16) (uint16, time.Duration) { return old, returns }
	case yes(f, "ignored"):
		b.Store = keep
	default:
		f.At.Fail("say what becomes of a write: takes, returns or ignored")
	}
	s.unit(f).Behave(over, b)
}

func parseRange(n *strict.Node) (protocol.Range, bool) {
	text, ok := n.Text()
	if !ok {
		return protocol.Range{}, false
	}
	over, err := profile.ParseHole(text)
	if err != nil {
		n.Fail("%v; write holding 1000 or input 10..19", err)
	}
	return over, err == nil
}

// held is what registers hold.
type held struct {
	over  protocol.Range
	words []uint16
}

// registers reads a mapping of addresses to what they hold: a number, which fills a range, a list of numbers, "text
// ABC", or "hex 5445 5354".
func registers(n *strict.Node) (all []held) {
	for _, e := range n.Entries() {
		over, ok := parseRange(e.Key)
		if !ok {
			continue
		}
		words := words(e.Value)
		if len(words) == 1 {
			for uint32(len(words)) < uint32(over.Count) {
				words = append(words, words[0])
			}
		}
		if uint32(over.Addr)+uint32(len(words)) > 1<<16 {
			e.Value.Fail("it goes beyond address 65535")
			continue
		}
		all = append(all, held{over, words})
	}
	return all
}

func words(n *strict.Node) (all []uint16) {
	if n.IsList() {
		for _, item := range n.Items() {
			all = append(all, word(item))
		}
		return all
	}
	kind, rest, _ := strings.Cut(n.Raw(), " ")
	var b []byte
	switch kind {
	case "text":
		b = []byte(rest)
	case "hex":
		var err error
		if b, err = hex.DecodeString(strings.ReplaceAll(rest, " ", "")); err != nil {
			n.Fail("%q is not bytes in hex", rest)
		}
	default:
		return []uint16{word(n)}
	}
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	for i := 0; i+1 < len(b); i += 2 {
		all = append(all, binary.BigEndian.Uint16(b[i:]))
	}
	return all
}

// word reads what one register holds; a negative number as its complement.
func word(n *strict.Node) uint16 {
	if strings.HasPrefix(n.Raw(), "-") {
		value, _ := n.Int(-1<<15, -1)
		return uint16(value)
	}
	value, _ := n.Uint(1<<16 - 1)
	return uint16(value)
}
