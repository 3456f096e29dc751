// Package companion contains the Python integration that answers the plugin inside Home Assistant, and installs it into
// a configuration folder. ../PROTOCOL.md describes the commands between the two.
package companion

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// solarhub holds all files of the integration except manifest.json, which is in the root of the repository. "all:" is
// needed because go:embed otherwise leaves out files that begin with an underscore, such as __init__.py.
//
//go:embed all:solarhub
var solarhub embed.FS

const (
	domain   = "solarhub"
	manifest = "manifest.json"
)

// ErrNotConfiguration means that the folder is not a configuration folder of Home Assistant.
var ErrNotConfiguration = errors.New("not a configuration folder of Home Assistant: no configuration.yaml in it")

// Report says what Install did. The names are sorted and relative to Folder, and have slashes. All three lists are
// empty if nothing had to be done.
type Report struct {
	Folder                  string // <configuration>/custom_components/solarhub
	Before                  string // the version that was installed before; empty if none was
	Version                 string // the version that is installed now
	Added, Changed, Removed []string
}

// Unchanged reports whether nothing had to be done. Otherwise Home Assistant must be restarted.
func (r Report) Unchanged() bool { return len(r.Added)+len(r.Changed)+len(r.Removed) == 0 }

// Install installs the integration and its manifest.json into a configuration folder of Home Assistant. It replaces the
// integration's folder as a whole, so that no half of a version and no file of an older one is ever left. If configDir
// has no configuration.yaml, the error wraps ErrNotConfiguration.
func Install(configDir string, manifestJSON []byte) (Report, error) {
	if _, err := os.Stat(filepath.Join(configDir, "configuration.yaml")); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNotConfiguration
		}
		return Report{}, fmt.Errorf("install the companion into %s: %w", configDir, err)
	}
	return InstallAnyway(configDir, manifestJSON)
}

// InstallAnyway is Install for any folder that exists, with or without a configuration.yaml.
func InstallAnyway(configDir string, manifestJSON []byte) (Report, error) {
	report, err := install(configDir, manifestJSON)
	if err != nil {
		return Report{}, fmt.Errorf("install the companion into %s: %w", configDir, err)
	}
	return report, nil
}

// Files returns all files of the integration, manifest.json included, by their names relative to its folder.
func Files(manifestJSON []byte) (map[string][]byte, error) {
	if _, err := versionOf(manifestJSON); err != nil {
		return nil, err
	}
	files := map[string][]byte{manifest: manifestJSON}
	err := fs.WalkDir(solarhub, domain, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "__pycache__": // is left by anyone who ran the Python tests before the build
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) == ".pyc":
			return nil
		}
		text, err := solarhub.ReadFile(name)
		files[strings.TrimPrefix(name, domain+"/")] = text
		return err
	})
	return files, err
}

func folder(configDir string) string { return filepath.Join(configDir, "custom_components", domain) }

func versionOf(manifestJSON []byte) (string, error) {
	var m struct{ Domain, Version string }
	if err := json.Unmarshal(manifestJSON, &m); err != nil {
		return "", fmt.Errorf("%s: %w", manifest, err)
	}
	if m.Domain != domain || m.Version == "" {
		return "", fmt.Errorf("%s: the domain is %q and the version %q; it needs the domain %q and a version",
			manifest, m.Domain, m.Version, domain)
	}
	return m.Version, nil
}

func install(configDir string, manifestJSON []byte) (Report, error) {
	files, err := Files(manifestJSON)
	if err != nil {
		return Report{}, err
	}
	if _, err := os.Stat(configDir); err != nil {
		return Report{}, err
	}
	target := folder(configDir)
	old, err := read(target)
	if err != nil {
		return Report{}, err
	}
	report := compare(old, files)
	report.Folder = target
	report.Before, _ = versionOf(old[manifest]) // a broken manifest is replaced as if there were none
	report.Version, _ = versionOf(manifestJSON)
	if report.Unchanged() {
		return report, nil
	}
	return report, replace(target, files)
}

// read returns the files of an installed integration, or none if there is no folder. It does not follow a link, because
// a link leads to somebody's working copy.
func read(target string) (map[string][]byte, error) {
	files := map[string][]byte{}
	info, err := os.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return files, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a folder but a %s; remove it first", target, info.Mode().Type())
	}
	err = filepath.WalkDir(target, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "__pycache__":
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		relative, err := filepath.Rel(target, name)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(relative)], err = os.ReadFile(name)
		return err
	})
	return files, err
}

func compare(old, now map[string][]byte) Report {
	var r Report
	for _, name := range slices.Sorted(maps.Keys(now)) {
		switch before, there := old[name]; {
		case !there:
			r.Added = append(r.Added, name)
		case !bytes.Equal(before, now[name]):
			r.Changed = append(r.Changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, there := now[name]; !there {
			r.Removed = append(r.Removed, name)
		}
	}
	return r
}

// replace writes the files into a new folder and swaps the two. The new folder is prepared two levels deep, so that
// Home Assistant does not take it for an integration if this process dies.
func replace(target string, files map[string][]byte) error {
	parent := filepath.Dir(target)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	workshop, err := os.MkdirTemp(parent, ".solarhub-install-*")
	if err != nil {
		return err
	}
	fresh, old := filepath.Join(workshop, "new"), filepath.Join(workshop, "old")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := write(filepath.Join(fresh, filepath.FromSlash(name)), files[name]); err != nil {
			return errors.Join(err, os.RemoveAll(workshop))
		}
	}
	if err := os.Rename(target, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(workshop))
	}
	if err := os.Rename(fresh, target); err != nil {
		if back := os.Rename(old, target); back != nil && !errors.Is(back, fs.ErrNotExist) {
			return errors.Join(err, back) // the old integration is still in workshop
		}
		return errors.Join(err, os.RemoveAll(workshop))
	}
	return os.RemoveAll(workshop)
}

// write writes one file and syncs it to the disk. Everybody may read it, because Home Assistant often runs as another
// user.
func write(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Sync(), file.Close())
}
