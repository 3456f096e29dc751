package host

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// Definitions are the devices and entities of an installation.
type Definitions struct {
	Devices  []Device // in any order
	Entities []Entity // in the order in which the host creates them
}

// Served returns the ids of the devices that are not parts, sorted.
func (d Definitions) Served() []string {
	ids := []string{}
	for _, dev := range d.Devices {
		if dev.Via == "" {
			ids = append(ids, dev.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Hash returns the SHA-256 in hex over the canonical form of the definitions: JSON with the fields in the order of the
// types, devices and entities sorted by id. The order of the arguments does not matter. It fails only for a number that
// JSON cannot hold.
func Hash(devices []Device, entities []Entity) (string, error) {
	canonical := struct {
		Devices  []Device `json:"devices"`
		Entities []Entity `json:"entities"`
	}{slices.Clone(devices), slices.Clone(entities)}
	slices.SortStableFunc(canonical.Devices, func(a, b Device) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(canonical.Entities, func(a, b Entity) int { return cmp.Compare(a.ID, b.ID) })
	text, err := json.Marshal(canonical)
	if err != nil {
		return "", fmt.Errorf("hash the definitions: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// frames splits the definitions into frames within MaxRegisterEntities and MaxRegisterBytes: devices first, parents
// before parts. There is always at least one frame, because an empty registration takes effect too.
func (d Definitions) frames(session int64) ([]Register, error) {
	hash, err := Hash(d.Devices, d.Entities)
	if err != nil {
		return nil, err
	}
	c := framer{hash: hash, session: session}
	for _, dev := range parentsFirst(d.Devices) {
		if err := c.makeRoom(dev.ID, dev, false); err != nil {
			return nil, err
		}
		f := c.frame()
		f.Devices = append(f.Devices, dev)
	}
	for _, e := range d.Entities {
		if err := c.makeRoom(e.ID, e, true); err != nil {
			return nil, err
		}
		f := c.frame()
		f.Entities = append(f.Entities, e)
	}
	c.frame().Last = true
	return c.frames, nil
}

func parentsFirst(devices []Device) []Device {
	sorted := slices.Clone(devices)
	rank := func(d Device) int {
		if d.Via == "" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(sorted, func(a, b Device) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted
}

// framer fills register frames. envelope allows for the bytes around the items.
type framer struct {
	session int64
	hash    string
	frames  []Register
	bytes   int
}

const envelope = 512 // id, type, session, seq, last, a hash of 64 digits and the brackets

func (c *framer) frame() *Register {
	if len(c.frames) == 0 {
		c.addFrame()
	}
	return &c.frames[len(c.frames)-1]
}

func (c *framer) addFrame() {
	c.bytes = envelope
	c.frames = append(c.frames, Register{Session: c.session, Seq: len(c.frames), Hash: c.hash,
		Devices: []Device{}, Entities: []Entity{}})
}

// makeRoom adds a frame if item does not fit into the current one.
func (c *framer) makeRoom(id string, item any, entity bool) error {
	text, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("describe %s: %w", id, err)
	}
	size := len(text) + 1
	if size+envelope > MaxRegisterBytes {
		return fmt.Errorf("describe %s: %d bytes, at most %d fit into a frame", id, size, MaxRegisterBytes-envelope)
	}
	f := c.frame()
	if c.bytes+size > MaxRegisterBytes || entity && len(f.Entities) == MaxRegisterEntities {
		c.addFrame()
	}
	c.bytes += size
	return nil
}
