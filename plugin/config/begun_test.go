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
	if err := os.WriteFile(filepath.Join(dir, "t"), []byte("in.a.file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("T", "in.the.environment")
	type begun struct {
		config.Begun
		token string
	}
	for text, want := range map[string]begun{
		"host:\n  url: http://h:8123\n  token_file: t\n": {config.Begun{URL: "http://h:8123",
			TokenFile: filepath.Join(dir, "t")}, "in.a.file"},
		"host: {url: http://h, token_env: T, insecure: true}\nlines: [{tcp: a}, {tcp: b}]\nother: 1\n": {config.Begun{
			URL: "http://h", Insecure: true, Lines: 2}, "in.the.environment"},
		"host: {token: in.the.text}\n":  {config.Begun{}, "in.the.text"},
		"host: {token_file: missing}\n": {config.Begun{TokenFile: filepath.Join(dir, "missing")}, ""},
		"host: {token: rubbish}\n":      {},
		"host: none\n":                  {},
		"- no mapping\n":                {},
		"":                              {},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := config.ReadBegun(path)
		token := got.Token.Reveal()
		if got.Token = (want.Token); err != nil || got != want.Begun || token != want.token {
			t.Errorf("%q: %+v, %q, %v", text, got, token, err)
		}
	}
	if err := os.WriteFile(path, []byte("host: {\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.ReadBegun(path); err == nil {
		t.Error("what is not YAML is read")
	}
}

func TestSetHost(t *testing.T) {
	const url, file = "http://new:8123", "token.txt"
	for text, want := range map[string]string{
		"":            "host:\n  url: http://new:8123\n  token_file: token.txt\n",
		"lines: []\n": "host:\n  url: http://new:8123\n  token_file: token.txt\nlines: []\n",
		"host: {url: http://a, token: paste.the.token} # mine\n": "host: {url: http://new:8123, token_file: " +
			"token.txt} # mine\n",
		"# my house\nhost:\n  url: http://a   # at home\n  token: paste.the.token   # secret\n": "# my house\nhost:\n" +
			"  url: http://new:8123   # at home\n  token_file: token.txt   # secret\n",
		"host:\n  url: http://new:8123\n  token_file: other\nname: x\n": "host:\n  url: http://new:8123\n" +
			"  token_file: token.txt\nname: x\n",
		"host:\n  insecure: true\n": "host:\n  insecure: true\n  token_file: token.txt\n  url: http://new:8123\n",
	} {
		got, err := config.SetHost("x.yaml", []byte(text), url, file, false)
		if err != nil || string(got) != want {
			t.Errorf("%q becomes\n%s%v", text, got, err)
		}
	}
	got, err := config.SetHost("x.yaml", nil, url, file, true)
	if want := "host:\n  url: http://new:8123\n  insecure: true\n  token_file: token.txt\n"; err != nil ||
		string(got) != want {
		t.Errorf("%s%v", got, err)
	}
	for _, text := range []string{"- a\n", "host: none\n", "host: [a]\n", "host: {\n"} {
		if got, err := config.SetHost("x.yaml", []byte(text), url, file, false); err == nil {
			t.Errorf("%q becomes\n%s", text, got)
		}
	}
}
