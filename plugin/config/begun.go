package config

import (
	"os"
	"path/filepath"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/plugin/host"
)

// Begun is what a configuration says of the host although it need not be right yet: its lines, or the file with the
// token, may still be missing.
type Begun struct {
	URL       string      // as it is written; empty if it is not there
	Token     host.Secret // from wherever it is named; zero if it is not there
	TokenFile string      // the path of its file, if it is named in this way
	Insecure  bool
	Lines     int // how many there are
}

// ReadBegun reads a configuration as far as it goes. The error is strict.Findings if it is not YAML.
func ReadBegun(path string) (Begun, error) {
	data, err := strict.ReadFile(path)
	if err != nil {
		return Begun{}, err
	}
	root, report := strict.Parse(path, data)
	if root == nil {
		if strings.TrimSpace(string(data)) == "" {
			return Begun{}, nil
		}
		return Begun{}, report.Err()
	}
	at := value(root, "host")
	b := Begun{URL: value(at, "url").Raw(), Insecure: value(at, "insecure").Raw() == "true"}
	token := value(at, "token").Raw()
	if name := value(at, "token_env").Raw(); name != "" {
		token = os.Getenv(name)
	}
	if file := value(at, "token_file").Raw(); file != "" {
		p := parser{folder: filepath.Dir(path)}
		b.TokenFile = p.path(file)
		text, _ := strict.ReadFile(b.TokenFile) // it may be what is still missing
		token = string(text)
	}
	if token = strings.TrimSpace(token); CheckToken(token) == "" {
		b.Token = host.NewSecret(token)
	}
	if lines := value(root, "lines"); lines.IsList() {
		b.Lines = len(lines.Items())
	}
	return b, nil
}

// SetHost returns the text of a configuration whose host has an address and the token in a file, in the place of what
// it says there. Everything else stays as it is, comments and layout included. Nothing but this need be right yet.
func SetHost(file string, data []byte, url, tokenFile string, insecure bool) ([]byte, error) {
	if len(strings.TrimSpace(string(data))) == 0 {
		data = []byte("host:\n  url: " + url + "\n")
	}
	root, report := strict.Parse(file, data)
	if root == nil {
		return nil, report.Err()
	}
	at := value(root, "host")
	if at == nil {
		if !root.IsMap() {
			return nil, errByHand
		}
		data = append([]byte("host:\n  url: "+url+"\n"), data...)
	}
	changes := []Change{{Key: "url", Value: url}, {Key: "token_file", Value: tokenFile}}
	if insecure {
		changes = append(changes, Change{Key: "insecure", Value: "true"})
	}
	for _, c := range changes {
		root, _ = strict.Parse(file, data)
		s, at := textOf(data), value(root, "host")
		if c.Key == "token_file" {
			s = s.renamed(at, c.Key, "token", "token_env")
			root, _ = strict.Parse(file, []byte(s.text))
			at = value(root, "host")
		}
		text, err := s.change(at, c)
		if err != nil {
			return nil, err
		}
		data = []byte(text)
	}
	return data, nil
}

// renamed returns the text with another name for the first of some keys that a mapping has.
func (s source) renamed(in *strict.Node, to string, keys ...string) source {
	for _, e := range in.Entries() {
		for _, key := range keys {
			if e.Key.Raw() == key {
				from := s.at(e.Key.Line, e.Key.Column)
				return textOf([]byte(s.text[:from] + to + s.text[from+len(key):]))
			}
		}
	}
	return s
}
