package hub

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCatalogue checks the definitions of every device of every shipped profile, and holds those of an inverter and of
// a meter to golden files: what a host keeps under an id must not change by accident.
func TestCatalogue(t *testing.T) {
	families, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for i, traits := range family.Cases() {
			variant := family.TraitsText(traits)
			name := strings.TrimSuffix(family.ID+"-"+variant, "-")
			t.Run(name, func(t *testing.T) {
				points, err := family.ResolveNamed(variant)
				if err != nil {
					t.Fatal(err)
				}
				who := devices.Identity{Serial: "SN1", Model: "M1", Traits: variant, Version: "7"}
				got := describe(family, "Name", who, devices.EntitiesOf(who.Serial, points))
				checkDefinitions(t, got)
				var text bytes.Buffer
				text.WriteString("{\"devices\": [\n")
				writeList(t, &text, got.Devices)
				text.WriteString("], \"entities\": [\n")
				writeList(t, &text, got.Entities)
				text.WriteString("]}\n")
				if i == 0 && (family.ID == "deye" || family.ID == "iammeter") { // all would fill megabytes
					golden(t, family.ID+".json", text.Bytes())
				}
			})
		}
	}
}

// writeList writes one item a line, so that a change shows as one line.
func writeList[T any](t *testing.T, w *bytes.Buffer, items []T) {
	t.Helper()
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for i, item := range items {
		if i > 0 {
			w.WriteString(",")
		}
		if err := e.Encode(item); err != nil {
			t.Fatal(err)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "catalogue", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s:%d (go test -update writes it anew)\n got %s\nwant %s", file, i+1, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		t.Errorf("%s has %d lines, not %d", file, len(b), len(a))
	}
}

// checkDefinitions checks what PROTOCOL.md, section 3, demands.
func checkDefinitions(t *testing.T, d host.Definitions) {
	t.Helper()
	known, ids := map[string]bool{}, map[string]bool{}
	for i, dev := range d.Devices {
		if known[dev.ID] || dev.Name == "" || (dev.Via == "") != (i == 0) || dev.Via != "" &&
			!strings.HasPrefix(dev.ID, dev.Via+"/") {
			t.Errorf("device %+v", dev)
		}
		known[dev.ID] = true
	}
	for _, e := range d.Entities {
		if ids[e.ID] || !known[e.Device] || e.Name == "" || e.Platform == "sensor" && e.Category == "config" {
			t.Errorf("entity %+v", e)
		}
		if (e.Platform == "number") != (e.Min != nil && e.Max != nil && e.Step != nil) {
			t.Errorf("limits of %+v", e)
		}
		if (e.Platform == "text") != (e.MaxLength != nil) || e.Platform == "select" && len(e.Options) == 0 {
			t.Errorf("entity %+v", e)
		}
		ids[e.ID] = true
	}
	if _, err := host.Hash(d.Devices, d.Entities); err != nil {
		t.Error(err)
	}
}
