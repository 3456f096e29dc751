package doctor

import (
	"context"
	"slices"
	"strings"
	"testing"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// fewRegisters is a device that refuses a read unless it has all of it.
type fewRegisters struct {
	devices.Bus
	has   protocol.Range
	asked []protocol.Range
}

func (f *fewRegisters) Do(_ context.Context, req protocol.Request) (protocol.Response, error) {
	f.asked = append(f.asked, req.Range)
	if !f.has.Contains(req.Range) {
		return protocol.Response{}, protocol.ExceptionError{Function: 3, Code: 2}
	}
	return protocol.Response{Words: make([]uint16, req.Range.Count)}, nil
}

func holding(addr, count uint16) protocol.Range {
	return protocol.Range{Table: protocol.HoldingRegister, Addr: addr, Count: count}
}

func TestSearchFindsWhatADeviceHas(t *testing.T) {
	line := &fewRegisters{has: holding(13, 30)}
	dump := Dump{Words: map[protocol.Range]uint16{}}
	if err := dump.search(t.Context(), line, devices.Config{}, holding(0, 100)); err != nil {
		t.Fatal(err)
	}
	for at := range uint16(100) {
		_, found := dump.Words[holding(at, 1)]
		if found != line.has.Contains(holding(at, 1)) {
			t.Errorf("%d: %v", at, found)
		}
	}
	if len(dump.Refused) > 0 {
		t.Errorf("refused: %v", dump.Refused)
	}
}

func TestSearchKeepsOffWhatIsNeverRead(t *testing.T) {
	l := profile.LineSettings{MaxRegisters: 10, Holes: []protocol.Range{holding(5, 1)},
		Never: []protocol.Range{holding(20, 100)}}
	want := []protocol.Range{holding(0, 5), holding(6, 10), holding(16, 4), holding(120, 2)}
	if got := blocksOf([]protocol.Range{holding(0, 122)}, l); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestNoSearchOfWhatTakesHarm(t *testing.T) {
	p, err := profile.Get("must") // which a read of a register that it does not have switches off
	if err != nil {
		t.Fatal(err)
	}
	line := &fewRegisters{}
	_, err = ReadDumpOver(t.Context(), line, devices.Config{Name: "Roof", Profile: p, Line: p.Line},
		[]protocol.Range{holding(0, 100)}, func(int, int) {})
	if err == nil || !strings.Contains(err.Error(), "named_only: false") || len(line.asked) > 0 {
		t.Errorf("%v, asked %v", err, line.asked)
	}
}
