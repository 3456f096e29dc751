package devhost_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"solarhub/plugin/companion"
	"solarhub/plugin/devhost"
)

// The contract suite: what a plugin and the page rely on in a host. The same cases run against the development host
// and, where HASS_URL and HASS_TOKEN name one, against a real Home Assistant with the real companion. A case does
// things over WebSocket, as plugin and as person, and writes down what it sees; what must be seen is in
// testdata/contract.txt, which was seen at a real Home Assistant:
//
//	HASS_URL=... HASS_TOKEN=... go test ./plugin/devhost -run TestContract -write
var write = flag.Bool("write", false, "write testdata/contract.txt anew, from what is seen at the real Home Assistant")

const (
	goldenFile = "testdata/contract.txt"
	written    = "2026.11" // the release that it was seen at
)

// side is a host that the cases run against.
type side struct {
	name, url, token string
	client           *http.Client // nil: the usual one
	restart          func(t *testing.T)
	disable          func(b *bench, entityID string) // as the owner does in the entity's settings
	remove           func(b *bench)                  // the device of the case, as its owner
}

// a contractCase does something and writes down what it sees.
type contractCase struct {
	name string
	run  func(b *bench)
}

func TestContract(t *testing.T) {
	sides := []side{development(t)}
	if core, ok := realCore(t); ok {
		sides = append(sides, core)
		prepare(t, core)
	} else if *write {
		t.Fatal("-write needs HASS_URL and HASS_TOKEN")
	}
	tag := newTag()
	golden := readGolden(t)
	outcome := map[string]map[string]string{}
	for _, s := range sides {
		outcome[s.name] = map[string]string{}
		for i, c := range contractCases {
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
				outcome[s.name][c.name] = "FAILED"
				b := &bench{t: t, side: s, tag: fmt.Sprintf("%sq%d", tag, i)}
				c.run(b)
				b.end()
				seen := b.seen.String()
				if *write && s.name == "core" {
					golden[c.name] = seen
				}
				if want := golden[c.name]; seen != want && !*write {
					t.Errorf("seen is not what a real Home Assistant shows:\n%s", difference(want, seen))
				}
				if !t.Failed() {
					outcome[s.name][c.name] = "ok"
				}
			})
		}
	}
	if *write {
		writeGolden(t, golden)
	}
	t.Log("\n" + report(sides, outcome))
}

// newTag returns what is in the names of one run: a real Home Assistant remembers those of earlier ones.
func newTag() string { return fmt.Sprintf("x%xz", time.Now().UnixMilli()&0xffffffff) }

// development starts a development host that ends with the test. A restart keeps the address and what the file holds.
func development(t *testing.T) side {
	sentences, err := companion.Sentences()
	if err != nil {
		t.Fatal(err)
	}
	options := devhost.Options{Token: "owner's token", File: filepath.Join(t.TempDir(), "host.json"), Texts: sentences}
	start := func() *devhost.Host {
		h, err := devhost.New(options)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	var now atomic.Pointer[devhost.Host]
	now.Store(start())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now.Load().Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { now.Load().Close() })
	return side{name: "devhost", url: server.URL, token: options.Token,
		restart: func(*testing.T) {
			now.Load().Close()
			now.Store(start())
		},
		disable: func(b *bench, entityID string) {
			if err := now.Load().SetDisabled(entityID, true); err != nil {
				b.t.Error(err)
			}
		},
		remove: func(b *bench) { now.Load().RemoveDevice("D" + b.tag) },
	}
}

func realCore(t *testing.T) (side, bool) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	s := side{name: "core", url: os.Getenv("HASS_URL"), token: os.Getenv("HASS_TOKEN")}
	s.disable = func(b *bench, entityID string) {
		b.person().ask("config/entity_registry/update", object{"entity_id": entityID, "disabled_by": "user"})
		b.until("the disabled entity", func() bool { return b.state(entityID) == "none" })
	}
	s.remove = func(b *bench) {
		entries := first(b.person().ask("config_entries/get", object{"domain": "solarhub"})).([]any)
		b.person().ask("config/device_registry/remove_config_entry",
			object{"device_id": b.device(), "config_entry_id": entries[0].(object)["entry_id"]})
	}
	s.restart = func(t *testing.T) {
		b := &bench{t: t, side: s}
		b.person().send("call_service", object{"domain": "homeassistant", "service": "restart"})
		b.person().closed()
		b.end()
		for began := time.Now(); ; time.Sleep(200 * time.Millisecond) { // a real process: its clock is not the test's
			if time.Since(began) > 2*time.Minute {
				t.Fatal("Home Assistant does not come back")
			}
			if running(s) {
				return
			}
		}
	}
	return s, s.url != "" && s.token != ""
}

// prepare gives a real Home Assistant the time of grace that it has by default, and in the end what it had.
func prepare(t *testing.T, s side) {
	const wanted = 30_000
	b := &bench{t: t, side: s}
	defer b.end()
	hello := first(b.person().ask("solarhub/hello", helloOf("grace", 1))).(object)
	if version := fmt.Sprint(hello["ha_version"]); !strings.HasPrefix(version, written) {
		t.Logf("%s is of Home Assistant %s, this one is %s: what its own parts say may be another", goldenFile, written,
			version)
	}
	had := hello["grace_ms"].(float64)
	if had == wanted {
		return
	}
	entries := first(b.person().ask("config_entries/get", object{"domain": "solarhub"})).([]any)
	set := func(b *bench, ms float64) {
		const flow = "/api/config/config_entries/options/flow"
		_, form := b.request(http.MethodPost, flow, object{"handler": entries[0].(object)["entry_id"]})
		if status, reply := b.request(http.MethodPost, fmt.Sprint(flow, "/", form.(object)["flow_id"]),
			object{"grace": ms / 1000}); status != http.StatusOK {
			t.Fatalf("set the grace: %d %v", status, reply)
		}
	}
	set(b, wanted)
	t.Cleanup(func() { set(&bench{t: t, side: s}, had) })
}

// request uses the REST API and returns status and body.
func (b *bench) request(method, path string, body any) (int, any) {
	b.t.Helper()
	text, _ := json.Marshal(body)
	ctx, cancel := b.context()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, b.side.url+path, strings.NewReader(string(text)))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.side.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, _ := io.ReadAll(answer.Body)
	var v any
	if json.Unmarshal(got, &v) != nil {
		v = string(got)
	}
	return answer.StatusCode, v
}

// running reports whether a real Home Assistant has started.
func running(s side) bool {
	r, err := http.NewRequest(http.MethodGet, s.url+"/api/config", nil)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var config struct{ State string }
	return json.NewDecoder(answer.Body).Decode(&config) == nil && config.State == "RUNNING"
}

// report says for each case how it ended on each side.
func report(sides []side, outcome map[string]map[string]string) string {
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line := func(name string, of func(side) string) {
		fmt.Fprint(w, name)
		for _, s := range sides {
			fmt.Fprintf(w, "\t%s %s", s.name, of(s))
		}
		fmt.Fprintln(w)
	}
	for _, c := range contractCases {
		line(c.name, func(s side) string { return outcome[s.name][c.name] })
	}
	line(fmt.Sprintf("%d cases", len(contractCases)), func(s side) string {
		n := 0
		for _, how := range outcome[s.name] {
			if how == "ok" {
				n++
			}
		}
		return fmt.Sprintf("%d ok", n)
	})
	w.Flush()
	return out.String()
}

func readGolden(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	text, err := os.ReadFile(goldenFile)
	if err != nil && !*write {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n== ")[1:] {
		name, seen, _ := strings.Cut(part, "\n")
		all[name] = strings.TrimSuffix(seen, "\n") + "\n"
		if strings.TrimSpace(seen) == "" {
			all[name] = ""
		}
	}
	return all
}

func writeGolden(t *testing.T, all map[string]string) {
	t.Helper()
	var out strings.Builder
	for _, c := range contractCases {
		fmt.Fprintf(&out, "== %s\n%s", c.name, all[c.name])
	}
	if err := os.MkdirAll(filepath.Dir(goldenFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// difference shows the lines that are not the same.
func difference(want, seen string) string {
	a, b := strings.Split(want, "\n"), strings.Split(seen, "\n")
	var out strings.Builder
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			fmt.Fprintf(&out, "- %s\n+ %s\n", x, y)
		}
	}
	return out.String()
}
