package search

import (
	"context"

	"solarhub/devices/scan"
	"solarhub/protocol"
)

// links are those that were opened to search one line.
type links []protocol.Link

func (l *links) add(one protocol.Link) protocol.Link {
	*l = append(*l, one)
	return one
}

// conditions returns what the links found out of their line.
func (l *links) conditions() (all []protocol.LinkCondition) {
	for _, one := range *l {
		if c, ok := one.(interface{ Condition() protocol.LinkCondition }); ok {
			all = append(all, c.Condition())
		}
	}
	return all
}

// quirks adds to what is known of a line what it does against the standard besides.
func (l *links) quirks(known protocol.Quirks) protocol.Quirks {
	for _, c := range l.conditions() {
		if c.Transactions {
			known.Transactions = protocol.ShapeTransactions
		}
		if c.Echoes {
			known.Echo = protocol.WithEcho
		}
		switch {
		case c.Units && known.Units != protocol.StrictUnits:
		case c.Units && (c.UnitID == 0 || c.UnitID == 255):
			known.Units = protocol.LaxUnits
		case c.Units:
			known.Units = protocol.AlsoUnit(c.UnitID)
		}
	}
	return known
}

// plain reports whether what should be a stick of Solarman speaks Modbus TCP.
func (l *links) plain() bool {
	for _, c := range l.conditions() {
		if c.Plain {
			return true
		}
	}
	return false
}

// borrowed is a line that somebody else has opened.
type borrowed struct{ do scan.Do }

func (borrowed) Open(context.Context) (uint64, error) { return 1, nil }
func (borrowed) Ready(context.Context) error          { return nil }
func (borrowed) Close() error                         { return nil }

func (b borrowed) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	return b.do(ctx, req)
}
