package config

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A file that a person names may be a pipe to which nobody writes, or a device that never ends: that is a finding, not
// a wait without an end.
func TestFilesThatNeverEnd(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	for _, file := range []string{pipe, "/dev/zero"} {
		if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("configuration %s: %v", file, err)
		}
		text := "host: {url: 'http://h:1', token_file: " + file + "}\nlines: []\n"
		if _, err := Parse("c.yaml", []byte(text)); !strings.Contains(err.Error(), "the token cannot be read: "+file) {
			t.Errorf("token %s: %v", file, err)
		}
	}
	text := "host: {url: 'http://h:1', token: x}\nlines:\n- tcp: h\n  devices:\n  - {profile: " + pipe + "}\n"
	if _, err := Parse("c.yaml", []byte(text)); !strings.Contains(err.Error(),
		"profile: "+pipe+" is not a regular file") {
		t.Errorf("profile: %v", err)
	}
}
