package strict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds of a file: several times what the largest profile needs.
const (
	maxBytes = MaxFile
	maxDepth = 32    // mappings and lists in each other
	maxKeys  = 1_000 // of one mapping
	maxItems = 5_000 // of one list
)

// Parse reads one YAML document. The node is nil where the file cannot be read as YAML at all; what is wrong is in the
// report either way. A file that is not YAML has one such finding: the parser stops at the first. The file's name is
// for the findings only.
func Parse(file string, data []byte) (*Node, *Report) {
	report := &Report{file: file, all: map[Finding]struct{}{}}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !report.checkBytes(data) || !report.checkHead(data) {
		return nil, report
	}
	documents, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithUniqueKeys(false), yaml.WithPlugin(limits{}))
	if err != nil {
		panic(err) // an option of ours is wrong
	}
	var first, second yaml.Node
	if err := documents.Load(&first); err != nil && !errors.Is(err, io.EOF) {
		report.syntax(err, data)
		return nil, report
	}
	root := builder{report}.document(&first)
	switch err := documents.Load(&second); {
	case err == nil:
		report.add(second.Line, second.Column, "a second document begins here; the file may hold one only")
	case !errors.Is(err, io.EOF):
		report.syntax(err, data)
	}
	return root, report
}

// limits bounds the parser's depth.
type limits struct{}

func (limits) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > maxDepth {
		return errors.New(tooDeep)
	}
	return nil
}

// CheckAlias has nothing to do: aliases are refused and never followed.
func (limits) CheckAlias(int, int) error { return nil }

// checkBytes reports what the parser reads but people and editors do not see, and what is too large for it.
func (r *Report) checkBytes(data []byte) bool {
	if len(data) > maxBytes {
		r.add(1, 1, fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), maxBytes))
		return false
	}
	line, column := 1, 1
	for len(data) > 0 {
		char, size := rune(data[0]), 1
		if char >= ' ' && char < 0x7F {
			column++
			data = data[1:]
			continue
		}
		char, size = utf8.DecodeRune(data)
		if what := invisible(char, size, data); what != "" {
			r.add(line, column, what)
			return false
		}
		if char == '\n' {
			line, column = line+1, 0
		}
		column++
		data = data[size:]
	}
	return true
}

// invisible says what is wrong with the first character of data, of size bytes; nothing where it may stand in a file.
func invisible(char rune, size int, data []byte) string {
	switch {
	case char == '\r' && !bytes.HasPrefix(data, []byte("\r\n")):
		return "a carriage return without a line feed: save the file with the line ends of Unix or Windows"
	case char == utf8.RuneError && size == 1:
		return fmt.Sprintf("byte 0x%02X is not UTF-8: save the file as UTF-8", data[0])
	case char < ' ' && char != '\n' && char != '\r' && char != '\t', char == 0x7F:
		return fmt.Sprintf("control character 0x%02X", char)
	case char >= 0x80 && char < 0xA0, strings.ContainsRune("\u2028\u2029\uFEFF\uFFFE\uFFFF", char):
		return fmt.Sprintf("control character U+%04X", char)
	}
	return ""
}

// checkHead reports a directive, which can only stand before everything else.
func (r *Report) checkHead(data []byte) bool {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if bytes.HasPrefix(text, []byte("%")) {
			r.add(line, 1, "directives (%) are not used here: leave the line out")
			return false
		}
		if text = bytes.TrimSpace(text); len(text) > 0 && text[0] != '#' {
			return true
		}
	}
	return true
}

const (
	tooDeep = "nested too deep"
	noAlias = "aliases (*) are not used here: write the value out; a text that begins with * needs quotes"
)

// syntax reports why the parser gave up.
func (r *Report) syntax(err error, data []byte) {
	var failed *yaml.LoadError
	if !errors.As(err, &failed) {
		r.add(1, 1, "this is not YAML: "+err.Error())
		return
	}
	mark, message := failed.Mark, failed.Message
	switch {
	case message == tooDeep:
		r.add(mark.Line, mark.Column, "this is nested too deep")
		return
	case strings.HasPrefix(message, "unknown anchor"):
		r.add(mark.Line, mark.Column, noAlias)
		return
	case message == "found character that cannot start any token":
		r.badStart(mark, data)
		return
	default:
		for _, p := range plainly {
			if message == p.message && strings.HasPrefix(failed.ContextMsg, p.context) {
				message = p.text
				if p.atStart {
					mark = failed.ContextMark
				}
				break
			}
		}
	}
	r.add(mark.Line, mark.Column, "this is not YAML: "+message)
}

// badStart reports a character that nothing can begin with; of tabs, all that indent a line from there on.
func (r *Report) badStart(at yaml.Mark, data []byte) {
	lines := bytes.Split(data, []byte("\n"))[max(at.Line-1, 0):]
	if text := []rune(string(lines[0])); at.Column <= len(text) && text[max(at.Column-1, 0)] != '\t' {
		r.add(at.Line, at.Column, fmt.Sprintf("this is not YAML: a text that begins with %c needs quotes",
			text[at.Column-1]))
		return
	}
	const tab = "this is not YAML: a tab; indent with spaces"
	r.add(at.Line, at.Column, tab)
	for i, text := range lines[1:] {
		indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
		if n := bytes.IndexByte(indent, '\t'); n >= 0 {
			r.add(at.Line+1+i, n+1, tab)
		}
	}
}

// plainly says what the parser says, to people who do not know its grammar. What is not listed stays in its words.
var plainly = []struct {
	message, context string
	atStart          bool // report it where the construct begins, not where the parser gave up
	text             string
}{
	{"mapping values are not allowed in this context", "", false,
		`a second colon in one line, or a wrong indentation; a text with ": " in it needs quotes`},
	{"could not find expected ':'", "while scanning a simple key", true, `a value where "key: value" is wanted`},
	{"did not find expected key", "while parsing a block mapping", false,
		`a value where "key: value" is wanted; check the indentation`},
	{"did not find expected '-' indicator", "", false, `a value where "- item" is wanted; check the indentation`},
	{"block sequence entries are not allowed in this context", "", false,
		"a list cannot begin here: begin a new line before the -"},
	{"found unexpected end of stream", "while scanning a quoted scalar", true, "the closing quote is missing"},
	{"did not find expected ',' or ']'", "", true, "the closing ] or a comma is missing"},
	{"did not find expected ',' or '}'", "", true, "the closing } or a comma is missing"},
	{"did not find expected node content", "while parsing a flow node", false,
		"a value or a closing bracket is missing here"},
	{"did not find expected node content", "", false, "a value is missing here"},
	{"did not find expected hexadecimal number", "", true,
		`an escape without its hexadecimal digits: \x has 2, \u 4, \U 8`},
	{"found unknown escape character", "", true,
		`an unknown escape: in double quotes write \\ for a backslash, or use single quotes`},
}
