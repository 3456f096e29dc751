package facts

import "testing"

func TestTables(t *testing.T) {
	tables, err := Tables()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, table := range tables {
		if table.Source.Short == "" {
			t.Errorf("%s.%s: not in sources.csv", table.Map, table.Tag)
		}
		rows += len(table.Rows)
	}
	t.Log(len(tables), "tables,", rows, "rows")
}
