package cli_test

import (
	"os"
	"testing"

	"solarhub/plugin/cli"
)

// TestDevicesPage holds the page about all families to the profiles.
func TestDevicesPage(t *testing.T) {
	code, page, errs := do(t, "devices", "page")
	if code != cli.ExitOK {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	held, err := os.ReadFile("../../devices/profile/DEVICES.md")
	if err != nil {
		t.Fatal(err)
	}
	if page != string(held) {
		t.Error("DEVICES.md is out of date; write it anew: go run . devices page > devices/profile/DEVICES.md")
	}
}
