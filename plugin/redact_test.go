package plugin

import (
	"testing"
)

func TestRedacted(t *testing.T) {
	v := map[string]string{"SN12345_x": `a "SN12345" b`, "longer": "SN12345-B", "quote": `q"45678`}
	got, err := redacted(v, []string{"SN12345", "SN12345-B", `q"45678`, "B", ""})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"...345_x":"a \"...345\" b","longer":"...5-B","quote":"...678"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err = redacted([]string{"device 1234 1.12345", "1234_power", "x1234", "12341234", "1234"}, []string{"1234"})
	if want := `["device ...234 1.12345","...234_power","x1234","12341234","...234"]`; err != nil ||
		string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := redacted(func() {}, nil); err == nil {
		t.Error("what cannot be told is no error")
	}
}
