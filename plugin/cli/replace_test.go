package cli_test

import (
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// An inverter is replaced: the new one is refused, check --live says so, and it goes on as the old one once its owner
// has said so.
func TestReplaceGoesOnWithTheOldDevice(t *testing.T) {
	t.Parallel()
	simulate := []string{"simulate", "senergy", "--turnaround", "0s", "--tcp"}
	where, _, takeAway := start(t, append(simulate, "127.0.0.1:0", "--serial-number", "TEST000001")...)
	at := addresses(t, where)[0]
	config := liveConfig(t, "tcp: "+at, "timeout: 2s")
	_, errs, stop := start(t, "run", "--config", config)
	until(t, errs, "The device answers")
	const id = "TEST000001"
	if code, _, said := do(t, "replace", id, "TEST000002", "--config", config); code == cli.ExitOK ||
		!strings.Contains(said, "no other device of its kind answers in its place") {
		t.Errorf("while it runs, and the old one answers: %d %s", code, said)
	}
	stop()
	takeAway()
	out2, _, _ := start(t, append(simulate, at, "--serial-number", "TEST000002")...)
	addresses(t, out2)
	code, out, _ := do(t, "check", "--live", "--for", "2s", "--config", config)
	if code != cli.ExitFailed || strings.Contains(out, "No problem found") ||
		!strings.Contains(strings.Join(strings.Fields(out), " "), "`solarhub replace "+id+" TEST000002`") {
		t.Errorf("check --live ended with %d:\n%s", code, out)
	}
	for given, want := range map[string][]string{
		"no device has the id": {"X", "TEST000002"}, "did you mean " + id + "?": {"TEST00001", "TEST000002"},
		"cannot be a serial number": {id, "00000"}, "takes two serial numbers": {id},
	} {
		if code, _, said := do(t, append([]string{"replace", "--config", config}, want...)...); code == cli.ExitOK ||
			!strings.Contains(said, given) {
			t.Errorf("%v: %d %s", want, code, said)
		}
	}
	if code, out, said := do(t, "replace", id, "TEST000002", "--config", config); code != cli.ExitOK || said != "" ||
		!strings.Contains(out, "goes on as "+id) {
		t.Errorf("ended with %d: %s%s", code, out, said)
	}
	if code, _, said := do(t, "replace", id, "TEST000002", "--config", config); code != cli.ExitFailed ||
		!strings.Contains(said, "already") {
		t.Errorf("twice: %d %s", code, said)
	}
	_, errs, stop = start(t, "run", "--config", config)
	until(t, errs, "The device answers")
	if !strings.Contains(errs.String(), "TEST000002") {
		t.Errorf("after it:\n%s", errs)
	}
	stop()
	if code, out, _ := do(t, "check", "--live", "--for", "2s", "--config", config); code != cli.ExitOK {
		t.Errorf("check --live ended with %d:\n%s", code, out)
	}
}

// While SolarHub runs the new device goes on at once.
func TestReplaceWhileItRuns(t *testing.T) {
	t.Parallel()
	simulate := []string{"simulate", "senergy", "--turnaround", "0s", "--tcp"}
	where, _, takeAway := start(t, append(simulate, "127.0.0.1:0", "--serial-number", "TEST000001")...)
	at := addresses(t, where)[0]
	config := liveConfig(t, "tcp: "+at, "timeout: 2s, poll: {now: 200ms}, quiet: 1s")
	_, errs, _ := start(t, "run", "--config", config)
	until(t, errs, "The device answers")
	takeAway()
	out, _, _ := start(t, append(simulate, at, "--serial-number", "TEST000002")...)
	addresses(t, out)
	until(t, errs, "TEST000002") // another answers in its place
	code, out2, said := do(t, "replace", "TEST000001", "TEST000002", "--json", "--config", config)
	if code != cli.ExitOK || out2 != `{"id":"TEST000001","now":true}`+"\n" {
		t.Fatalf("ended with %d: %s%s", code, out2, said)
	}
	if code, out, said := do(t, "read", "TEST000001", "temperature", "--config", config); code != cli.ExitOK {
		t.Errorf("it goes on as the old one, and: %d %s%s", code, out, said)
	}
}
