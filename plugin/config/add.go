package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
)

// Addition is a device that is to be written into a configuration.
type Addition struct {
	Line    Line // that leads to it: Transport, Address and Serial
	Device  NewDevice
	Comment string // one line above the device, for people; may be empty
}

// newFile is a configuration without lines. The token stands for one that the owner puts there.
const newFile = `host:
  url: http://homeassistant.local:8123   # where a browser finds Home Assistant
  token: paste.the.token                 # a long-lived access token of an administrator: solarhub login gets one
`

// Add returns the text of a configuration with devices added: to their line if the file has it, else to a new one. What
// the file has already stays as it is, comments and layout included. A file that is empty becomes a whole one, with the
// address and the token of the host left to the owner. skipped are the devices that it has already. The error says why
// it cannot be done in this text, or that the result would not be a right configuration.
func Add(file string, data []byte, additions []Addition) (text []byte, skipped []Addition, err error) {
	if len(strings.TrimSpace(string(data))) == 0 {
		data = []byte(newFile)
	}
	for _, a := range additions {
		root, report := strict.Parse(file, data)
		if err := report.Err(); err != nil {
			return nil, nil, err
		}
		f := adding{source: textOf(data), lines: value(root, "lines"), root: root}
		switch next, err := f.add(a); {
		case errors.Is(err, errThere):
			skipped = append(skipped, a)
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		default:
			data = []byte(next)
		}
	}
	if _, err := Parse(file, data); err != nil {
		return nil, nil, fmt.Errorf("with these devices the configuration would not be right: %w", err)
	}
	return data, skipped, nil
}

// errThere: a device of the line has the unit id already.
var errThere = errors.New("the device is there already")

// adding is a text that gets one more device.
type adding struct {
	source
	root, lines *strict.Node
}

func (f adding) add(a Addition) (string, error) {
	a.Device.ID = f.freeID(a.Device.ID)
	a.Device.Name = f.freeName(a.Device)
	for _, line := range items(f.lines) {
		if !leadsTo(line, a.Line) {
			continue
		}
		list := value(line, "devices")
		if slices.ContainsFunc(items(list), func(d *strict.Node) bool { return unitOf(d) == a.Device.Unit }) {
			return "", errThere
		}
		return f.appendTo(list, a.deviceText())
	}
	if len(items(f.lines)) == 0 {
		return f.begin(a.lineText())
	}
	return f.appendTo(f.lines, a.lineText())
}

// items returns the mappings in a list.
func items(n *strict.Node) (all []*strict.Node) {
	if !n.IsList() {
		return nil
	}
	for _, one := range n.Items() {
		if one.IsMap() {
			all = append(all, one)
		}
	}
	return all
}

// leadsTo reports whether a line of the file is the one.
func leadsTo(n *strict.Node, l Line) bool {
	at := value(n, l.Transport.String())
	if at == nil {
		return false
	}
	there := Line{Transport: l.Transport, Address: at.Raw()}
	if !l.Transport.OnPort() {
		there.Address, _ = withPort(at.Raw(), ways[l.Transport].port)
	}
	return there.Endpoint() == l.Endpoint()
}

// begin writes the first line of the configuration.
func (f adding) begin(item string) (string, error) {
	newline := f.newline()
	item = indent(item, "  ", newline)
	switch {
	case f.lines == nil:
		return strings.TrimRight(f.text, "\r\n") + newline + "lines:" + newline + item, nil
	case f.lines.IsList():
		from := f.at(f.lines.Line, f.lines.Column)
		if rest, empty := strings.CutPrefix(f.text[from:], "[]"); empty {
			_, rest, _ = strings.Cut(rest, "\n")
			return strings.TrimRight(f.text[:from], " ") + newline + item + rest, nil
		}
	case !f.lines.IsMap() && f.lines.Raw() == "": // nothing behind the key
		if key := f.keyLine("lines"); key < len(f.source.lines) {
			at := f.source.lines[key]
			return f.text[:at] + item + f.text[at:], nil
		}
		return f.text + newline + item, nil
	}
	return "", errByHand
}

// keyLine returns the line of a key at the top, counted from 1.
func (f adding) keyLine(key string) int {
	for _, e := range f.root.Entries() {
		if e.Key.Raw() == key {
			return e.Key.Line
		}
	}
	return 0
}

// appendTo writes an item behind the last of a list.
func (f adding) appendTo(list *strict.Node, item string) (string, error) {
	all := items(list)
	if len(all) == 0 || f.text[f.at(list.Line, list.Column)] == '[' {
		return "", errByHand
	}
	last := all[len(all)-1]
	begin := f.lineText(last.Line)
	dash := strings.IndexByte(begin, '-')
	if dash < 0 || strings.TrimSpace(begin[:dash]) != "" {
		return "", errByHand
	}
	end := lastLine(last)
	if f.isBlock(end) {
		return "", errByHand
	}
	for end < len(f.source.lines) && isCommentIn(f.lineText(end+1), dash) { // it is of the last item
		end++
	}
	newline := f.newline()
	item = indent(item, begin[:dash], newline)
	if end >= len(f.source.lines) {
		return f.text + newline + item, nil
	}
	at := f.source.lines[end]
	return f.text[:at] + item + f.text[at:], nil
}

// isCommentIn reports whether a line is a comment that stands deeper than a column.
func isCommentIn(line string, column int) bool {
	rest := strings.TrimLeft(line, " ")
	return strings.HasPrefix(rest, "#") && len(line)-len(rest) > column
}

// lineText returns a line of the text, which is the n-th from 1.
func (f adding) lineText(n int) string {
	text, _, _ := strings.Cut(f.text[f.source.lines[n-1]:], "\n")
	return text
}

// isBlock reports whether a text of several lines begins on a line of the file.
func (f adding) isBlock(n int) bool {
	text, _, _ := strings.Cut(f.lineText(n), "#")
	text = strings.TrimSpace(text)
	return strings.HasSuffix(text, "|") || strings.HasSuffix(text, ">") || strings.HasSuffix(text, "-")
}

func (f adding) newline() string {
	if strings.Contains(f.text, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// lastLine returns the last line of the file on which something of a node begins.
func lastLine(n *strict.Node) int {
	last := n.Line
	switch {
	case n.IsMap():
		for _, e := range n.Entries() {
			last = max(last, e.Key.Line, lastLine(e.Value))
		}
	case n.IsList():
		for _, one := range n.Items() {
			last = max(last, lastLine(one))
		}
	}
	return last
}

// indent puts something before each line of a text, and ends each in the way of the file.
func indent(text, by, newline string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(by + strings.TrimRight(line, "\n") + newline)
	}
	return b.String()
}

// unitOf returns the unit id of a device of the file: what it says, else what its family is delivered with.
func unitOf(d *strict.Node) (id unitID) {
	if n := value(d, "unit"); n != nil {
		_, _ = fmt.Sscan(n.Raw(), &id)
		return id
	}
	if p, err := profile.Open(value(d, "profile").Raw()); err == nil {
		return DefaultDevice(p).Unit
	}
	return 0
}
