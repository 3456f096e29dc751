package cli_test

import (
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// An inverter is replaced: the new one is refused until the old one is forgotten.
func TestForgetFreesThePlaceOfAReplacedDevice(t *testing.T) {
	t.Parallel()
	line := simulated(t, "tcp")
	config := liveConfig(t, line, "timeout: 2s")
	code, _, said := do(t, "forget", "--config", config)
	if code != cli.ExitFailed || !strings.Contains(said, "nothing is remembered") {
		t.Errorf("before the first start: %d %s", code, said)
	}
	_, errs, stop := start(t, "run", "--config", config)
	until(t, errs, "The device answers")
	if code, out, said := do(t, "forget", "--config", config); code != cli.ExitOK || said != "" ||
		!strings.Contains(out, "takes the device that answers now") {
		t.Errorf("while it runs: %d %s%s", code, out, said)
	}
	untilTimes(t, errs, "The device answers", 2)
	stop()
	code, out, said := do(t, "forget", "Garage", "--config", config)
	if code != cli.ExitOK || said != "" || !strings.Contains(out, "is forgotten") {
		t.Errorf("ended with %d: %s%s", code, out, said)
	}
	if code, _, said := do(t, "forget", "--config", config); code != cli.ExitFailed ||
		!strings.Contains(said, "nothing is remembered") {
		t.Errorf("twice: %d %s", code, said)
	}
}
