package facts

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestCompare compares two rows: what contradicts, and what only looks as if.
func TestCompare(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"40 1 u16 scale=0.1 unit=V", "40 1 u16 scale=0.1 unit=V", ""},
		{"40 1 u16 scale=0.1 unit=kW", "40 1 u16 scale=100 unit=W", ""},
		{"40 1 u16 scale=0.1 unit=kW", "40 1 u16 scale=0.1 unit=W", "scale 100W, 0.1W"},
		{"40 1 s16 scale=-1 unit=W", "40 1 s16 unit=W", ""},
		{"40 1 u16 unit=W", "40 1 s16 unit=W", "sign unsigned, signed"},
		{"40 1 u16 unit=W", "40 1 s16 unit=W mark=sign_not_stated", ""},
		{"40 1 u16 unit=W", "40 1 m16 unit=W", "sign unsigned, signed"},
		{"40 2 s32 unit=W", "40 2 m32 unit=W", "sign complement, a bit for the sign"},
		{"40 2 u32 order=hi unit=W", "40 2 u32 order=lo unit=W", "word order high first, low first"},
		{"40 2 u32 order=lo unit=W", "40+41 2 u32 unit=W", ""},
		{"40 2 u32 order=hi unit=W", "41+40 2 u32 unit=W", ""},
		{"40 2 u32 order=lo unit=W", "40 1 u16 unit=W", "words 40+2, 40"},
		{"40+90 2 u32 unit=W", "90+40 2 u32 unit=W", "words [40 90], [90 40]"},
		{"40 1 u16 offset=-100 unit=°C", "40 1 u16 unit=°C", "offset -100, 0"},
		{"40 1 u16 unit=V", "40 1 u16 unit=A", "unit V, A"},
		{"40 1 u16", "40 1 enum options=0=off;1=on", ""},
		{"40 1 enum options=0=off;1=on", "40 1 enum options=0=on;1=off", "sense 0=off, on"},
		{"40 1 enum options=0=a;1=b mask=0x03", "40 1 enum options=0=a;1=b", ""},
		{"40 1 enum options=0=a;1=b mask=0x0C", "40 1 enum options=0=a;1=b mask=0x03", "mask 0x000C, 0x0003"},
		{"40 1 bits options=2=fan", "40 1 bool mask=0x04", ""},
		{"40 1 bits options=2=fan", "40 1 bool mask=0x08", "mask bits, 0x0008"},
		{"40 1 bits options=0=a;1=b", "40 1 enum options=0=none;1=a;2=b;3=both", ""},
		{"40 1 time_hhmm_dec", "40 1 time_hhmm_packed", "time dec, packed"},
		{"40 5 str", "40 4 str", "words 40+5, 40+4"},
		{"40 1 s16 unit=W", "40 2 f32 unit=W", "kind number, float"},
	} {
		got := Compare(rowOf(t, c.a).Decoding(), rowOf(t, c.b).Decoding())
		var texts []string
		for _, d := range got {
			texts = append(texts, d.String())
		}
		if text := strings.Join(texts, "; "); text != c.want {
			t.Errorf("%s against %s: %q, not %q", c.a, c.b, text, c.want)
		}
	}
}

// rowOf reads a row: its address, words and type, and other cells by their column.
func rowOf(t *testing.T, text string) Row {
	t.Helper()
	given := strings.Fields(text)
	cells := map[string]string{"table": "holding", "access": "R", "key": "k", "address": given[0], "words": given[1],
		"type": given[2]}
	for _, cell := range given[3:] {
		column, value, _ := strings.Cut(cell, "=")
		cells[column] = value
	}
	var line []string
	for column := range strings.SplitSeq(Columns, ",") {
		line = append(line, cells[column])
	}
	table := Columns + "\n" + strings.Join(line, ",") + "\n"
	tables, err := ReadTables(fstest.MapFS{"m.s.csv": {Data: []byte(table)}}, ".", false)
	if err != nil {
		t.Fatal(err)
	}
	return tables[0].Rows[0]
}
