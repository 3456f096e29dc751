package strict

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// value returns the node behind "v: text".
func value(t *testing.T, text string) (*Node, *Report) {
	t.Helper()
	root, report := Parse("f.yaml", []byte("v: "+text+"\n"))
	if err := report.Err(); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return root.Entries()[0].Value, report
}

// Each getter on each spelling: what it returns, or what it finds.
func TestGetters(t *testing.T) {
	unit := func(n *Node) (any, bool) { v, ok := n.Int(1, 247); return v, ok }
	offset := func(n *Node) (any, bool) { v, ok := n.Int(math.MinInt64, math.MaxInt64); return v, ok }
	mask := func(n *Node) (any, bool) { v, ok := n.Uint(0xFFFF); return v, ok }
	wide := func(n *Node) (any, bool) { v, ok := n.Uint(math.MaxUint64); return v, ok }
	float := func(n *Node) (any, bool) { v, ok := n.Float(); return v, ok }
	boolean := func(n *Node) (any, bool) { v, ok := n.Bool(); return v, ok }
	text := func(n *Node) (any, bool) { v, ok := n.Text(); return v, ok }
	gap := func(n *Node) (any, bool) { v, ok := n.Duration(0, 5*time.Minute); return v, ok }
	word := func(n *Node) (any, bool) { v, ok := n.OneOf("single", "multiple"); return v, ok }
	const (
		noUnit = " is not a whole number from 1 to 247"
		noMask = " is not a whole number from 0 to 65535 (decimal or 0x...)"
		noGap  = " is not a duration from 0s to 5m, like 50ms, 2s or 5m"
	)
	for _, c := range []struct {
		name string
		get  func(*Node) (any, bool)
		yaml string
		want any
		find string
	}{
		{"int", unit, "1", int64(1), ""},
		{"int", unit, "247", int64(247), ""},
		{"int", unit, "0", nil, `"0"` + noUnit},
		{"int", unit, "248", nil, `"248"` + noUnit},
		{"int", unit, "010", nil, `"010"` + noUnit + "; leave the leading 0 away"},
		{"int", unit, "0o17", nil, `"0o17"` + noUnit},
		{"int", unit, "0b11", nil, `"0b11"` + noUnit},
		{"int", unit, "0x1F", nil, `"0x1F"` + noUnit + "; write 31"},
		{"int", unit, "0xFFFFFFFFFFFFFFFF", nil, `"0xFFFFFFFFFFFFFFFF"` + noUnit},
		{"int", unit, "1_00", nil, `"1_00"` + noUnit + "; write 100"},
		{"int", unit, "+5", nil, `"+5"` + noUnit + "; write 5"},
		{"int", unit, "-0", nil, `"-0"` + noUnit},
		{"int", unit, "'5'", nil, `"5"` + noUnit + "; leave the quotes away"},
		{"int", unit, "5.0", nil, `"5.0"` + noUnit},
		{"int", unit, "1e2", nil, `"1e2"` + noUnit},
		{"int", unit, "1:30", nil, `"1:30"` + noUnit},
		{"int", unit, "five", nil, `"five"` + noUnit},
		{"int", unit, "true", nil, `"true"` + noUnit},
		{"int", unit, "", nil, "nothing" + noUnit},
		{"int", unit, "[1]", nil, "a list" + noUnit},
		{"int", unit, "{a: 1}", nil, "a mapping" + noUnit},
		{"int", unit, "99999999999999999999", nil, `"99999999999999999999"` + noUnit},
		{"int", offset, "-9223372036854775808", int64(math.MinInt64), ""},
		{"int", offset, "9223372036854775807", int64(math.MaxInt64), ""},
		{"uint", mask, "0", uint64(0), ""},
		{"uint", mask, "65535", uint64(65535), ""},
		{"uint", mask, "0xffFF", uint64(65535), ""},
		{"uint", mask, "0x0001", uint64(1), ""},
		{"uint", mask, "0x10000", nil, `"0x10000"` + noMask},
		{"uint", mask, "65536", nil, `"65536"` + noMask},
		{"uint", mask, "-1", nil, `"-1"` + noMask},
		{"uint", mask, "0X1", nil, `"0X1"` + noMask},
		{"uint", mask, "0x", nil, `"0x"` + noMask},
		{"uint", mask, "007", nil, `"007"` + noMask + "; leave the leading 0 away"},
		{"uint", mask, `"7"`, nil, `"7"` + noMask + "; leave the quotes away"},
		{"uint", wide, "18446744073709551615", uint64(math.MaxUint64), ""},
		{"uint", wide, "0xFFFFFFFFFFFFFFFF", uint64(math.MaxUint64), ""},
		{"uint", wide, "0x1FFFFFFFFFFFFFFFF", nil,
			`"0x1FFFFFFFFFFFFFFFF" is not a whole number from 0 to 18446744073709551615 (decimal or 0x...)`},
		{"float", float, "0.1", 0.1, ""},
		{"float", float, "-12", -12.0, ""},
		{"float", float, "1e-3", 0.001, ""},
		{"float", float, "0", 0.0, ""},
		{"float", float, "0,1", nil, `"0,1" is not a number; write 0.1`},
		{"float", float, "1_000.5", nil, `"1_000.5" is not a number; write 1000.5`},
		{"float", float, "00.5", nil, `"00.5" is not a number; leave the leading 0 away`},
		{"float", float, ".5", nil, `".5" is not a number`},
		{"float", float, "5.", nil, `"5." is not a number`},
		{"float", float, ".inf", nil, `".inf" is not a number`},
		{"float", float, "-.Inf", nil, `"-.Inf" is not a number`},
		{"float", float, ".nan", nil, `".nan" is not a number`},
		{"float", float, "1e999", nil, `"1e999" is not a number`},
		{"float", float, "0x10", nil, `"0x10" is not a number; write 16`},
		{"float", float, "'0.1'", nil, `"0.1" is not a number; leave the quotes away`},
		{"bool", boolean, "true", true, ""},
		{"bool", boolean, "false", false, ""},
		{"bool", boolean, "True", nil, `"True" is not true or false; write true`},
		{"bool", boolean, "yes", nil, `"yes" is not true or false; write true`},
		{"bool", boolean, "off", nil, `"off" is not true or false; write false`},
		{"bool", boolean, "'true'", nil, `"true" is not true or false; write true`},
		{"bool", boolean, "0", nil, `"0" is not true or false; write false`},
		{"bool", boolean, "perhaps", nil, `"perhaps" is not true or false`},
		{"bool", boolean, "null", nil, "nothing is not true or false"},
		{"text", text, "abc", "abc", ""},
		{"text", text, "0012", "0012", ""},
		{"text", text, "true", "true", ""},
		{"text", text, "1.50", "1.50", ""},
		{"text", text, "' x '", " x ", ""},
		{"text", text, `"a\tb"`, "a\tb", ""},
		{"text", text, "holding 700..709", "holding 700..709", ""},
		{"text", text, "''", nil, `"" is not a text`},
		{"text", text, "'  '", nil, `"  " is not a text`},
		{"text", text, "~", nil, "nothing is not a text"},
		{"text", text, "[a]", nil, "a list is not a text"},
		{"text", text, "|\n  one\n  two", "one\ntwo\n", ""},
		{"text", text, ">-\n  one\n  two", "one two", ""},
		{"duration", gap, "50ms", 50 * time.Millisecond, ""},
		{"duration", gap, "1.5s", 1500 * time.Millisecond, ""},
		{"duration", gap, "1m30s", 90 * time.Second, ""},
		{"duration", gap, "0", time.Duration(0), ""},
		{"duration", gap, "'2s'", 2 * time.Second, ""},
		{"duration", gap, "5m1ms", nil, `"5m1ms"` + noGap},
		{"duration", gap, "50", nil, `"50"` + noGap + "; say the unit"},
		{"duration", gap, "-1s", nil, `"-1s"` + noGap},
		{"duration", gap, "+1s", nil, `"+1s"` + noGap},
		{"duration", gap, ".5s", nil, `".5s"` + noGap},
		{"duration", gap, "5 s", nil, `"5 s"` + noGap},
		{"duration", gap, "99999999999999h", nil, `"99999999999999h"` + noGap},
		{"duration", gap, "", nil, "nothing" + noGap},
		{"word", word, "multiple", 1, ""},
		{"word", word, "mutliple", nil,
			`"mutliple" is not allowed here; allowed: single, multiple; did you mean multiple?`},
		{"word", word, "Single", nil, `"Single" is not allowed here; allowed: single, multiple; did you mean single?`},
		{"word", word, "both", nil, `"both" is not allowed here; allowed: single, multiple`},
		{"word", word, "{single: 1}", nil, `a mapping is not allowed here; allowed: single, multiple`},
		{"word", word, "", nil, `nothing is not allowed here; allowed: single, multiple`},
		{"long", unit, strings.Repeat("ä", 70), nil, `"` + strings.Repeat("ä", 60) + `"...` + noUnit},
	} {
		t.Run(c.name+" "+c.yaml, func(t *testing.T) {
			n, report := value(t, c.yaml)
			got, ok := c.get(n)
			if ok != (c.want != nil) || ok && got != c.want {
				t.Errorf("got %v, %v, want %v", got, ok, c.want)
			}
			found := findings(t, report)
			if _, what, _ := strings.Cut(found, ": "); what != c.find {
				t.Errorf("found %q, want %q", found, c.find)
			}
		})
	}
}

func TestNegativeZeroIsZero(t *testing.T) {
	n, _ := value(t, "-0.0")
	if f, ok := n.Float(); !ok || math.Signbit(f) {
		t.Errorf("got %v, %v", f, ok)
	}
}

func TestKinds(t *testing.T) {
	for yaml, want := range map[string]string{"{a: 1}": "map", "[1]": "list", "x": "scalar", "''": "scalar",
		"": "empty", "null": "empty", "[]": "list", "{}": "map"} {
		n, report := value(t, yaml)
		got := ""
		for name, is := range map[string]bool{"map": n.IsMap(), "list": n.IsList(), "scalar": n.IsScalar(),
			"empty": n.is(empty)} {
			if is {
				got += name
			}
		}
		if got != want {
			t.Errorf("%q is %s, want %s", yaml, got, want)
		}
		n.Entries()
		n.Items()
		var wanted []string
		if want != "list" {
			wanted = append(wanted, n.show()+" is not a list (- item, or [a, b])")
		}
		if want != "map" {
			wanted = append(wanted, n.show()+" is not a mapping (key: value)")
		}
		for _, w := range wanted {
			if found := findings(t, report); !strings.Contains(found, w) {
				t.Errorf("%q: found %q, want %q", yaml, found, w)
			}
		}
	}
}

// A finding about a value that is not there stands at its key.
func TestNothingStandsAtItsKey(t *testing.T) {
	root, report := Parse("f.yaml", []byte("a: 1\nbaud:\nb:\n  - 1\n  -\nc: 3\n"))
	f := root.Fields("a", "baud", "b", "c")
	f.Get("baud").Int(1200, 921600)
	for _, n := range f.Get("b").Items() {
		n.Int(0, 5)
	}
	const want = "2:1: nothing is not a whole number from 1200 to 921600\n5:3: nothing is not a whole number from 0 " +
		"to 5"
	if got := findings(t, report); got != want {
		t.Errorf("got %s", got)
	}
}

// What is not in the file, and what Parse has refused, is silent to every getter.
func TestSilentNodes(t *testing.T) {
	root, report := Parse("f.yaml", []byte("a: *x\n"))
	before := findings(t, report)
	for name, n := range map[string]*Node{"missing": nil, "refused": root.Fields("a").Get("a")} {
		_, a := n.Text()
		_, b := n.Int(0, 1)
		_, c := n.Uint(1)
		_, d := n.Float()
		_, e := n.Bool()
		_, f := n.Duration(0, 1)
		_, g := n.OneOf("x")
		if a || b || c || d || e || f || g || n.Raw() != "" || n.Items() != nil || n.Entries() != nil {
			t.Errorf("%s: there is a value", name)
		}
		if n.IsMap() || n.IsList() || n.IsScalar() || n.is(empty) {
			t.Errorf("%s: it is something", name)
		}
		if fields := n.Fields("x"); fields.At != nil || fields.Get("x") != nil || fields.Need("x") != nil {
			t.Errorf("%s: there are fields", name)
		}
	}
	(*Node)(nil).Fail("not to be seen")
	if after := findings(t, report); after != before {
		t.Errorf("found more: %s", after)
	}
	report.Add(nil, "of the %s", "file")
	if got := findings(t, report); !strings.HasPrefix(got, "1:1: of the file\n") {
		t.Error(got)
	}
}

// A text that is refused may be a secret in the wrong place: a finding about a text does not repeat it.
func TestTextsAreNotRepeated(t *testing.T) {
	n, report := value(t, "[s3cret]")
	n.Text()
	if got := findings(t, report); strings.Contains(got, "s3cret") {
		t.Error(got)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", time.Minute: "1m", time.Hour: "1h",
		90 * time.Second: "1m30s", 10 * time.Second: "10s",
		50 * time.Millisecond: "50ms", time.Hour + time.Second: "1h0m1s"} {
		if got := Span(d); got != want {
			t.Errorf("Span(%v) = %s, want %s", d, got, want)
		}
	}
}

func ExampleParse() {
	root, report := Parse("solarhub.yaml", []byte("line:\n  baudrate: 9600\n  unit: 010\n"))
	line := root.Fields("line").Get("line").Fields("address", "baud", "unit")
	line.Need("address")
	line.Get("unit").Int(1, 247)
	fmt.Println(report.Err())
	// Output:
	// solarhub.yaml:2:3: address is missing
	// solarhub.yaml:2:3: unknown key "baudrate"; did you mean baud?; allowed: address, baud, unit
	// solarhub.yaml:3:9: "010" is not a whole number from 1 to 247; leave the leading 0 away
}

// A key that has its place elsewhere is told where; others as ever.
func TestFieldsBut(t *testing.T) {
	root, report := Parse("f.yaml", []byte("gap: 1\necho: 2\nother: 3\n"))
	f := root.FieldsBut(map[string]string{"echo": "it is of the line"}, "gap")
	if f.Get("gap") == nil || f.Get("echo") != nil {
		t.Error("the fields")
	}
	got := findings(t, report)
	want := "2:1: key \"echo\" has no place here: it is of the line\n3:1: unknown key \"other\"; allowed: gap"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
