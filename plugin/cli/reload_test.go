//go:build unix

package cli_test

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"solarhub/plugin/cli"
	"solarhub/plugin/cli/persontest"
)

// hangUp sends the signal of a reload to this process, and so to every run in it.
func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// TestRunOnATerminal: the signal asks for a reload while the terminal is there, and ends the run when it is gone.
func TestRunOnATerminal(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	path := runConfig(t, "http://127.0.0.1:1", silent.Addr().String(), webToken)
	person, terminal := persontest.New(t)
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(t.Context(), cli.Environment{Manifest: []byte(manifest), Out: terminal, Err: terminal},
			[]string{"run", "--config", path})
	}()
	person.Reads("SolarHub runs")
	hangUp(t)
	person.Reads("The configuration has not changed")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(good), "gap: 0ms", "gap: 0ms\n        grace: never\n        unit: 999", 1)
	if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	said := person.Reads("The changed configuration is not taken over: nothing has changed")
	if !strings.Contains(said, ":10:16: ") || !strings.Contains(said, ":11:15: ") {
		t.Errorf("not every finding with its place:\n%s", said)
	}
	person.Leaves()
	hangUp(t)
	if code := <-ended; code != cli.ExitOK {
		t.Errorf("ended with %d", code)
	}
}

func TestReloadWhereNothingRuns(t *testing.T) {
	path := runConfig(t, "http://127.0.0.1:1", "127.0.0.1:1", webToken)
	code, out, errs := do(t, "reload", "--config", path)
	if code != cli.ExitFailed || out != "" || !strings.Contains(errs, "no SolarHub runs on this data folder") {
		t.Errorf("ended with %d: %s%s", code, out, errs)
	}
	bad := file(t, "bad.yaml", "lines: []")
	code, _, errs = do(t, "reload", "--config", bad)
	if code != cli.ExitFailed || !strings.Contains(errs, "2 findings") {
		t.Errorf("a wrong file: ended with %d: %s", code, errs)
	}
}
