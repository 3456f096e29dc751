package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	badgeroptions "github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// inspect reads every table that belongs to a database before it is opened. Badger opens tables in goroutines of its own, and a
// damaged one panics there, where nobody can recover; here it can. Files that the manifest does not name are left over
// from a crash, and Badger removes them.
func inspect(dir string) error {
	file, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a new database
	}
	if err != nil {
		return err
	}
	defer file.Close()
	manifest, _, err := badger.ReplayManifestFile(file, 0, options(dir))
	if err != nil {
		return fmt.Errorf("read %s: %w", file.Name(), err)
	}
	for id := range manifest.Tables {
		if err := inspectTable(table.NewFilename(id, dir), id); err != nil {
			return err
		}
	}
	return nil
}

// dropEmpty removes logs without a byte. A process that is killed just when Badger makes a log, or has emptied one to delete it,
// leaves such a file; it holds nothing, and Badger would refuse the whole database for it.
func dropEmpty(dir string) error {
	for _, kind := range []string{"*.mem", "*.vlog"} {
		logs, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil {
			return err
		}
		for _, name := range logs {
			if info, err := os.Stat(name); err != nil || info.Size() > 0 {
				continue
			}
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func inspectTable(name string, id uint64) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	t, err := table.OpenInMemoryTable(data, id, &table.Options{ChkMode: badgeroptions.NoVerification, Compression: badgeroptions.None})
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := t.VerifyChecksum(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
