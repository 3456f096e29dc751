package cache

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// childEnv names the folder that a child process writes to until it is killed.
const childEnv = "CACHE_TEST_CHILD"

// child writes batches and tells of each that is acknowledged.
func child(dir string) {
	s, _, err := Open(dir, zerolog.Nop())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for n := 1; ; n++ {
		batch := map[string][]byte{}
		for k := range 50 {
			batch[fmt.Sprintf("key-%d", k)] = fmt.Appendf(nil, "%d %s", n, strings.Repeat("v", 150))
		}
		if err := s.Put(batch); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var last string
		lines := bufio.NewScanner(out)
		for want := 40 * (round + 1); want > 0 && lines.Scan(); want-- {
			last = lines.Text()
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what was acknowledged before it died
			last = lines.Text()
		}
		_ = c.Wait() // killed

		s := opened(t, dir)
		got := all(t, s, "")
		if len(got) != 50 {
			t.Errorf("round %d: %d keys", round, len(got))
		}
		var acknowledged int
		if _, err := fmt.Sscan(last, &acknowledged); err != nil {
			t.Fatalf("the child says %q", last)
		}
		batches := map[string]bool{}
		for k, v := range got {
			n, _, _ := strings.Cut(v, " ")
			batches[n] = true
			var number int
			if _, err := fmt.Sscan(n, &number); err != nil || number < acknowledged {
				t.Fatalf("round %d: %s is of batch %s, acknowledged was %d", round, k, n, acknowledged)
			}
		}
		if len(batches) != 1 {
			t.Errorf("round %d: values of %d batches: a batch was torn", round, len(batches))
		}
		closed(t, s)
	}
}

// A process that is killed while Badger makes a log leaves a file without a byte: that is no damage.
func TestKilledWhileALogIsMade(t *testing.T) {
	for _, name := range []string{"00001.mem", "99999.mem", "000099.vlog"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := opened(t, dir)
			put(t, s, map[string]string{"k": "v"})
			closed(t, s)
			if err := os.WriteFile(filepath.Join(dir, content, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s = opened(t, dir)
			defer closed(t, s)
			if got := all(t, s, ""); got["k"] != "v" {
				t.Errorf("the cache holds %v", got)
			}
		})
	}
}

// damages are ways in which a disk or a person spoils a cache.
var damages = map[string]func(t *testing.T, files map[string][]string){
	"manifest overwritten": func(t *testing.T, f map[string][]string) { overwrite(t, f["MANIFEST"], 0) },
	"manifest cut":         func(t *testing.T, f map[string][]string) { cut(t, f["MANIFEST"], 3) },
	"table overwritten":    func(t *testing.T, f map[string][]string) { overwrite(t, f[".sst"], 200) },
	"table cut":            func(t *testing.T, f map[string][]string) { cut(t, f[".sst"], 100) },
	"table gone": func(t *testing.T, f map[string][]string) {
		for _, name := range f[".sst"] {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	},
	"registry overwritten": func(t *testing.T, f map[string][]string) { overwrite(t, f["KEYREGISTRY"], 0) },
}

func overwrite(t *testing.T, names []string, from int) {
	t.Helper()
	if len(names) == 0 {
		t.Fatal("there is no such file to spoil")
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i < len(data); i++ {
			data[i] ^= 0xA5
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, names []string, to int64) {
	t.Helper()
	if len(names) == 0 {
		t.Fatal("there is no such file to cut")
	}
	for _, name := range names {
		if err := os.Truncate(name, to); err != nil {
			t.Fatal(err)
		}
	}
}

// filled makes a cache with a table on the disk and returns its files by name or extension.
func filled(t *testing.T, dir string) map[string][]string {
	t.Helper()
	s := opened(t, dir)
	for n := range 30 {
		batch := map[string]string{}
		for k := range 100 {
			batch[fmt.Sprintf("key-%d-%d", n, k)] = strings.Repeat("v", 300)
		}
		put(t, s, batch)
	}
	closed(t, s)
	files := map[string][]string{}
	entries, err := os.ReadDir(filepath.Join(dir, content))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		kind := e.Name()
		if x := filepath.Ext(kind); x != "" {
			kind = x
		}
		files[kind] = append(files[kind], filepath.Join(dir, content, e.Name()))
	}
	return files
}

func TestDamageIsSetAside(t *testing.T) {
	for name, spoil := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := filled(t, dir)
			stale := filepath.Join(dir, aside+"20200101-000000.000")
			if err := os.Mkdir(stale, 0o700); err != nil {
				t.Fatal(err)
			}
			spoil(t, files)
			s, damage, err := Open(dir, zerolog.Nop())
			if err != nil {
				t.Fatal(err)
			}
			if damage == nil || damage.Err == nil {
				t.Fatal("the damage is not told")
			}
			t.Logf("told: %v", damage.Err)
			if left, err := os.ReadDir(damage.Aside); err != nil || len(left) == 0 {
				t.Errorf("set aside: %d files, %v", len(left), err)
			}
			if _, err := os.Stat(stale); err == nil {
				t.Error("an older damaged folder is still there")
			}
			if got := all(t, s, ""); len(got) != 0 {
				t.Errorf("%d values in the new cache", len(got))
			}
			put(t, s, map[string]string{"k": "v"})
			closed(t, s)
			s = opened(t, dir)
			defer closed(t, s)
			if got := all(t, s, ""); got["k"] != "v" {
				t.Errorf("the new cache holds %v", got)
			}
		})
	}
}
