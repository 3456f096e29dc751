package strict

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadFile(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for name, text := range map[string]string{"good": "a: 1\n", "full": strings.Repeat("#", MaxFile),
		"big": strings.Repeat("#", MaxFile+1)} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(at("good"), at("link")); err != nil {
		t.Skip(err)
	}
	for name, want := range map[string]string{
		at("good"): "", at("full"): "", at("link"): "",
		at("big"): "is larger than 1048576 bytes", folder: "is not a regular file", at("none"): "no such file",
	} {
		if data, err := ReadFile(name); want == "" && (err != nil || len(data) == 0) ||
			want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d bytes, %v, want %q", name, len(data), err, want)
		}
	}
}
