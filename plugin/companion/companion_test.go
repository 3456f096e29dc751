package companion

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const someManifest = `{"domain": "solarhub", "version": "0.1.0"}`

// home returns a configuration folder.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "configuration.yaml"), "")
	return dir
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustInstall(t *testing.T, dir, manifest string) Report {
	t.Helper()
	report, err := Install(dir, []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// onDisk returns the names of the integration's files in a folder as git has them.
func onDisk(t *testing.T, dir string) []string {
	t.Helper()
	files, err := read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(files))
}

func TestWhatIsEmbeddedIsWhatLiesThere(t *testing.T) {
	files, err := Files([]byte(someManifest))
	if err != nil {
		t.Fatal(err)
	}
	embedded := slices.DeleteFunc(slices.Sorted(maps.Keys(files)), func(name string) bool { return name == manifest })
	if there := onDisk(t, "solarhub"); !slices.Equal(embedded, there) {
		t.Errorf("embedded are\n%q\nin the folder are\n%q", embedded, there)
	}
	if !slices.Contains(embedded, "__init__.py") || !slices.Contains(embedded, "translations/en.json") {
		t.Errorf("embedded are only %q", embedded)
	}
}

func TestInstallIntoAFreshConfiguration(t *testing.T) {
	dir := home(t)
	if version := installed(t, dir); version != "" {
		t.Errorf("the version is %q before anything is installed", version)
	}
	report := mustInstall(t, dir, someManifest)
	if report.Before != "" || report.Version != "0.1.0" || len(report.Changed)+len(report.Removed) != 0 {
		t.Errorf("%+v", report)
	}
	if there := onDisk(t, report.Folder); !slices.Equal(there, report.Added) || !slices.Contains(there, manifest) {
		t.Errorf("there are %q, reported %q", there, report.Added)
	}
	if info, err := os.Stat(report.Folder); err != nil || info.Mode().Perm()&0o055 != 0o055 {
		t.Errorf("another user cannot read it: %v %v", info.Mode(), err)
	}
	if version := installed(t, dir); version != "0.1.0" {
		t.Errorf("the version is %q", version)
	}
	if left, _ := os.ReadDir(filepath.Dir(report.Folder)); len(left) != 1 {
		t.Errorf("beside it is left %v", left)
	}
}

func TestInstallAgainChangesNothing(t *testing.T) {
	dir := home(t)
	first := mustInstall(t, dir, someManifest)
	compiled := filepath.Join(first.Folder, "__pycache__", "hub.cpython-314.pyc")
	put(t, compiled, "compiled by Home Assistant")
	again := mustInstall(t, dir, someManifest)
	if !again.Unchanged() || again.Before != "0.1.0" {
		t.Errorf("%+v", again)
	}
	if _, err := os.Stat(compiled); err != nil {
		t.Errorf("the folder was replaced: %v", err)
	}
}

func TestInstallReplacesAnOlderVersionAsAWhole(t *testing.T) {
	dir := home(t)
	folder := mustInstall(t, dir, strings.Replace(someManifest, "0.1.0", "0.0.9", 1)).Folder
	put(t, filepath.Join(folder, "gone.py"), "raise SystemExit")
	put(t, filepath.Join(folder, "hub.py"), "changed")
	put(t, filepath.Join(folder, "__pycache__", "gone.pyc"), "")
	if err := os.Remove(filepath.Join(folder, "const.py")); err != nil {
		t.Fatal(err)
	}
	report := mustInstall(t, dir, someManifest)
	want := Report{
		Folder: folder, Before: "0.0.9", Version: "0.1.0",
		Added: []string{"const.py"}, Changed: []string{"hub.py", "manifest.json"}, Removed: []string{"gone.py"},
	}
	if !reflect.DeepEqual(report, want) {
		t.Errorf("got %+v\nwant %+v", report, want)
	}
	if _, err := os.Stat(filepath.Join(folder, "__pycache__")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("compiled files of the older version are left: %v", err)
	}
}

func TestInstallRefuses(t *testing.T) {
	blocked := home(t)
	put(t, filepath.Join(blocked, "custom_components", "solarhub"), "a file")
	linked := home(t)
	put(t, filepath.Join(linked, "custom_components", "x"), "")
	if err := os.Symlink(t.TempDir(), filepath.Join(linked, "custom_components", "solarhub")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, dir, manifest, says string }{
		{"a folder of another kind", t.TempDir(), someManifest, "no configuration.yaml"},
		{"a folder that is not there", filepath.Join(t.TempDir(), "nowhere"), someManifest, "no configuration.yaml"},
		{"a manifest that is none", home(t), `{`, "manifest.json: unexpected end"},
		{"another domain", home(t), `{"domain": "hue", "version": "1"}`, `domain is "hue"`},
		{"no version", home(t), `{"domain": "solarhub"}`, `version ""`},
		{"a file in its place", blocked, someManifest, "is not a folder"},
		{"a link in its place", linked, someManifest, "is not a folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Install(tt.dir, []byte(tt.manifest))
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), tt.dir) {
				t.Errorf("error %v, which should name the folder and say %q", err, tt.says)
			}
		})
	}
}

func TestInstallAnyway(t *testing.T) {
	dir := t.TempDir()
	if _, err := Install(dir, []byte(someManifest)); !errors.Is(err, ErrNotConfiguration) {
		t.Errorf("error %v", err)
	}
	if report, err := InstallAnyway(dir, []byte(someManifest)); err != nil || report.Unchanged() {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := InstallAnyway(filepath.Join(dir, "nowhere"), []byte(someManifest)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestAFailedInstallLeavesTheOldOne(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root writes into any folder")
	}
	dir := home(t)
	folder := mustInstall(t, dir, strings.Replace(someManifest, "0.1.0", "0.0.9", 1)).Folder
	if err := os.Chmod(filepath.Dir(folder), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(folder), 0o755) })
	if _, err := Install(dir, []byte(someManifest)); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
	if version := installed(t, dir); version != "0.0.9" {
		t.Errorf("the version is %q", version)
	}
}

// installed returns the version of the integration in a configuration folder, or "" if there is none.
func installed(t *testing.T, configDir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(configDir), manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	version, err := versionOf(text)
	if err != nil {
		t.Error(err)
	}
	return version
}
