package sim

import (
	"strings"
	"testing"

	"solarhub/protocol"
)

func TestLoadDump(t *testing.T) {
	u := NewUnit(1)
	dump := "table,address,value\n# a comment\n\nholding,588,51\r\n holding , 0x24D , 0xFFFF " +
		"\ninput,0010,007\ncoil,3,1\ndiscrete,65535,0\n"
	if err := LoadDump(strings.NewReader(dump), u); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		table      protocol.Table
		addr, want uint16
	}{
		{protocol.HoldingRegister, 588, 51}, {protocol.HoldingRegister, 589, 65535},
		{protocol.InputRegister, 10, 7}, {protocol.Coil, 3, 1}, {protocol.DiscreteInput, 65535, 0},
	} {
		if got, ok := u.Get(tt.table, tt.addr, 1); !ok || got[0] != tt.want {
			t.Errorf("%s %d: %d %v", tt.table, tt.addr, got, ok)
		}
	}
	if _, ok := u.Get(protocol.HoldingRegister, 590, 1); ok {
		t.Error("an address that the dump does not have exists")
	}
}

func TestLoadDumpFindings(t *testing.T) {
	u := NewUnit(1)
	dump := "holding,1,1\nholding,1\nregister,65536,1\nholding,1,-1\ncoil,1,2\nholding,1,65536\nholding,0xG,1\n" +
		strings.Repeat("x", 70000)
	err := LoadDump(strings.NewReader(dump), u)
	want := []string{
		`line 2: "holding,1" has 2 fields, not table,address,value`,
		`line 3: table "register" is none of holding, input, coil, discrete`,
		`address "65536" is not a number 0..65535`,
		`line 4: value "-1" is not a number 0..65535`,
		`line 5: value "2" is not a number 0..1`,
		`line 6: value "65536" is not a number 0..65535`,
		`line 7: address "0xG" is not a number 0..65535`,
		`read the dump: `,
	}
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("no %q in: %v", w, err)
		}
	}
	if _, ok := u.Get(protocol.HoldingRegister, 1, 1); ok {
		t.Error("a dump with findings set something")
	}
}

func FuzzLoadDump(f *testing.F) {
	f.Add("holding,1,1\ninput,0x1,0xFFFF\n#\n")
	f.Fuzz(func(t *testing.T, dump string) {
		_ = LoadDump(strings.NewReader(dump), NewUnit(1)) // must not panic
	})
}
