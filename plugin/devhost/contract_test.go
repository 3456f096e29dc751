package devhost_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
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

const goldenFile = "testdata/contract.txt"

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
	} else if *write {
		t.Fatal("-write needs HASS_URL and HASS_TOKEN")
	}
	tag := newTag()
	golden := readGolden(t)
	for _, s := range sides {
		for i, c := range contractCases {
			t.Run(s.name+"/"+c.name, func(t *testing.T) {
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
			})
		}
	}
	if *write {
		writeGolden(t, golden)
	}
}

// newTag returns what is in the names of one run: a real Home Assistant remembers those of earlier ones.
func newTag() string { return fmt.Sprintf("x%xz", time.Now().UnixMilli()&0xffffffff) }

// development starts a development host that ends with the test. A restart keeps the address and what survives it.
func development(t *testing.T) side {
	sentences, err := companion.Sentences()
	if err != nil {
		t.Fatal(err)
	}
	options := devhost.Options{Token: "owner's token", Texts: sentences}
	var now atomic.Pointer[devhost.Host]
	now.Store(devhost.New(options))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now.Load().Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { now.Load().Close() })
	return side{name: "devhost", url: server.URL, token: options.Token,
		restart: func(*testing.T) {
			options.Before = now.Load()
			options.Before.Close()
			now.Store(devhost.New(options))
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
	line := func(of []string, i int) string { return strings.Join(of[min(i, len(of)):min(i+1, len(of))], "") }
	var out strings.Builder
	for i := range max(len(a), len(b)) {
		if x, y := line(a, i), line(b, i); x != y {
			fmt.Fprintf(&out, "- %s\n+ %s\n", x, y)
		}
	}
	return out.String()
}
