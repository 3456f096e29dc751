package devhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"solarhub/plugin/host"
)

// Kept is what survives a restart: definitions by device, the hash each installation registered, and the registry.
type Kept struct {
	Hashes   map[string]string     `json:"hashes"`   // by installation
	Roots    map[string]Definition `json:"devices"`  // by device id without part
	Registry map[string]Registry   `json:"registry"` // by unique id
	Deleted  map[string]string     `json:"deleted"`  // by device that the owner deleted: its installation

	Automation *Automation `json:"automation,omitempty"`
}

// Definition is a device with its parts and all their entities.
type Definition struct {
	Installation string        `json:"installation"`
	Devices      []host.Device `json:"devices"`
	Entities     []host.Entity `json:"entities"`
}

// Registry is what Home Assistant keeps of an entity.
type Registry struct {
	EntityID   string `json:"entity_id"`
	DisabledBy string `json:"disabled_by,omitempty"` // integration, user or empty
	Name       string `json:"name,omitempty"`        // given by the owner
}

// Memory keeps what survives a restart of the host. A Host loads it when it is made, and saves it when it is closed.
type Memory interface {
	Load() (Kept, error)
	Save(Kept) error
}

// Volatile is a Memory that lives as long as the process: hand it to the next Host for a restart. The zero value is
// empty.
type Volatile struct {
	mu   sync.Mutex
	text []byte
}

// Load returns what was saved last.
func (v *Volatile) Load() (Kept, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return parseKept(v.text)
}

// Save keeps k.
func (v *Volatile) Save(k Kept) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.text = text
	return nil
}

// File is a Memory in a file. Its folder must exist.
type File string

// Load returns what the file holds; a file that does not exist holds nothing.
func (f File) Load() (Kept, error) {
	text, err := os.ReadFile(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Kept{}, fmt.Errorf("load definitions: %w", err)
	}
	k, err := parseKept(text)
	if err != nil {
		return k, fmt.Errorf("load definitions: %s: %w", string(f), err)
	}
	return k, nil
}

// Save replaces the file as a whole, so that a crash leaves the old one.
func (f File) Save(k Kept) error {
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("save definitions: %w", err)
	}
	next := filepath.Join(filepath.Dir(string(f)), "."+filepath.Base(string(f))+".next")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("save definitions: %w", err)
	}
	if err := os.Rename(next, string(f)); err != nil {
		return fmt.Errorf("save definitions: %w", err)
	}
	return nil
}

func parseKept(text []byte) (Kept, error) {
	var k Kept
	if len(text) == 0 {
		return k, nil
	}
	return k, json.Unmarshal(text, &k)
}
