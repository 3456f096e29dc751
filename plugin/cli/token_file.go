package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"solarhub/plugin/host"
)

// tokenFile is a file that is to hold a token. What was in it stays until there is a token that works.
type tokenFile struct {
	path string
	next *os.File // takes the place of path
}

// openTokenFile makes sure that a token can be kept before anyone is asked for one.
func openTokenFile(path string) (*tokenFile, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("keep the token in %s: it is not a file", path)
	}
	next, err := os.CreateTemp(filepath.Dir(path), ".solarhub-*.token") // readable by its owner alone
	if err != nil {
		return nil, fmt.Errorf("keep the token in %s: %w", path, err)
	}
	return &tokenFile{path: path, next: next}, nil
}

// commit puts the token into the file.
func (f *tokenFile) commit(token host.Secret) error {
	_, err := f.next.WriteString(token.Reveal() + "\n")
	if err = errors.Join(err, f.next.Sync(), f.next.Close()); err == nil {
		err = os.Rename(f.next.Name(), f.path)
	}
	if err != nil {
		return fmt.Errorf("keep the token in %s: %w", f.path, err)
	}
	return nil
}

// discard leaves everything as it was, unless the token was kept.
func (f *tokenFile) discard() {
	_ = f.next.Close()
	_ = os.Remove(f.next.Name())
}
