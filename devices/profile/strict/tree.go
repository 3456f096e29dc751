package strict

import "go.yaml.in/yaml/v4"

// kind is what a node is.
type kind uint8

const (
	empty  kind = iota // nothing, null or ~
	scalar             // one word or text
	list
	mapping
	refused // reported while the tree was built, and silent afterwards
)

// Node is one place in the file: a mapping, a list, a scalar or nothing. A getter that does not find what it wants adds
// the finding itself. A nil Node stands for something that is missing: getters find nothing in it, and it reports
// nothing.
type Node struct {
	Line, Column int // where it begins; an empty node is at its key
	report       *Report
	kind         kind
	text         string // of a scalar, without its quotes
	quoted       bool   // in quotes, or a block: always a text
	entries      []Entry
	items        []*Node
}

// Entry is one key of a mapping with its value.
type Entry struct {
	Key, Value *Node
}

// builder builds our tree from the parser's.
type builder struct{ report *Report }

// document returns the tree of a document, or nil if it is empty.
func (b builder) document(n *yaml.Node) *Node {
	if len(n.Content) == 0 || isNull(n.Content[0]) {
		b.report.add(1, 1, "the file is empty")
		return nil
	}
	return b.build(n.Content[0], &Node{Line: 1, Column: 1})
}

// isNull reports whether the node is empty, null or ~, without quotes.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Style&yaml.TaggedStyle == 0
}

// refuse reports a kind of YAML that this package does not accept.
func (b builder) refuse(n *yaml.Node, format string, args ...any) *Node {
	node := &Node{Line: n.Line, Column: n.Column, report: b.report, kind: refused}
	b.report.Add(node, format, args...)
	return node
}

// build returns the node of n. The key or list that it belongs to is near.
func (b builder) build(n *yaml.Node, near *Node) *Node {
	switch {
	case n.Kind == yaml.AliasNode:
		return b.refuse(n, noAlias)
	case n.Style&yaml.TaggedStyle != 0 || n.Tag == "!":
		return b.refuse(n, "tags (!) are not used here: leave it out; a text that begins with ! needs quotes")
	case n.Anchor != "":
		b.refuse(n, "anchors (&) are not used here: write the value out where it belongs")
	}
	node := &Node{Line: n.Line, Column: n.Column, report: b.report}
	switch {
	case n.Kind == yaml.MappingNode:
		b.mapping(node, n)
	case n.Kind == yaml.SequenceNode:
		node.kind = list
		for _, item := range b.first(n, maxItems, "items") {
			node.items = append(node.items, b.build(item, &Node{Line: item.Line, Column: n.Column}))
		}
	case isNull(n):
		node.kind, node.Line, node.Column = empty, near.Line, near.Column
	default:
		node.kind, node.text = scalar, n.Value
		node.quoted = n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	}
	return node
}

// first returns the first nodes that a mapping or list contains, as many as are read.
func (b builder) first(n *yaml.Node, most int, what string) []*yaml.Node {
	if len(n.Content) > most {
		b.refuse(n, "there are %d %s here; at most %d are read", len(n.Content), what, most)
	}
	return n.Content[:min(len(n.Content), most)]
}

// mapping fills a node with the entries of a mapping. Of a repeated key it takes the first.
func (b builder) mapping(node *Node, n *yaml.Node) {
	node.kind = mapping
	content := b.first(n, 2*maxKeys, "keys and values")
	seen := make(map[string]*Node, len(content)/2)
	for i := 0; i+1 < len(content); i += 2 {
		key := b.key(content[i], n)
		value := b.build(content[i+1], key)
		if key.kind == refused {
			continue
		}
		if first, ok := seen[key.text]; ok {
			key.Fail("key %s stands here again; it is in line %d already", quoteKey(key.text), first.Line)
			continue
		}
		seen[key.text] = key
		node.entries = append(node.entries, Entry{Key: key, Value: value})
	}
}

// key returns the node of a key: a scalar, even for null and ~, or refused.
func (b builder) key(k, in *yaml.Node) *Node {
	block := in.Style&yaml.FlowStyle == 0 && in.Anchor == ""
	switch {
	case k.Tag == "!!merge":
		return b.refuse(k, "merge keys (<<) are not used here: write the values out")
	case k.Kind == yaml.MappingNode, k.Kind == yaml.SequenceNode, block && k.Column != in.Column:
		return b.refuse(&yaml.Node{Line: k.Line, Column: in.Column},
			`keys behind ? are not used here: write "key: value"`)
	}
	key := b.build(k, &Node{Line: k.Line, Column: k.Column})
	if key.kind == empty {
		key.kind, key.text = scalar, k.Value
	}
	return key
}
