package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"
)

func TestLogForMachinesAndPeople(t *testing.T) {
	for name, test := range map[string]struct {
		flags logging
		json  bool
		lines int
	}{
		"auto, no terminal": {logging{"info", "auto"}, true, 1},
		"json":              {logging{"debug", "json"}, true, 2},
		"console":           {logging{"info", "console"}, false, 1},
		"errors only":       {logging{"error", "json"}, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := test.flags.open(&out)
			if err != nil {
				t.Fatal(err)
			}
			log.Info().Str("device", "roof").Msg("online")
			log.Debug().Msg("polled")
			if n := strings.Count(out.String(), "\n"); n != test.lines {
				t.Fatalf("%d lines, want %d:\n%s", n, test.lines, &out)
			}
			if test.lines > 0 && json.Valid([]byte(strings.SplitN(out.String(), "\n", 2)[0])) != test.json {
				t.Errorf("JSON should be %v:\n%s", test.json, &out)
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Errorf("colours, though nobody looks: %q", &out)
			}
		})
	}
}

func TestColoursOnTerminalsOnly(t *testing.T) {
	master, client, err := pty.Open()
	if err != nil {
		t.Skip("no pty here:", err)
	}
	defer master.Close()
	defer client.Close()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !colours(client) || colours(file) || colours(&bytes.Buffer{}) {
		t.Error("a terminal has colours, a file and a buffer have none")
	}
	t.Setenv("NO_COLOR", "1")
	if colours(client) {
		t.Error("NO_COLOR is ignored")
	}
}
