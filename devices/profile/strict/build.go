package strict

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// build turns the parser's tree into nodes and reports what this package does not understand.
func (d *Document) build(tree *ast.File) {
	var body *ast.DocumentNode
	for _, doc := range tree.Docs {
		directive, isDirective := doc.Body.(*ast.DirectiveNode)
		switch {
		case isDirective:
			d.addAt(directive.GetToken(), "directives are not supported; leave the line out")
		case body != nil && doc.Body == nil:
			d.addAt(doc.Start, "a second document; one file is one document")
			return
		case body != nil && body.Body != nil:
			d.addAt(first(doc.Body), "a second document; one file is one document")
			return
		default:
			body = doc
		}
	}
	if body == nil || body.Body == nil || body.Body.Type() == ast.NullType {
		d.add(1, 1, "there is nothing in the file")
		return
	}
	d.root = d.node(body.Body, "", place{1, 1})
}

// place is where a node stands; a value that is not there stands where its key does.
type place struct{ line, column int }

func placeOf(t *token.Token, fallback place) place {
	if t == nil || t.Position == nil || t.Position.Line < 1 || t.Position.Column < 1 {
		return fallback
	}
	return place{t.Position.Line, t.Position.Column}
}

// first returns the token that a reader sees first: the parser places a map at its first colon.
func first(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func (d *Document) node(n ast.Node, name string, near place) *Node {
	at := placeOf(first(n), near)
	out := &Node{doc: d, name: name, line: at.line, column: at.column, kind: scalar}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = mapping
		d.entries(out, n.Values)
	case *ast.MappingValueNode:
		out.kind = mapping
		d.entries(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = sequence
		for _, item := range n.Values {
			out.items = append(out.items, d.node(item, name, at))
		}
	case *ast.NullNode:
		out.kind, out.line, out.column = null, near.line, near.column
	case *ast.StringNode:
		out.text, out.quoted = n.Value, n.Token.Type != token.StringType
	case *ast.LiteralNode:
		out.text, out.quoted = n.Value.Value, true
	case *ast.AnchorNode:
		d.addAt(n.Start, "anchors are not supported; write the value out where it is used")
		return d.node(n.Value, name, at)
	case *ast.AliasNode:
		d.addAt(n.Start, "aliases are not supported; write the value out")
		out.kind = broken
	case *ast.TagNode:
		d.addAt(n.Start, "tags are not supported; leave %s out", n.Start.Value)
		out.kind = broken
	default:
		out.text = n.GetToken().Value
	}
	return out
}

// entries adds the entries of a map, of a repeated key only the first.
func (d *Document) entries(out *Node, values []*ast.MappingValueNode) {
	seen := make(map[string]int, len(values))
	for _, v := range values {
		key := d.key(v.Key)
		if key == nil {
			d.node(v.Value, "", place{out.line, out.column})
			continue
		}
		value := d.node(v.Value, key.text, place{key.line, key.column})
		if line, again := seen[key.text]; again {
			key.Finding("key %s appears again; it stands in line %d already", quote(key.text), line)
			continue
		}
		seen[key.text] = key.line
		out.entries = append(out.entries, Entry{Key: key, Value: value})
	}
}

// key returns the node of a key, nil where it is something that is no key here.
func (d *Document) key(k ast.MapKeyNode) *Node {
	switch k.(type) {
	case *ast.MergeKeyNode:
		d.addAt(k.GetToken(), "merge keys are not supported; write the values out")
		return nil
	case *ast.MappingKeyNode:
		d.addAt(k.GetToken(), `keys with "?" are not supported; write "key: value"`)
		return nil
	}
	n := d.node(k, "", place{1, 1})
	if n.kind == null {
		n.kind, n.text = scalar, k.GetToken().Value
	}
	if n.kind != scalar {
		return nil
	}
	n.name = n.text
	return n
}
