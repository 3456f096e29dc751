package devhost

import (
	"path/filepath"
	"strings"
	"testing"

	"solarhub/plugin/host"
)

func TestDefinitionsAreKeptInAFile(t *testing.T) {
	file := File(filepath.Join(t.TempDir(), "definitions.json"))
	h, open := listen(t, Options{Memory: file})
	open("token").plug()
	if err := h.SetDisabled("SN1_mode", true); err != nil {
		t.Fatal(err)
	}
	h.Close()
	h, open = listen(t, Options{Memory: file})
	if s, ok := h.State("number.inverter_limit"); !ok || s.State != Unavailable {
		t.Errorf("after a restart: %+v", s)
	}
	if _, ok := h.State("SN1_mode"); ok {
		t.Error("a disabled entity came back")
	}
	result := open("token").ok(host.CommandHello, hello(1))
	if !strings.Contains(result, `"hash":"h1"`) || !strings.Contains(result, `"disabled":["SN1_mode","SN1_power"]`) {
		t.Errorf("hello answers %s", result)
	}
	if _, err := New(Options{Memory: File(t.TempDir())}); err == nil {
		t.Error("a folder is taken for a file")
	}
}
