package strict

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// kind is what a node is.
type kind uint8

const (
	empty  kind = iota // nothing, null or ~
	scalar             // one word or text
	list
	mapping
)

// Node is one place of the file: a mapping, a list, a scalar or nothing.
type Node struct {
	Line, Column int
	report       *Report
	kind         kind
	text         string // of a scalar: what is written, without quotes
	quoted       bool   // it stood in quotes or is a block: always a text
	entries      []Entry
	items        []*Node
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key, Value *Node
}

// maxDepth bounds nesting: nothing that is read here nests deeper than ten.
const maxDepth = 32

// Parse reads one YAML document. The node is nil where the file cannot be read as YAML at all; what is wrong is in the
// report either way. The file's name is for the findings only.
func Parse(file string, data []byte) (root *Node, report *Report) {
	report = &Report{file: file, all: map[Finding]struct{}{}}
	defer func() { // the parser is another's and has panicked on odd input before
		if p := recover(); p != nil {
			root = nil
			report.add(1, 1, fmt.Sprintf("this is not YAML: %v", p))
		}
	}()
	parsed, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		report.syntax(err)
		return nil, report
	}
	b := builder{report}
	for _, doc := range parsed.Docs {
		switch {
		case doc.Body == nil:
		case root != nil:
			line, column := position(doc.Body.GetToken())
			report.add(line, column, "a second document begins here; the file may hold one only")
		default:
			root = b.build(doc.Body, 0)
		}
	}
	if root == nil {
		report.add(1, 1, "the file is empty")
	}
	return root, report
}

func (r *Report) syntax(err error) {
	line, column, what := 1, 1, err.Error()
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		line, column = position(syntax.Token)
		what = syntax.Message
	}
	r.add(line, column, "this is not YAML: "+what)
}

func position(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return max(t.Position.Line, 1), max(t.Position.Column, 1)
}

// builder turns the parser's tree into ours.
type builder struct{ report *Report }

func (b builder) build(n ast.Node, depth int) *Node {
	node := &Node{Line: 1, Column: 1, report: b.report}
	if n == nil {
		return node
	}
	node.Line, node.Column = position(n.GetToken())
	if depth > maxDepth {
		b.report.Add(node, "nested deeper than %d", maxDepth)
		return node
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		b.mapping(node, n.Values, depth)
	case *ast.MappingValueNode:
		b.mapping(node, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		node.kind = list
		for _, item := range n.Values {
			node.items = append(node.items, b.build(item, depth+1))
		}
	case *ast.StringNode:
		node.kind, node.text = scalar, n.Value
		node.quoted = n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
	case *ast.LiteralNode:
		node.kind, node.text, node.quoted = scalar, n.Value.Value, true
	case *ast.NullNode:
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		node.kind, node.text = scalar, n.GetToken().Value
	default:
		b.report.Add(node, "anchors, aliases, tags and merge keys (& * ! <<) are not used here: write the value out")
	}
	return node
}

// mapping fills a node with the entries of a mapping; it stands where its first key stands.
func (b builder) mapping(node *Node, values []*ast.MappingValueNode, depth int) {
	node.kind = mapping
	seen := map[string]*Node{}
	for i, v := range values {
		key := b.build(v.Key, depth+1)
		if i == 0 {
			node.Line, node.Column = key.Line, key.Column
		}
		if key.kind != scalar {
			continue
		}
		if first, ok := seen[key.text]; ok {
			b.report.Add(key, "key %q stands here again; it is in line %d already", key.text, first.Line)
			continue
		}
		seen[key.text] = key
		value := b.build(v.Value, depth+1)
		if value.kind == empty { // a finding about nothing belongs to its key
			value.Line, value.Column = key.Line, key.Column
		}
		node.entries = append(node.entries, Entry{Key: key, Value: value})
	}
}
