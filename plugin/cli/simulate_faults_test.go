package cli

import (
	"slices"
	"strings"
	"testing"

	"solarhub/protocol/sim"
)

// The help explains every fault of the simulator, in its order, and what it says of arguments is true.
func TestFaultHelp(t *testing.T) {
	var told []sim.Kind
	for _, f := range faultWords {
		told = append(told, f.kind)
		argument := ":300ms"
		if f.kind == sim.Exception {
			argument = ":4"
		}
		if _, err := sim.ParseFaults(string(f.kind) + "=1%" + argument); (err == nil) != (f.argument != "") {
			t.Errorf("%s may name %q, and with one: %v", f.kind, f.argument, err)
		}
	}
	if !slices.Equal(told, sim.Kinds()) {
		t.Errorf("the help has %v\nthe simulator  %v", told, sim.Kinds())
	}
	if help := faultHelp(); !strings.Contains(help, "reply-lost") || strings.Count(help, "\n") != len(told) {
		t.Errorf("the help:\n%s", help)
	}
}
