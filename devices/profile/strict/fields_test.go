package strict

import (
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	root, report := Parse("f.yaml", []byte("unit: 1\nbaudrate: 9600\nx: {a: 1}\nname: y\n"))
	for range 2 { // who reads twice finds the same once
		f := root.Fields("unit", "baud", "serial", "name")
		if f.At != root || f.Get("unit").Raw() != "1" || f.Get("baud") != nil || f.Get("x") != nil {
			t.Error("wrong values")
		}
		if f.Need("name").Raw() != "y" || f.Need("serial") != nil {
			t.Error("wrong values needed")
		}
	}
	const want = "1:1: serial is missing\n" +
		"2:1: unknown key \"baudrate\"; did you mean baud?; allowed: unit, baud, serial, name\n" +
		"3:1: unknown key \"x\"; allowed: unit, baud, serial, name"
	if got := findings(t, report); got != want {
		t.Errorf("got %s", got)
	}
}

func TestFieldsOfSomethingElse(t *testing.T) {
	for yaml, want := range map[string]string{
		"- a\n": "1:1: a list is not a mapping (key: value)",
		"abc\n": "1:1: \"abc\" is not a mapping (key: value)",
		"5\n":   "1:1: \"5\" is not a mapping (key: value)",
	} {
		root, report := Parse("f.yaml", []byte(yaml))
		f := root.Fields("a")
		f.Need("a")
		if got := findings(t, report); got != want {
			t.Errorf("%q: got %s, want %s", yaml, got, want)
		}
	}
}

func TestMeant(t *testing.T) {
	words := strings.Fields("unit baud serial max_registers gap timeout turnaround on at min max")
	for given, want := range map[string]string{
		"untis": "unit", "unti": "unit", "Unit": "unit", "UNIT": "unit", "max-registers": "max_registers",
		"maxregisters": "max_registers",
		"max_register": "max_registers", "seriell": "serial", "timeuot": "timeout", "time": "timeout",
		"turn":     "turnaround",
		"baudrate": "baud", "x": "", "": "", "voltage": "", "zz": "", "mx": "max", "gäp": "gap",
		strings.Repeat("unit", 1000): "",
	} {
		hint := ""
		if want != "" {
			hint = "; did you mean " + want + "?"
		}
		if got := Meant(given, words); got != hint {
			t.Errorf("Meant(%.20q) = %q, want %q", given, got, hint)
		}
	}
	if got := Meant("win", []string{"window_1", "window_2"}); got != "" {
		t.Errorf("two words begin like that, got %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"kitten",
		"sitting", 3}, {"ä", "ö", 1}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
