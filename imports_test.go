package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says which of our packages each package may import. The package of main.go is "". The directions make sure
// that the host side knows nothing of Modbus, and a line nothing of the host.
var arrows = map[string][]string{
	"": {"plugin/cli"},
	"plugin/cli": {"devices", "devices/profile", "devices/profile/strict", "devices/scan", "plugin", "plugin/cache",
		"plugin/companion", "plugin/config", "plugin/control", "plugin/demo", "plugin/devhost", "plugin/doctor",
		"plugin/forecast", "plugin/host", "plugin/ledger", "plugin/lock", "plugin/search", "plugin/web", "protocol",
		"protocol/codec", "protocol/sim"},
	"plugin": {"devices", "devices/profile", "plugin/cache", "plugin/config", "plugin/control", "plugin/doctor",
		"plugin/host", "plugin/hub", "plugin/ledger", "plugin/lock", "plugin/operate", "protocol", "protocol/codec"},
	"plugin/operate": {"devices", "devices/profile", "devices/profile/strict", "plugin/control", "plugin/doctor",
		"plugin/host", "plugin/hub", "plugin/ledger", "protocol", "protocol/codec"},
	"plugin/config": {"plugin/host", "devices", "devices/profile", "devices/profile/strict", "protocol",
		"protocol/link", "protocol/codec", "protocol/plan"},
	"plugin/forecast": {"plugin/config", "devices", "devices/profile", "protocol", "protocol/plan"},
	"plugin/doctor": {"plugin/config", "plugin/lock", "devices", "devices/clock", "devices/scan", "devices/profile",
		"devices/profile/strict",
		"protocol", "protocol/codec"},
	"plugin/search":  {"plugin/config", "plugin/lock", "devices/profile", "devices/scan", "protocol", "protocol/link"},
	"plugin/control": {"protocol"},
	"plugin/ledger":  {"plugin/host"},
	"plugin/hub": {"plugin/host", "plugin/ledger", "devices", "devices/plausible", "devices/profile",
		"devices/profile/strict", "protocol",
		"protocol/codec"},
	"plugin/lock":    {},
	"plugin/devhost": {"plugin/host", "plugin/web"},
	"plugin/demo": {"devices/profile", "devices/profile/strict", "protocol", "protocol/codec",
		"protocol/sim", "devices/simulate"},
	"plugin/host":           {},
	"plugin/host/waytest":   {},
	"plugin/cache":          {"plugin/lock"},
	"plugin/cache/disktest": {},
	"plugin/web":            {},
	"plugin/web/webtest":    {},
	"plugin/companion":      {},
	"plugin/cli/persontest": {},
	"devices": {"devices/clock", "devices/plausible", "devices/poll", "devices/write", "devices/ask", "devices/profile",
		"protocol",
		"protocol/plan", "protocol/codec"},
	"devices/clock":     {"protocol/codec"},
	"devices/plausible": {"devices/profile", "protocol/codec"},
	"devices/poll":      {"devices/ask", "devices/profile", "protocol", "protocol/plan", "protocol/codec"},
	"devices/write":     {"devices/ask", "devices/clock", "devices/profile", "protocol", "protocol/codec"},
	"devices/ask":       {"devices/profile", "protocol", "protocol/codec"},
	"devices/scan":      {"devices", "devices/ask", "devices/profile", "protocol", "protocol/codec"},
	"devices/simulate": {"devices/profile", "devices/profile/strict", "protocol", "protocol/codec",
		"protocol/sim", "devices/clock"},
	"devices/profile":             {"devices/profile/strict", "protocol", "protocol/codec"},
	"devices/profile/strict":      {},
	"devices/profile/facts":       {"devices/profile", "protocol/codec"},
	"devices/profile/facts/draft": {"devices/profile", "devices/profile/facts", "devices/profile/strict"},
	"protocol":                    {},
	"protocol/link":               {"protocol"},
	"protocol/plan":               {"protocol", "protocol/codec"},
	"protocol/sim":                {"protocol", "protocol/codec"},
	"protocol/sim/simtest":        {"protocol/sim"},
	"protocol/codec":              {},
	"protocol/conformance":        {},
}

// homes says which of our packages may import a module. Tests may import any, except for zerolog/log.
var homes = map[string][]string{
	"github.com/coder/websocket":     {"plugin/host", "plugin/devhost"},
	"github.com/goburrow/modbus":     {"protocol/link"},
	"github.com/dgraph-io/badger/v4": {"plugin/cache"},
	"go.yaml.in/yaml/v4":             {"devices/profile/strict"},
	"github.com/spf13/cobra":         {"plugin/cli"},
	"github.com/rs/zerolog/log":      {},
	"github.com/cenkalti/backoff/v5": {"protocol", "plugin/host"},
	"github.com/Microsoft/go-winio":  {"plugin/control"},
}

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func packages(t *testing.T) (all []listed) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func short(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, "solarhub"), "/")
}

func TestImportDirections(t *testing.T) {
	for _, p := range packages(t) {
		from := short(p.ImportPath)
		allowed, known := arrows[from]
		if !known {
			t.Errorf("package %q is new: say in arrows what it may import", from)
		}
		for _, path := range p.Imports {
			if to := short(path); strings.HasPrefix(path, "solarhub") && !slices.Contains(allowed, to) {
				t.Errorf("%q imports %q: the arrow points the wrong way; allowed are %q", from, to, allowed)
			}
			for module, home := range homes {
				if (path == module || strings.HasPrefix(path, module+"/")) && !slices.Contains(home, from) {
					t.Errorf("%q imports %s, which is at home in %q only", from, path, home)
				}
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if path == "github.com/rs/zerolog/log" {
				t.Errorf("a test of %q uses the global logger; hand one over instead", from)
			}
		}
	}
}

// topLevel is what the product is made of, and what tools need in this place.
var topLevel = []string{"main.go", "plugin", "protocol", "devices", "manifest.json", "go.mod", "go.sum", "README.md",
	"LICENSE", "hacs.json"}

func TestTopLevelStaysSmall(t *testing.T) {
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("this is not a git checkout, so there is no list of files to look at")
	}
	if _, err := os.Stat("go.mod"); err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		top, _, deeper := strings.Cut(path, "/")
		if !slices.Contains(topLevel, top) && !strings.HasPrefix(top, ".") &&
			(deeper || !strings.HasSuffix(top, "_test.go")) {
			t.Errorf("%s does not belong to the top level; allowed are %q, dot-files and tests", top, topLevel)
		}
	}
}
