package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"solarhub/plugin/config"
)

func TestReadBegun(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "solarhub.yaml")
	for text, want := range map[string]config.Begun{
		"host:\n  url: http://h:8123\n  token_file: t\n": {URL: "http://h:8123", TokenFile: filepath.Join(dir, "t"),
			Token: true},
		"host: {url: http://h, token_env: T, insecure: true}\nlines: [{tcp: a}, {tcp: b}]\nother: 1\n": {
			URL: "http://h", Token: true, Insecure: true, Lines: 2},
		"host: none\n":   {},
		"- no mapping\n": {},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := config.ReadBegun(path); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if err := os.WriteFile(path, []byte("host: {\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.ReadBegun(path); err == nil {
		t.Error("what is not YAML is read")
	}
}
