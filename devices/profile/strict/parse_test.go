package strict

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// findings returns what is wrong with a text, without the file's name, one a line.
func findings(t *testing.T, report *Report) string {
	t.Helper()
	err := report.Err()
	if err == nil {
		return ""
	}
	var all Findings
	if !errors.As(err, &all) {
		t.Fatalf("Err() is %T, not Findings", err)
	}
	return strings.ReplaceAll(all.Error(), "f.yaml:", "")
}

// What is wrong with the YAML itself, or is YAML that this package refuses, is found by Parse alone.
func TestParseFindings(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"good", "a: 1\nb: [x, {y: z}]\n", ""},
		{"flow over lines", "a: {\n  b: 1,\n  c: [2,\n 3],\n}\n", ""},
		{"header and end", "---\na: 1\n...\n", ""},
		{"comments", "# one\na: 1 # two\n\n# three\n", ""},
		{"crlf", "a: 1\r\nb:\r\n  - x\r\n", ""},
		{"byte order mark", "\uFEFFa: 1\n", ""},
		{"odd keys", "null: 1\n~: 2\ntrue: 3\n1.5: 4\n0x1: 5\n-1: 6\n'': 7\n", ""},
		{"escapes", `a: "\\x \u00e4 \x41 \U0001F600 \" \\u"` +
			"\nb: 'c:\\u1'\nc: c:\\u1\n# \"\\u1\nd: >\n  \"\\u\"\n\ne: \"\\x41\n  ä\"\nf: \"\"\n", ""},
		{"escape without its digits", "ä: \"x\\u12\nb\"\n",
			"1:4: this is not YAML: an escape without its hexadecimal digits: \\x has 2, \\u 4, \\U 8"},
		{"escape with other digits", "a: [b, \"\\xg1\"]\r\n",
			"1:8: this is not YAML: an escape without its hexadecimal digits: \\x has 2, \\u 4, \\U 8"},
		{"lines lost in a broken escape", "\n\"0\\u--\n\"a\\u0ae4\":('",
			"2:1: this is not YAML: an escape without its hexadecimal digits: \\x has 2, \\u 4, \\U 8"},
		{"empty", "", "1:1: the file is empty"},
		{"blank", "\n \n", "1:1: the file is empty"},
		{"comment only", "# nothing\n", "1:1: the file is empty"},
		{"header only", "---\n", "1:1: the file is empty"},
		{"end only", "...\n", "1:1: the file is empty"},
		{"null only", "~\n", "1:1: the file is empty"},
		{"duplicate", "a: 1\nb: 2\na: 3\n", "3:1: key \"a\" stands here again; it is in line 1 already"},
		{"duplicates everywhere", "a: {b: 1, b: 2}\nc:\n  - d: 1\n    d: 2\na: [\n  {e: 1, e: 1}]\n",
			"1:11: key \"b\" stands here again; it is in line 1 already\n4:5: key \"d\" stands here again; it is in " +
				"line 3 already\n" +
				"5:1: key \"a\" stands here again; it is in line 1 already\n6:10: key \"e\" stands here again; it " +
				"is in line 6 already"},
		{"duplicate in quotes", "a: 1\n\"a\": 2\n", "2:1: key \"a\" stands here again; it is in line 1 already"},
		{"anchor, alias, merge", "a: &x {b: 1}\nc: *x\nd:\n  <<: {e: 1}\n",
			"1:4: anchors (&) are not used here: write the value out where it belongs\n" +
				"2:4: aliases (*) are not used here: write the value out; a text that begins with * needs quotes\n" +
				"4:3: merge keys (<<) are not used here: write the values out"},
		{"findings behind a refusal", "a: &x {b: 1, b: 2}\n<<: {c: 1, c: 2}\n",
			"1:4: anchors (&) are not used here: write the value out where it belongs\n1:14: key \"b\" stands here " +
				"again; it is in line 1 already\n" +
				"2:1: merge keys (<<) are not used here: write the values out\n2:12: key \"c\" stands here again; " +
				"it is in line 2 already"},
		{"tag", "a: !!str 5\nb: !secret x\n",
			"1:4: tags (!) are not used here: leave it out; a text that begins with ! needs quotes\n" +
				"2:4: tags (!) are not used here: leave it out; a text that begins with ! needs quotes"},
		{"question mark", "? a\n: 1\nb: 2\n", "1:1: keys behind ? are not used here: write \"key: value\""},
		{"alias as key", "a: &x y\n*x : 1\n",
			"1:4: anchors (&) are not used here: write the value out where it belongs\n" +
				"2:1: aliases (*) are not used here: write the value out; a text that begins with * needs quotes"},
		{"directive", "%YAML 1.2\n---\na: 1\n", "1:1: directives (%) are not used here: leave the line out"},
		{"second document", "a: 1\n---\nb: 2\n", "2:1: a second document begins here; the file may hold one only"},
		{"second empty document", "a: 1\n---\n", "2:1: a second document begins here; the file may hold one only"},
		{"third document", "a: 1\n---\nb: 2\n---\nc: 3\n",
			"2:1: a second document begins here; the file may hold one only"},
		{"tab", "a:\n\tb: 1\n", "2:1: this is not YAML: a tab; indent with spaces"},
		{"two tabs", "a:\n\tb: 1\n\tc: 2\n",
			"2:1: this is not YAML: a tab; indent with spaces\n3:1: this is not YAML: a tab; indent with spaces"},
		{"colon", "name: Grid: voltage\n",
			"1:11: this is not YAML: a second colon in one line, or a wrong indentation; a text with \": \" in it " +
				"needs quotes"},
		{"indentation", "a: 1\n b: 2\n",
			"2:3: this is not YAML: a second colon in one line, or a wrong indentation; a text with \": \" in it " +
				"needs quotes"},
		{"value between keys", "a: 1\nb\nc: 2\n", "2:1: this is not YAML: a value where \"key: value\" is wanted"},
		{"open single quote", "a: 'x\n", "1:4: this is not YAML: the closing quote is missing"},
		{"open double quote", "a: \"x\n", "1:4: this is not YAML: the closing quote is missing"},
		{"open list", "a: [1, 2\n", "1:4: this is not YAML: the closing ] or a comma is missing"},
		{"open map", "a: {b: 2\n", "1:4: this is not YAML: the closing } or a comma is missing"},
		{"latin-1", "a: 1\nb: \xFC\n", "2:4: byte 0xFC is not UTF-8: save the file as UTF-8"},
		{"utf-16", "\xFF\xFEa\x00:\x00", "1:1: byte 0xFF is not UTF-8: save the file as UTF-8"},
		{"carriage return alone", "a: 1\r\nb: 2\rc: 3\n",
			"2:5: a carriage return without a line feed: save the file with the line ends of Unix or Windows"},
		{"line separator", "a: x\u2028b: y\n", "1:5: control character U+2028"},
		{"text that begins with @", "a: @x\n", "1:4: this is not YAML: a text that begins with @ needs quotes"},
		{"alias without anchor", "a: *x\n",
			"1:4: aliases (*) are not used here: write the value out; a text that begins with * needs quotes"},
		{"closed twice", "a: [1]]\n",
			"1:7: this is not YAML: a value where \"key: value\" is wanted; check the indentation"},
		{"list behind a key", "a: - b\n",
			"1:4: this is not YAML: a list cannot begin here: begin a new line before the -"},
		{"windows path", "a: \"C:\\dir\"\n",
			"1:4: this is not YAML: an unknown escape: in double quotes write \\\\ for a backslash, or use single " +
				"quotes"},
		{"a bad second document", "a: 1\n---\nb: [\n",
			"4:1: this is not YAML: a value or a closing bracket is missing here"},
		{"a list as key", "? [a]\n: 1\n", "1:1: keys behind ? are not used here: write \"key: value\""},
		{"control character", "ä: x\x00\n", "1:5: control character 0x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, report := Parse("f.yaml", []byte(c.yaml))
			if got := findings(t, report); got != c.want {
				t.Errorf("%q\n got: %s\nwant: %s", c.yaml, got, c.want)
			}
		})
	}
}

// Each node stands where a person sees its first character, also behind umlauts, comments, blocks and quotes.
func TestPositions(t *testing.T) {
	const text = "# head\n" +
		"ä: ü\r\n" +
		"flow: {b: ö, c: [d, \"e, f\"], ß: 'g'}  # tail\n" +
		"block: |\n  one\n  two\n" +
		"long: \"h\n  i\"\n" +
		"map:\n  j: 1\n  k:\n" +
		"list:\n- l\n-\n- m: 2\n  n: 3\n" +
		"last: o\n"
	root, report := Parse("f.yaml", []byte(text))
	if err := report.Err(); err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(n *Node, path string)
	walk = func(n *Node, path string) {
		got = append(got, fmt.Sprintf("%s %d:%d", path, n.Line, n.Column))
		if n.IsMap() {
			for _, e := range n.Entries() {
				if e.Key.Line != e.Value.Line {
					got = append(got, fmt.Sprintf("%s/%s: %d:%d", path, e.Key.Raw(), e.Key.Line, e.Key.Column))
				}
				walk(e.Value, path+"/"+e.Key.Raw())
			}
		}
		if n.IsList() {
			for i, item := range n.Items() {
				walk(item, fmt.Sprintf("%s/%d", path, i))
			}
		}
	}
	walk(root, "")
	want := []string{
		" 2:1", "/ä 2:4",
		"/flow 3:7", "/flow/b 3:11", "/flow/c 3:17", "/flow/c/0 3:18", "/flow/c/1 3:21", "/flow/ß 3:33",
		"/block 4:8", "/long 7:7",
		"/map: 9:1", "/map 10:3", "/map/j 10:6", "/map/k 11:3",
		"/list: 12:1", "/list 13:1", "/list/0 13:3", "/list/1 14:1", "/list/2 15:3", "/list/2/m 15:6", "/list/2/n 16:6",
		"/last 17:7",
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("got:\n%s\nwant:\n%s", a, b)
	}
}

// A file can be neither larger nor deeper than is read, and what repeats without end is only long.
func TestBounds(t *testing.T) {
	const deep = ": this is nested too deep"
	for _, c := range []struct{ name, yaml, want string }{
		{"lists in lists", strings.Repeat("[", 50_000), "1:33" + deep},
		{"maps in maps", strings.Repeat("{a: ", 10_000), "1:129" + deep},
		{"entries in entries", strings.Repeat("- ", 50_000), "1:65" + deep},
		{"questions", strings.Repeat("? ", 50_000), "1:65" + deep},
		{"stairs", stairs(maxDepth + 1), "33:34" + deep},
		{"ten megabytes", strings.Repeat("# 456789\n", 1<<20),
			"1:1: the file has 9437184 bytes; at most 1048576 are read"},
		{"one byte too many", strings.Repeat("#", maxBytes+1),
			"1:1: the file has 1048577 bytes; at most 1048576 are read"},
		{"as deep as may be", "a: " + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), ""},
		{"as many stairs as may be", stairs(maxDepth), ""},
		{"as many keys as may be", manyKeys(maxKeys), ""},
		{"many keys", manyKeys(60_000), "1:1: there are 120000 keys and values here; at most 2000 are read"},
		{"many items", "a:\n" + strings.Repeat("-\n", 100_000),
			"2:1: there are 100000 items here; at most 5000 are read"},
		{"many findings", strings.Repeat("a: 1\n", 900) + "b: [" + strings.Repeat("{a: 1, a: 1}, ", 200) + "]\n",
			thousand()},
		{"a long line", "a: [" + strings.Repeat("1, ", 1000) + "2]\nb: " + strings.Repeat("x", 1000) + " # " +
			strings.Repeat("y", 1000), ""},
		{"a comment far right", "a: 1\n" + strings.Repeat(" ", 300) + "# b\n", ""},
		{"a bomb of aliases", "a: &a [x, x]\nb: [*a, *a]\n",
			"1:4: anchors (&) are not used here: write the value out where it belongs\n" +
				"2:5: " + noAlias + "\n2:9: " + noAlias},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, report := Parse("f.yaml", []byte(c.yaml))
			if got := findings(t, report); got != c.want {
				t.Errorf("got %.200s, want %s", got, c.want)
			}
		})
	}
}

// thousand returns the findings of 900 keys a and more.
func thousand() string {
	var b strings.Builder
	for line := 2; line <= 900; line++ {
		fmt.Fprintf(&b, "%d:1: key \"a\" stands here again; it is in line 1 already\n", line)
	}
	for i := range maxFindings - 899 {
		fmt.Fprintf(&b, "901:%d: key \"a\" stands here again; it is in line 901 already\n", 12+14*i)
	}
	return b.String() + fmt.Sprintf("901:%d: there are more findings than these 1000", 12+14*(maxFindings-900))
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: v\n", i)
	}
	return b.String()
}

// stairs returns maps in maps, each a column further in.
func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
