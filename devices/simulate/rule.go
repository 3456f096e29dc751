package simulate

import (
	"strconv"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// rule reads one rule: which requests it is for, and what they are answered. The first rule that fits a request counts.
func (s *server) rule(n *strict.Node) {
	f := n.Fields("unit", "function", "on", "count", "nth", "every", "from", "until",
		"reply", "exception", "drop", "delay", "pause", "close")
	fault := sim.Fault{Kind: sim.Late, Delay: span(f, "delay"), Pause: span(f, "pause"), Close: yes(f, "close")}
	m := &fault.Match
	if f.Get("unit") != nil {
		m.Units = []protocol.UnitID{s.unit(f).ID()}
	}
	if on := f.Get("on"); on != nil {
		m.Range, _ = parseRange(on)
	}
	m.Functions = functions(f.Get("function"))
	m.Least, m.Most = counts(f.Get("count"))
	m.Nth, m.Every = number(f, "nth", 1<<20), number(f, "every", 1<<20)
	m.From, m.Until = span(f, "from"), span(f, "until")
	reply, code := f.Get("reply"), f.Get("exception")
	switch {
	case reply != nil && code != nil:
		code.Fail("a rule has a reply or an exception, not both")
	case code != nil:
		fault.Kind = sim.Exception
		value, _ := code.Uint(255)
		fault.Code = byte(value)
	case yes(f, "drop"):
		fault.Kind = sim.Drop
	case reply != nil:
		fault.Kind, fault.Frame = sim.Raw, frame(reply)
	case fault.Close:
		fault.Kind, fault.Frame = sim.Raw, closing
	}
	s.faults = append(s.faults, fault)
}

// closing is the reply of a rule that only closes.
var closing, _ = sim.ParseFrame("<reply>")

func frame(n *strict.Node) sim.Frame {
	f, err := sim.ParseFrame(n.Raw())
	if err != nil {
		n.Fail("%v", err)
	}
	return f
}

// functions reads "3", "read", "write" or a list of numbers.
func functions(n *strict.Node) (all []byte) {
	switch {
	case n == nil:
		return nil
	case n.IsList():
		for _, item := range n.Items() {
			all = append(all, functions(item)...)
		}
		return all
	case n.Raw() == "read":
		return []byte{1, 2, 3, 4}
	case n.Raw() == "write":
		return sim.WriteFunctions
	}
	value, _ := n.Uint(127)
	return []byte{byte(value)}
}

// counts reads how many registers a request has: "3", or "46..125".
func counts(n *strict.Node) (least, most int) {
	if n == nil {
		return 0, 0
	}
	first, last, several := strings.Cut(n.Raw(), "..")
	least, err := strconv.Atoi(first)
	most = least
	if err == nil && several {
		most, err = strconv.Atoi(last)
	}
	if err != nil || least < 1 || most < least {
		n.Fail("a count is a number of registers, or 46..125")
	}
	return least, most
}
