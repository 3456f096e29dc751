package protocol

import (
	"strings"
	"testing"
)

func TestRequestCheck(t *testing.T) {
	words := func(n int) []uint16 { return make([]uint16, n) }
	for _, tt := range []struct {
		req  Request
		want []string // parts of the error; none: allowed
	}{
		{readOf(0, 125), nil},
		{readOf(65535, 1), nil},
		{Request{Range: Range{Coil, 0, 2000}}, nil},
		{Request{Op: WriteMultiple, Range: Range{Coil, 0, 1968}, Words: words(1968)}, nil},
		{Request{Op: WriteMultiple, Range: Range{HoldingRegister, 0, 123}, Words: words(123)}, nil},
		{readOf(0, 0), []string{"read holding 0+0 unit 1: count 0 is not in 1..125"}},
		{readOf(0, 126), []string{"count 126 is not in 1..125"}},
		{readOf(65535, 2), []string{"addresses end at 65535, not at 65536"}},
		{Request{Range: Range{DiscreteInput, 0, 2001}}, []string{"1..2000"}},
		{Request{Op: WriteMultiple, Range: Range{HoldingRegister, 0, 124}, Words: words(124)}, []string{"1..123"}},
		{Request{Op: WriteSingle, Range: Range{HoldingRegister, 0, 2}, Words: words(2)},
			[]string{"count 2 is not in 1..1"}},
		{Request{Op: WriteSingle, Range: Range{InputRegister, 0, 1}, Words: words(1)},
			[]string{"write input 0+1 unit 0: table input cannot be written"}},
		{Request{Op: WriteSingle, Range: Range{Coil, 9, 1}, Words: []uint16{2}}, []string{"bit 9 is 2, not 0 or 1"}},
		{Request{Op: WriteMultiple, Range: Range{HoldingRegister, 0, 2}, Words: words(3)},
			[]string{"3 words are given for a count of 2"}},
		{Request{Op: 9, Range: Range{Table(7), 65535, 9}, Priority: 4}, []string{
			"operation 9", "table(7) is no table", "priority 4 is not in 0..2", "not at 65543",
		}},
	} {
		err := tt.req.Check()
		if (err == nil) != (tt.want == nil) {
			t.Errorf("%+v: %v", tt.req, err)
			continue
		}
		for _, part := range tt.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q lacks %q", err, part)
			}
		}
	}
}

func TestRequestFunction(t *testing.T) {
	want := map[Op]map[Table]byte{
		Read:          {Coil: 1, DiscreteInput: 2, HoldingRegister: 3, InputRegister: 4},
		WriteSingle:   {Coil: 5, HoldingRegister: 6},
		WriteMultiple: {Coil: 15, HoldingRegister: 16},
	}
	for op, tables := range want {
		for table, function := range tables {
			if got := (Request{Op: op, Range: Range{Table: table}}).Function(); got != function {
				t.Errorf("operation %d of %v is function %d, want %d", op, table, got, function)
			}
		}
	}
}
