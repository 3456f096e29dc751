package scan

import (
	"cmp"
	"maps"
	"slices"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// commonSerials are what owners set lines to, besides what families are delivered with, the likeliest first. An Eastron
// SDM120 is delivered with 2400 8N1 (nmakel/solaredge_modbus and its meter's paper).
var commonSerials = []protocol.Serial{
	{Baud: 2400, DataBits: 8, StopBits: 1},
	{Baud: 4800, DataBits: 8, StopBits: 1},
	{Baud: 38400, DataBits: 8, StopBits: 1},
	{Baud: 57600, DataBits: 8, StopBits: 1},
	{Baud: 2400, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1},
	{Baud: 38400, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1},
	{Baud: 115200, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1},
	{Baud: 9600, DataBits: 8, Parity: protocol.OddParity, StopBits: 1},
	{Baud: 19200, DataBits: 8, Parity: protocol.OddParity, StopBits: 1},
}

// Serials returns the settings of a line to be tried, the likeliest first: those that most families are delivered with,
// then the common rest. A second stop bit is no setting of its own: a receiver looks at the first only.
func Serials(families []*profile.Profile) []protocol.Serial {
	delivered := map[protocol.Serial]int{}
	for _, p := range families {
		s := cmp.Or(p.Line.Serial, protocol.DefaultSerial)
		s.StopBits = 1
		delivered[s]++
	}
	all := slices.SortedFunc(maps.Keys(delivered), func(a, b protocol.Serial) int {
		return cmp.Or(delivered[b]-delivered[a], a.Baud-b.Baud, int(a.Parity)-int(b.Parity))
	})
	for _, s := range commonSerials {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// Units are the unit ids to be asked at a place, the likeliest first.
type Units struct {
	Delivered []protocol.UnitID // families are delivered with them
	Set       []protocol.UnitID // owners set them
}

// Owners count the devices of a line from 1: hardly ever beyond mostFirst, and next to never beyond mostSet.
const (
	mostFirst = 8
	mostSet   = 32
)

// UnitsAt returns the unit ids at a setting; of a line that has none, such as Modbus TCP, with the zero value. They are
// those of the families that are delivered so, then the smallest, those of other families, and the other small ones.
func UnitsAt(families []*profile.Profile, at protocol.Serial) (u Units) {
	here, all := map[protocol.UnitID]int{1: 1}, map[protocol.UnitID]int{}
	for _, p := range families {
		id := max(p.Line.Unit, 1)
		all[id]++
		s := p.Line.Serial
		if s != (protocol.Serial{}) {
			s.StopBits = 1
		}
		if at == (protocol.Serial{}) || s == at {
			here[id]++
		}
	}
	u.Delivered = byCount(here)
	for _, id := range slices.Concat(from(1, mostFirst), byCount(all), from(mostFirst+1, mostSet)) {
		if here[id] == 0 && !slices.Contains(u.Set, id) {
			u.Set = append(u.Set, id)
		}
	}
	return u
}

func from(first, last protocol.UnitID) (all []protocol.UnitID) {
	for id := first; id <= last; id++ {
		all = append(all, id)
	}
	return all
}

// byCount returns unit ids, those that count most first.
func byCount(ids map[protocol.UnitID]int) []protocol.UnitID {
	return slices.SortedFunc(maps.Keys(ids), func(a, b protocol.UnitID) int {
		return cmp.Or(ids[b]-ids[a], int(a)-int(b))
	})
}
