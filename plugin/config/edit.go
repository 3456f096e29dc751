package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"solarhub/devices/profile/strict"
)

// Change is one setting to be written into a configuration file.
type Change struct {
	Line   int    // index of the line
	Device int    // index of the device on it; -1: the setting is of the line
	Key    string // of the setting
	Value  string // as the file has it
}

// Edit returns the text of a configuration with changes made. Comments, order and layout stay as they are. The error
// says which change cannot be made in this text, or that the result would not be a right configuration.
func Edit(file string, data []byte, changes []Change) ([]byte, error) {
	for _, c := range changes {
		root, report := strict.Parse(file, data)
		if err := report.Err(); err != nil {
			return nil, err
		}
		text, err := textOf(data).change(find(root, c), c)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, c.Key, err)
		}
		data = []byte(text)
	}
	if _, err := Parse(file, data); err != nil {
		return nil, fmt.Errorf("with these settings the configuration would not be right: %w", err)
	}
	return data, nil
}

// Save writes a configuration file as a whole or not at all. It keeps the mode of the file, and the link if it is one.
func Save(path string, data []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(path), ".solarhub-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // it is gone if all went well
	_, err = next.Write(data)
	if err = errors.Join(err, next.Chmod(info.Mode().Perm()), next.Sync(), next.Close()); err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}

// Create writes a configuration file that does not exist yet, for its owner alone: it may hold a token.
func Create(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // nothing is left half written
	}
	return nil
}

// find returns the mapping of the line or device that a change is about, nil if there is none.
func find(root *strict.Node, c Change) *strict.Node {
	line := item(root, "lines", c.Line)
	if c.Device < 0 {
		return line
	}
	return item(line, "devices", c.Device)
}

func item(n *strict.Node, key string, index int) *strict.Node {
	list := value(n, key)
	if !list.IsList() || index >= len(list.Items()) || !list.Items()[index].IsMap() {
		return nil
	}
	return list.Items()[index]
}

func value(n *strict.Node, key string) *strict.Node {
	if !n.IsMap() {
		return nil
	}
	i := slices.IndexFunc(n.Entries(), func(e strict.Entry) bool { return e.Key.Raw() == key })
	if i < 0 {
		return nil
	}
	return n.Entries()[i].Value
}

// source is the text of a file with the start of each line.
type source struct {
	text  string
	lines []int
}

func textOf(data []byte) source {
	s := source{text: string(data), lines: []int{0}}
	for i, c := range data {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// at returns the index of a line and column in the text; both begin with 1, and columns count characters.
func (s source) at(line, column int) int {
	i := s.lines[line-1]
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(s.text[i:])
		i += size
	}
	return i
}

var errByHand = errors.New("the file is written in a way that is not changed by itself: write it in by hand")

// change sets a key of a mapping: in the place of its value, or behind the first key.
func (s source) change(in *strict.Node, c Change) (string, error) {
	if in == nil || len(in.Entries()) == 0 {
		return "", errByHand
	}
	if old := value(in, c.Key); old != nil {
		from := s.at(old.Line, old.Column)
		to, ok := s.end(old, from)
		if !ok {
			return "", errByHand
		}
		return s.text[:from] + c.Value + s.text[to:], nil
	}
	first := in.Entries()[0]
	if !first.Value.IsScalar() {
		return "", errByHand
	}
	to, ok := s.end(first.Value, s.at(first.Value.Line, first.Value.Column))
	if !ok {
		return "", errByHand
	}
	if s.text[s.at(in.Line, in.Column)] == '{' {
		return s.text[:to] + ", " + c.Key + ": " + c.Value + s.text[to:], nil
	}
	newline := "\n"
	if strings.Contains(s.text, "\r\n") {
		newline = "\r\n"
	}
	setting := strings.Repeat(" ", first.Key.Column-1) + c.Key + ": " + c.Value + newline
	if first.Value.Line == len(s.lines) { // the last line, without an end
		return s.text + newline + setting, nil
	}
	next := s.lines[first.Value.Line]
	return s.text[:next] + setting + s.text[next:], nil
}

// end returns where a value ends that begins at from: a word, a text in quotes, or a list in brackets on one line.
func (s source) end(n *strict.Node, from int) (to int, ok bool) {
	line, _, _ := strings.Cut(s.text[from:], "\n")
	switch {
	case n.IsList() && strings.HasPrefix(line, "["):
		length := strings.IndexByte(line, ']')
		return from + length + 1, length > 0
	case !n.IsScalar():
		return 0, false
	case strings.HasPrefix(line, n.Raw()) && n.Raw() != "":
		return from + len(n.Raw()), true
	}
	for _, quote := range []string{`"`, `'`} {
		if text := quote + n.Raw() + quote; strings.HasPrefix(line, text) {
			return from + len(text), true
		}
	}
	return 0, false // a text with escapes, or of several lines
}
