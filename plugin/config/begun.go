package config

import (
	"path/filepath"

	"solarhub/devices/profile/strict"
)

// Begun is what a configuration says of the host although it need not be right yet: its lines, or the file with the
// token, may still be missing.
type Begun struct {
	URL       string // as it is written; empty if it is not there
	TokenFile string // its path
	Token     bool   // a token is named in some way
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
		return Begun{}, report.Err()
	}
	at := value(root, "host")
	b := Begun{URL: value(at, "url").Raw(), Insecure: value(at, "insecure").Raw() == "true"}
	for _, key := range tokenKeys {
		b.Token = b.Token || value(at, key) != nil
	}
	if file := value(at, "token_file").Raw(); file != "" {
		p := parser{folder: filepath.Dir(path)}
		b.TokenFile = p.path(file)
	}
	if lines := value(root, "lines"); lines.IsList() {
		b.Lines = len(lines.Items())
	}
	return b, nil
}
