package facts

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestTables(t *testing.T) {
	tables, err := Tables()
	if err != nil {
		t.Fatal(err)
	}
	sources, err := Sources(Shipped())
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, table := range tables {
		if table.Source.Short == "" {
			t.Errorf("%s.%s: not in sources.csv", table.Map, table.Tag)
		}
		delete(sources, [2]string{table.Map, table.Tag})
		rows += len(table.Rows)
	}
	for s := range sources {
		t.Errorf("sources.csv: there is no table %s.%s", s[0], s[1])
	}
	if rows < 12000 {
		t.Errorf("%d rows: some tables were not read", rows)
	}
}

// TestTablesAreReadStrictly spoils one cell at a time: each is a finding with its line and column.
func TestTablesAreReadStrictly(t *testing.T) {
	const good = ",holding,40,2,u32,hi,0.1,,kWh,RW,16,0,100,,0=off;1=on,0x0F,0xFFFF,phases>=2,,key,sign_not_stated"
	for _, c := range []struct{ column, cell, want string }{
		{"table", "register", `table: "register" is not one of holding`},
		{"address", "70000", `address: "70000" is not an address`},
		{"address", "1+2+3", "address: 3 places cannot share 2 words"},
		{"words", "0", `words: "0" is not a number of registers`},
		{"words", "1", "words: 1 do not hold u32"},
		{"type", "u24", `type: "u24" is unknown`},
		{"order", "big", `order: "big" is not one of , hi, lo`},
		{"scale", "x", `scale: "x" is not a number`},
		{"access", "X", `access: "X" is not one of R, W, RW, `},
		{"max", "much", `max: "much" is not a number`},
		{"options", "off", `options: "off" is not of the form number=name`},
		{"mask", "-1", `mask: "-1" is not a whole number of 64 bits`},
		{"key", "", "key: it is missing"},
		{"mark", "unsure", `mark: "unsure" is not one of`},
	} {
		cells := strings.Split(good, ",")
		for i, name := range strings.Split(Columns, ",") {
			if name == c.column {
				cells[i] = c.cell
			}
		}
		table := Columns + "\n" + good + "\n" + strings.Join(cells, ",") + "\n"
		_, err := ReadTables(fstest.MapFS{"m.s.csv": {Data: []byte(table)}}, ".", false)
		if err == nil || !strings.HasPrefix(err.Error(), "m.s.csv:3: "+c.want) {
			t.Errorf("%s %q: %v, not %s", c.column, c.cell, err, c.want)
		}
	}
	if _, err := ReadTables(fstest.MapFS{"m.s.csv": {Data: []byte("a,b\n")}}, ".", false); err == nil {
		t.Error("other columns were read")
	}
}
