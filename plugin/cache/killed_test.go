package cache

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childEnv names the folder that a child process writes to until it is killed.
const childEnv = "CACHE_TEST_CHILD"

// child writes batches and tells of each that is acknowledged.
func child(dir string) {
	s, _, err := Open(dir, nobody)
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

		s, told, err := Open(dir, nobody)
		if err != nil {
			t.Fatal(err)
		}
		if told != nil && !errors.Is(told, errUnfinished) { // the batch that was being written
			t.Fatal(told)
		}
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
