// Package conformance holds our client and our simulator against other people's: pymodbus, libmodbus, mbpoll,
// modbus-serial and pysolarmanv5. It needs what .ci/conformance installs, and is skipped where CONFORMANCE does not
// name the folder of it.
package conformance

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"go.uber.org/goleak"
)

// verdicts are the lines that are printed at the end, one for each pair.
var verdicts struct {
	sync.Mutex
	lines []string
}

func TestMain(m *testing.M) {
	code := m.Run()
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, line := range verdicts.lines {
		fmt.Fprintln(table, line)
	}
	if err := table.Flush(); err != nil {
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// peers returns the folder of the others' programs.
func peers(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("CONFORMANCE")
	if folder == "" {
		t.Skip("the other programs are not there: run .ci/conformance")
	}
	return folder
}

// pair runs f, which returns what it has done, and keeps a line with its result.
func pair(t *testing.T, client, server, line string, f func(t *testing.T) string) {
	t.Helper()
	peers(t)
	began, done := time.Now(), ""
	passed := t.Run(client+" to "+server+" over "+line, func(t *testing.T) { done = f(t) })
	verdict := "ok"
	if !passed {
		verdict, done = "FAILED", ""
	}
	verdicts.Lock()
	defer verdicts.Unlock()
	verdicts.lines = append(verdicts.lines,
		fmt.Sprintf("%s\t%s\t-> %s\t%s\t%s\t%.1f s", verdict, client, server, line, done, time.Since(began).Seconds()))
}
