package profile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]protocol.Range{
		"587": {Addr: 587}, "0x024B": {Addr: 587}, "holding 0": {}, "input 4945": {Table: protocol.InputRegister,
			Addr: 4945},
		"coil 3": {Table: protocol.Coil, Addr: 3}, "discrete 65535": {Table: protocol.DiscreteInput, Addr: 65535},
	} {
		table, addr, err := parseAddress(text)
		if err != nil || table != want.Table || addr != want.Addr {
			t.Errorf("%q: %v %d %v", text, table, addr, err)
		}
	}
	for _, text := range []string{"", "65536", "-1", "+1", "010", "0x", "0x1FFFF", "1.5", "coil", "coil x", "holding",
		"Holding 1", "1 2", "1_000"} {
		if table, addr, err := parseAddress(text); err == nil {
			t.Errorf("%q was read as %v %d", text, table, addr)
		}
	}
}

func TestParseHole(t *testing.T) {
	for text, want := range map[string]protocol.Range{
		"holding 700..709": {Addr: 700, Count: 10}, "input 5": {Table: protocol.InputRegister, Addr: 5,
			Count: 1}, "7..7": {Addr: 7, Count: 1},
		"1..65535": {Addr: 1, Count: 65535},
	} {
		if got, err := ParseHole(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "..", "5..", "..5", "9..5", "0..65535", "5..70000", "5...9", "5..holding 9"} {
		if got, err := ParseHole(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// What is left of a hole beside registers: each of its registers that is none of them, and no other.
func TestSubtractRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) protocol.Range {
			return protocol.Range{Table: rapid.SampledFrom(tables[:2]).Draw(t, name+" table"),
				Addr: rapid.Uint16Range(0, 40).Draw(t, name), Count: rapid.Uint16Range(1, 20).Draw(t, name+" count")}
		}
		hole, one, other := draw("hole"), draw("one"), draw("other")
		left := SubtractRanges(hole, one, other)
		for addr := range uint16(70) {
			at := protocol.Range{Table: hole.Table, Addr: addr, Count: 1}
			want := hole.Contains(at) && !one.Overlaps(at) && !other.Overlaps(at)
			n := 0
			for _, r := range left {
				if r.Table == at.Table && r.Contains(at) {
					n++
				}
			}
			if n > 1 || (n == 1) != want {
				t.Fatalf("%v without %v and %v is %v: %d", hole, one, other, left, addr)
			}
		}
	})
}

func TestSourceNames(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "a, b": "a|b", "a (x, y), b": "a|b", "a (0..240; the lower (b)), c": "a|c", "a,": "a|", "a) b": "a b",
	} {
		if got := strings.Join(sourceNames(text), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"Voltage", "Voltage L1", "PV 2 power", "Window 1 start", "On Mondays",
		"Modbus unit id", "AC voltage", "State of charge", "A"} {
		if wrong := checkName(name); len(wrong) > 0 {
			t.Errorf("%v", wrong)
		}
	}
	for _, name := range []string{"", " Voltage", "Battery  voltage", "Battery Voltage", "voltage", "Min voltage",
		"battery SoC", strings.Repeat("A", maxName+1)} {
		if len(checkName(name)) == 0 {
			t.Errorf("%q passes", name)
		}
	}
}

func TestLimits(t *testing.T) {
	u16, tenth := codec.Spec{}, codec.Spec{Scale: 0.1}
	for _, c := range []struct {
		name  string
		spec  codec.Spec
		write Write
		want  string // the keys at fault
	}{
		{"plain", u16, Write{Min: 0, Max: 65535, Step: 1}, ""},
		{"one too many", u16, Write{Min: 0, Max: 65536, Step: 1}, "max"},
		{"tenths", tenth, Write{Min: 0.3, Max: 6553.5, Step: 0.1}, ""},
		{"between tenths", tenth, Write{Min: 0.35, Max: 10, Step: 0.1}, "min"},
		{"coarse step", tenth, Write{Min: 0, Max: 10, Step: 0.5}, ""},
		{"fine step", tenth, Write{Min: 0, Max: 10, Step: 0.05}, "step"},
		{"signed", codec.Spec{Type: codec.S16}, Write{Min: -32768, Max: 32767, Step: 1}, ""},
		{"signed under mask", codec.Spec{Type: codec.S16, Mask: 0x00F0}, Write{Min: -8, Max: 7, Step: 1}, ""},
		{"too low under mask", codec.Spec{Type: codec.S16, Mask: 0x00F0}, Write{Min: -9, Max: 7, Step: 1}, "min"},
		{"falling scale", codec.Spec{Scale: -1}, Write{Min: -65535, Max: 0, Step: 1}, ""},
		{"falling scale, wrong side", codec.Spec{Scale: -1}, Write{Min: 0, Max: 5, Step: 1}, "max"},
		{"offset", codec.Spec{Scale: 0.1, Offset: -100}, Write{Min: -100, Max: 60.5, Step: 0.1}, ""},
		{"float", codec.Spec{Type: codec.F32}, Write{Min: -1, Max: 1, Step: 0.01}, ""},
		{"float without step", codec.Spec{Type: codec.F32}, Write{Min: -1, Max: 1}, "step"},
		{"beyond f32", codec.Spec{Type: codec.F32}, Write{Min: 0, Max: 1e39, Step: 1}, "max"},
		{"f64", codec.Spec{Type: codec.F64}, Write{Min: 0, Max: 1e39, Step: 1e38}, ""},
		{"large", codec.Spec{Type: codec.U32, Scale: 0.001}, Write{Min: 0, Max: 4294967.295, Step: 0.001}, ""},
		{"nothing between", u16, Write{Min: 5, Max: 5, Step: 1}, "max"},
		{"not reached", u16, Write{Min: 0, Max: 10, Step: 3}, "step"},
	} {
		var got []string
		for _, f := range checkLimits(c.spec, c.write) {
			got = append(got, f.Key)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %q", c.name, checkLimits(c.spec, c.write), c.want)
		}
	}
}

// TestOverlapsByWord finds shared bits in the right word of a number of two, in every order.
func TestOverlapsByWord(t *testing.T) {
	wide := Point{Key: "wide", Ranges: []protocol.Range{{Addr: 10, Count: 2}},
		Spec: codec.Spec{Type: codec.U32, Mask: 0x00FF}, Write: &Write{}}
	for order, want := range map[codec.Order]struct {
		addr uint16
		bits uint16
	}{codec.ABCD: {11, 0x00FF}, codec.CDAB: {10, 0x00FF}, codec.BADC: {11, 0xFF00}, codec.DCBA: {10, 0xFF00}} {
		wide.Spec.Order = order
		for addr := uint16(9); addr <= 12; addr++ {
			for _, mask := range []uint64{0x00FF, 0xFF00} {
				narrow := Point{Key: "narrow", Ranges: []protocol.Range{{Addr: addr, Count: 1}},
					Spec: codec.Spec{Mask: mask}}
				hit := addr == want.addr && uint16(mask) == want.bits
				if got := len(overlaps([]entry{{point: wide}, {point: narrow}})) > 0; got != hit {
					t.Errorf("%s: mask %04X of %d: overlap %v, want %v", order, mask, addr, got, hit)
				}
			}
		}
	}
	reading := wide
	reading.Write = nil
	if c := overlaps([]entry{{point: reading}, {point: reading}}); len(c) > 0 {
		t.Errorf("two readings: %v", c)
	}
	other := Point{Ranges: []protocol.Range{{Table: protocol.InputRegister, Addr: 10, Count: 1}}}
	if c := overlaps([]entry{{point: wide}, {point: other}}); len(c) > 0 {
		t.Errorf("different tables: %v", c)
	}
}

func TestOpen(t *testing.T) {
	if !slices.IsSorted(Names()) || !slices.Contains(Names(), "deye") {
		t.Errorf("names %v", Names())
	}
	if p, err := Open("senergy"); err != nil || p.ID != "chint" {
		t.Errorf("senergy: %v", err)
	}
	if _, err := Open("nothing"); err == nil || !strings.Contains(err.Error(), "solarhub devices") {
		t.Errorf("an unknown profile: %v", err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"good.yaml": good, "other.yaml": good,
		"big.yaml": strings.Repeat("#", strict.MaxFile+1)} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := Open(filepath.Join(folder, "good.yaml")); err != nil || p.ID != "good" {
		t.Errorf("good.yaml: %v", err)
	}
	for name, want := range map[string]string{"other.yaml": "other.yaml:1:10:", "big.yaml": "larger than",
		"none.yaml": "no such file"} {
		if _, err := Open(filepath.Join(folder, name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestIntervalString(t *testing.T) {
	for i, want := range map[Interval]string{Now: "now", Normal: "normal", Slow: "slow", Once: "once",
		9: "interval(9)"} {
		if i.String() != want {
			t.Errorf("%d: %s", i, i)
		}
	}
}
