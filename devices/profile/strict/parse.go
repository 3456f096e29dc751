package strict

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. They are ours: several times what the largest profile needs, and small enough for the parser, whose
// time grows with the square of the keys of a map and whose stack grows with the depth: a file of brackets alone would
// end the program, which no recover prevents.
const (
	maxBytes = 1 << 20
	maxKeys  = 20_000
	maxFlow  = 32  // brackets in brackets
	maxBlock = 200 // the column in which a line or a list entry begins
)

// Parse reads one YAML document. The node is nil where the file cannot be read as YAML at all; what is wrong is in the
// report either way. The file's name is for the findings only.
func Parse(file string, data []byte) (*Node, *Report) {
	report := &Report{file: file, all: map[Finding]struct{}{}}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	report.read(data)
	if !report.checkBytes(data) {
		return nil, report
	}
	tokens := lexer.Tokenize(string(data))
	if !report.checkTokens(tokens) {
		return nil, report
	}
	parsed := report.parse(tokens)
	if parsed == nil {
		return nil, report
	}
	return builder{report}.document(parsed), report
}

// checkBytes reports what the lexer would pass over in silence.
func (r *Report) checkBytes(data []byte) bool {
	if len(data) > maxBytes {
		r.add(1, 1, fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), maxBytes))
		return false
	}
	line, column := 1, 1
	for len(data) > 0 {
		char, size := utf8.DecodeRune(data)
		switch {
		case char == '\r' && !bytes.HasPrefix(data, []byte("\r\n")):
			r.add(line, column, "a carriage return without a line feed: save the file with the line ends of Unix or Windows")
			return false
		case char == utf8.RuneError && size == 1:
			r.add(line, column, fmt.Sprintf("byte 0x%02X is not UTF-8: save the file as UTF-8", data[0]))
			return false
		case char < ' ' && char != '\n' && char != '\r' && char != '\t', char == 0x7F:
			r.add(line, column, fmt.Sprintf("control character 0x%02X", char))
			return false
		case char == '\n':
			line, column = line+1, 0
		}
		column++
		data = data[size:]
	}
	return true
}

// checkTokens reports what the lexer could not read, and what is too much or too deep for the parser.
func (r *Report) checkTokens(tokens token.Tokens) bool {
	good, flow, keys, line := true, 0, 0, 0
	var place cursor
	for _, t := range tokens {
		block := t.Position.Line > line || t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
		line = t.Position.Line
		switch t.Type {
		case token.InvalidType:
			r.syntax(t, t.Error)
			good = false
		case token.DoubleQuoteType:
			if r.digitless(t, &place) {
				r.syntax(t, `an escape without its hexadecimal digits: \x has 2, \u 4, \U 8`)
				return false
			}
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.MappingValueType:
			keys++
		case token.CommentType:
			block = false
		}
		if flow > maxFlow || block && flow <= 0 && t.Position.Column > maxBlock {
			r.add(t.Position.Line, t.Position.Column, "this is nested too deep")
			return false
		}
		if keys > maxKeys {
			r.add(t.Position.Line, t.Position.Column, fmt.Sprintf("the file has more than %d keys", maxKeys))
			return false
		}
	}
	return good
}

// quoted is a double-quoted text whose escapes have their digits.
var quoted = regexp.MustCompile(`(?s)^"(?:[^"\\]|\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[^xuU]))*"`)

// digitless reports whether a double-quoted text has an escape without its digits: the lexer takes any characters for them, line feeds
// too, and makes another character of them.
func (r *Report) digitless(t *token.Token, c *cursor) bool {
	text := c.to(t, r.lines)
	return bytes.HasPrefix(text, []byte(`"`)) && !quoted.Match(text)
}

// cursor is a place in a file: what follows it. It goes forward only, so that a long line is walked once.
type cursor struct {
	line, column int
	text         []byte
}

// to moves the cursor to a token.
func (c *cursor) to(t *token.Token, lines [][]byte) []byte {
	line, column := position(t)
	if line > len(lines) {
		return nil
	}
	if line != c.line || column < c.column {
		*c = cursor{line, 1, lines[line-1]}
	}
	for ; c.column < column && len(c.text) > 0; c.column++ {
		_, size := utf8.DecodeRune(c.text)
		c.text = c.text[size:]
	}
	return c.text
}

// parse returns the parser's tree, or nil after reporting why there is none.
func (r *Report) parse(tokens token.Tokens) (tree *ast.File) {
	defer func() { // the parser is another's, and a typing error must not end the program
		if p := recover(); p != nil {
			tree = nil
			r.add(1, 1, fmt.Sprintf("this is not YAML: %v", p))
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
		r.syntax(placed.GetToken(), placed.GetMessage())
	} else {
		r.syntax(nil, err.Error())
	}
	return nil
}

func (r *Report) syntax(t *token.Token, message string) {
	line, column := position(t)
	if plain, ok := plainly[message]; ok {
		message = plain
	}
	r.add(line, column, "this is not YAML: "+message)
}

// plainly says what the parser says, to people who do not know its grammar. What is not listed stays in its words.
var plainly = map[string]string{
	"found character '\t' that cannot start any token":                   "a tab; indent with spaces",
	"found a tab character where an indentation space is expected":       "a tab; indent with spaces",
	"tab character cannot use as a map key directly":                     "a tab; indent with spaces",
	"tab character cannot use as a sequence delimiter":                   "a tab behind -; write a space",
	"mapping value is not allowed in this context":                       `a second colon in one line, or a wrong indentation; a text with ": " in it needs quotes`,
	"value is not allowed in this context":                               "a value where none can stand; check the indentation",
	"value is not allowed in this context. map key-value is pre-defined": "a value where none can stand; check the indentation",
	"non-map value is specified":                                         `a value where "key: value" is wanted`,
	"unexpected key name":                                                `a value where "key: value" is wanted`,
	"could not find end character of single-quoted text":                 "the closing ' is missing",
	"could not find end character of double-quoted text":                 `the closing " is missing`,
	"sequence end token ']' not found":                                   "the closing ] is missing",
	"could not find flow mapping end token '}'":                          "the closing } is missing",
}

func position(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return max(t.Position.Line, 1), max(t.Position.Column, 1)
}
