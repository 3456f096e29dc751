package strict

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// kind is what a node is.
type kind uint8

const (
	empty  kind = iota // nothing, null or ~
	scalar             // one word or text
	list
	mapping
	refused // reported while the tree was built; silent from then on
)

// Node is one place of the file: a mapping, a list, a scalar or nothing. Getters that do not find what they want add the
// finding themselves. A nil Node stands for what is not in the file: nothing is found in it, and it reports nothing.
type Node struct {
	Line, Column int // where it begins; nothing stands where its key does
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

// builder turns the parser's tree into ours.
type builder struct{ report *Report }

// document returns the tree of the one document, nil where there is none.
func (b builder) document(file *ast.File) (root *Node) {
	begun := false
	for _, doc := range file.Docs {
		if directive, ok := doc.Body.(*ast.DirectiveNode); ok {
			b.refuse(directive.Start, "directives (%%) are not used here: leave the line out")
			continue
		}
		if begun {
			at := doc.Start
			if at == nil && doc.Body != nil {
				at = doc.Body.GetToken()
			}
			b.refuse(at, "a second document begins here; the file may hold one only")
			return root
		}
		begun = true
		if doc.Body != nil && doc.Body.Type() != ast.NullType {
			root = b.build(doc.Body, &Node{Line: 1, Column: 1})
		}
	}
	if root == nil {
		b.report.add(1, 1, "the file is empty")
	}
	return root
}

// refuse reports something that this package does not read.
func (b builder) refuse(at *token.Token, format string, args ...any) *Node {
	node := &Node{report: b.report, kind: refused}
	node.Line, node.Column = position(at)
	b.report.Add(node, format, args...)
	return node
}

// build returns the node of n; near is the key or list it belongs to.
func (b builder) build(n ast.Node, near *Node) *Node {
	node := &Node{report: b.report, kind: scalar}
	node.Line, node.Column = position(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		b.mapping(node, n.Values, n.IsFlowStyle)
	case *ast.MappingValueNode:
		b.mapping(node, []*ast.MappingValueNode{n}, false)
	case *ast.SequenceNode:
		node.kind = list
		for i, item := range n.Values {
			place := node
			if i < len(n.Entries) && n.Entries[i] != nil {
				place = &Node{}
				place.Line, place.Column = position(n.Entries[i].Start)
			}
			node.items = append(node.items, b.build(item, place))
		}
	case *ast.StringNode:
		node.text, node.quoted = n.Value, n.Token.Type != token.StringType
	case *ast.LiteralNode:
		node.text, node.quoted = n.Value.Value, true
	case *ast.NullNode:
		node.kind, node.Line, node.Column = empty, near.Line, near.Column
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		node.text = n.GetToken().Value
	case *ast.AnchorNode:
		b.refuse(n.Start, "anchors (&) are not used here: write the value out where it belongs")
		return b.build(n.Value, near)
	case *ast.AliasNode:
		return b.refuse(n.Start, "aliases (*) are not used here: write the value out; a text that begins with * needs quotes")
	case *ast.TagNode:
		return b.refuse(n.Start, "tags (!) are not used here: leave it out; a text that begins with ! needs quotes")
	default:
		return b.refuse(n.GetToken(), "this is not used here: %s", n.Type())
	}
	return node
}

// mapping fills a node with the entries of a mapping, of a repeated key the first. A block stands where its first key
// stands: the parser places it at the colon.
func (b builder) mapping(node *Node, values []*ast.MappingValueNode, flow bool) {
	node.kind = mapping
	seen := make(map[string]*Node, len(values))
	for i, v := range values {
		key := b.key(v.Key, node)
		if i == 0 && !flow {
			node.Line, node.Column = key.Line, key.Column
		}
		value := b.build(v.Value, key)
		if key.kind == refused {
			continue
		}
		if first, ok := seen[key.text]; ok {
			key.Fail("key %s stands here again; it is in line %d already", quote(key.text), first.Line)
			continue
		}
		seen[key.text] = key
		node.entries = append(node.entries, Entry{Key: key, Value: value})
	}
}

// key returns the node of a key: always a scalar, null and ~ too, or refused.
func (b builder) key(k ast.MapKeyNode, near *Node) *Node {
	switch k := k.(type) {
	case *ast.MergeKeyNode:
		return b.refuse(k.GetToken(), "merge keys (<<) are not used here: write the values out")
	case *ast.MappingKeyNode:
		return b.refuse(k.GetToken(), `keys behind ? are not used here: write "key: value"`)
	}
	key := b.build(k, near)
	if key.kind == empty {
		key.kind, key.text = scalar, k.GetToken().Value
		key.Line, key.Column = position(k.GetToken())
	}
	return key
}
