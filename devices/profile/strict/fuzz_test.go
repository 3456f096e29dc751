package strict

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse reads any bytes and asks every node for everything: nothing panics, each place lies in the file, a file
// without a tree has a finding, and the same bytes give the same findings.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a: 1\nb: [x, {y: z}]\n", "a: 010\na: &x 1\nb: *x\n<<: {c: !t 1}\n",
		"? a\n: b\n---\n- - |\n  x\n", "a:\n\tb\n", "[[{a: [",
		"%YAML 1.2\n---\n\"a\\u00e4\": 'b'\r\n", "a: >-\n  b\n\n  c\nd: \"e\n  f\"\n", "- a: 1\n  b:\n  - \n-\n",
		"a: 1\n b: 2\n", "\uFEFFa: {b, c: }\n"} {
		f.Add([]byte(seed))
	}
	maps, err := filepath.Glob("../maps/*.yaml")
	if err != nil || len(maps) == 0 {
		f.Fatalf("no profiles as seeds: %v", err)
	}
	for _, name := range maps {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 4000)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, report := Parse("f.yaml", data)
		if root == nil && report.Err() == nil {
			t.Fatal("neither a tree nor a finding")
		}
		ask(root)
		lines := strings.Split(strings.TrimPrefix(string(data), "\uFEFF"), "\n")
		var found Findings
		errors.As(report.Err(), &found)
		for _, x := range found {
			if x.Line < 1 || x.Column < 1 || x.Line > len(lines)+1 || x.What == "" {
				t.Errorf("%v lies outside of %d lines", x, len(lines))
			}
			if x.Line <= len(lines) && x.Column > utf8.RuneCountInString(lines[x.Line-1])+2 {
				t.Errorf("%v lies behind the end of line %q", x, lines[x.Line-1])
			}
		}
		again, second := Parse("f.yaml", data)
		ask(again)
		var repeated Findings
		errors.As(second.Err(), &repeated)
		if !slices.Equal(found, repeated) {
			t.Errorf("first %v, then %v", found, repeated)
		}
	})
}

// ask calls every getter of every node.
func ask(n *Node) {
	n.Text()
	n.Raw()
	n.Int(0, 100)
	n.Uint(65535)
	n.Float()
	n.Bool()
	n.Duration(0, time.Hour)
	n.OneOf("a", "b")
	n.Fields("a", "unit").Need("c")
	for _, e := range n.Entries() {
		ask(e.Key)
		ask(e.Value)
	}
	for _, item := range n.Items() {
		ask(item)
	}
}
