// Package strict reads YAML for people who write it by hand: every mistake is a finding with file, line and column, and
// all findings come at once. It knows less YAML than the standard on purpose. There are no anchors, tags, merge keys or
// several documents, and a number or a switch has one spelling: 010, 1_000 and yes are findings and never 8, 1000 and true.
//
//	doc := strict.Parse("solarhub.yaml", data)
//	f := doc.Root().Fields("host", "port")
//	f.Need("host")
//	cfg.Host, cfg.Port = f.Text("host", ""), int(f.Int("port", 1, 65535, 502))
//	return doc.Err()
//
// It is the one place that imports a YAML parser. The parser's own decoder is not used: it stops at the first finding,
// shows nothing behind a repeated key, and reads 010 as 8.
package strict

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. They are ours: ten times what the largest profile needs, and small enough that the parser, whose
// time grows with the square of the keys of a map and whose stack grows with the depth, stays within a second or two.
const (
	maxBytes = 1 << 20
	maxKeys  = 20_000
	maxFlow  = 50  // brackets in brackets
	maxBlock = 400 // column in which a line or a list entry begins
)

// Document is one file and what was found wrong with it so far. It belongs to one goroutine.
type Document struct {
	file     string
	root     *Node
	findings Findings
}

// Parse reads the data; file is its name in findings. What is wrong with the YAML itself, repeated keys anywhere and
// parts of YAML that are not understood are findings at once; the getters of Node and Fields add theirs. Where the YAML
// cannot be parsed there is one finding for it and Root has nothing to read.
func Parse(file string, data []byte) *Document {
	d := &Document{file: file}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !d.plausible(data) {
		return d
	}
	tokens := lexer.Tokenize(string(data))
	if !d.checkTokens(tokens) {
		return d
	}
	if tree := d.parse(tokens); tree != nil {
		d.build(tree)
	}
	return d
}

// Root returns the node of the whole file, nil where there is none; a nil Node may be read and is silent.
func (d *Document) Root() *Node { return d.root }

// Findings returns what was found so far: sorted by place, each once, nil if nothing.
func (d *Document) Findings() Findings {
	if len(d.findings) == 0 {
		return nil
	}
	return d.findings.sorted()
}

// Err returns Findings as an error, nil if there are none.
func (d *Document) Err() error {
	if f := d.Findings(); f != nil {
		return f
	}
	return nil
}

func (d *Document) add(line, column int, format string, args ...any) {
	d.findings = append(d.findings, Finding{File: d.file, Line: max(line, 1), Column: max(column, 1), What: fmt.Sprintf(format, args...)})
}

func (d *Document) addAt(t *token.Token, format string, args ...any) {
	if t == nil || t.Position == nil {
		d.add(1, 1, format, args...)
		return
	}
	d.add(t.Position.Line, t.Position.Column, format, args...)
}

// plausible checks what the lexer would choke on or pass over.
func (d *Document) plausible(data []byte) bool {
	if len(data) > maxBytes {
		d.add(1, 1, "the file has %d bytes; allowed are %d", len(data), maxBytes)
		return false
	}
	line, column := 1, 1
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			d.add(line, column, "byte 0x%02X is not UTF-8; save the file as UTF-8", rest[0])
			return false
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7F:
			d.add(line, column, "control character 0x%02X", r)
			return false
		case r == '\n':
			line, column = line+1, 0
		}
		column++
		rest = rest[size:]
	}
	return true
}

// checkTokens reports what the lexer could not read, and what is too big or too deep for the parser.
func (d *Document) checkTokens(tokens token.Tokens) bool {
	before, flow, keys, last := len(d.findings), 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.InvalidType:
			d.addAt(t, "%s", plainer(t.Error))
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.MappingValueType:
			keys++
		}
		begins := t.Position.Line > last || t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
		last = t.Position.Line
		if flow > maxFlow || flow <= 0 && begins && t.Position.Column > maxBlock && t.Type != token.CommentType {
			d.addAt(t, "nested too deep")
			return false
		}
		if keys > maxKeys {
			d.addAt(t, "more than %d keys", maxKeys)
			return false
		}
	}
	return len(d.findings) == before
}

// parse builds the parser's tree, or reports why there is none.
func (d *Document) parse(tokens token.Tokens) (tree *ast.File) {
	defer func() {
		// The parser belongs to others and has panicked on garbage before; a person's typing error must not end the program.
		if r := recover(); r != nil {
			tree = nil
			d.add(1, 1, "this is not YAML that can be read: %v", r)
		}
	}()
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err == nil {
		return tree
	}
	var placed interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &placed) {
		d.addAt(placed.GetToken(), "%s", plainer(placed.GetMessage()))
	} else {
		d.add(1, 1, "%v", err)
	}
	return nil
}

// plainer says in the words of this project what the parser says in those of its grammar.
func plainer(message string) string {
	if better, ok := wording[message]; ok {
		return better
	}
	return message
}

var wording = map[string]string{
	"found character '\t' that cannot start any token":                   "a tab; indent with spaces",
	"found a tab character that violates indentation":                    "a tab; indent with spaces",
	"found a tab character where an indentation space is expected":       "a tab; indent with spaces",
	"mapping value is not allowed in this context":                       `a second "key: value" in one line, or a wrong indentation; a text with ": " in it needs quotes`,
	"value is not allowed in this context. map key-value is pre-defined": "a value in a wrong place; check the indentation",
	"value is not allowed in this context":                               "a value in a wrong place; check the indentation",
	"non-map value is specified":                                         `a value where a "key: value" is wanted`,
	"unexpected key name":                                                `a value where a "key: value" is wanted`,
	"could not find end character of single-quoted text":                 "the closing ' is missing",
	"could not find end character of double-quoted text":                 `the closing " is missing`,
	"sequence end token ']' not found":                                   "the closing ] is missing",
	"could not find flow mapping end token '}'":                          "the closing } is missing",
}
