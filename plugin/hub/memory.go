package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/ledger"
	"solarhub/protocol/codec"
)

// Keeper is what the Hub needs of a cache.
type Keeper interface {
	Each(prefix string, f func(key string, value []byte) error) error
	Put(batch map[string][]byte) error
}

// The keys of the cache.
const (
	knownPrefix    = "known/"    // + line and unit: what is there
	valuePrefix    = "value/"    // + device id / point key: the last reading
	replacedPrefix = "replaced/" // + serial number: the id of the device that it has replaced
	disabledPrefix = "disabled/" // + number: a part of the list of disabled ids
)

// knownDevice is what is remembered of the device at one unit id of a line, so that its entities are known while it is
// off.
type knownDevice struct {
	Profile  string           `json:"profile"`
	Identity devices.Identity `json:"identity"`
	Learned  devices.Learned  `json:"learnt"`            // about its reads
	Pending  bool             `json:"pending,omitempty"` // the host shows that it has never been identified
}

// keptValue is a reading in the cache.
type keptValue struct {
	Value  codec.Value `json:"v"`
	ReadAt time.Time   `json:"t"`
}

// Memory is what the cache held at the start. The zero value is empty.
type Memory struct {
	known           map[string]knownDevice          // by line and unit
	values          map[string]map[string]keptValue // by device id and point key
	replaced        map[string]string               // serial number -> id of the device that it has replaced
	disabled        []string                        // ids that the host had disabled
	listKnown       bool                            // disabled was told once
	disabledRecords int                             // of the cache
	deleted         map[string]string               // ids that the owner has deleted -> the configuration then
	ledger          []ledger.Entry                  // in order
}

// own gives a memory maps of its own. They may be missing before.
func (m *Memory) own() {
	known, values, replaced := m.known, m.values, m.replaced
	m.known, m.values, m.replaced = map[string]knownDevice{}, map[string]map[string]keptValue{}, map[string]string{}
	maps.Copy(m.known, known)
	maps.Copy(m.replaced, replaced)
	for id, of := range values {
		m.values[id] = maps.Clone(of)
	}
}

// Known returns what is remembered of the device at a place, if it was of that profile.
func (m Memory) Known(place, profile string) (who devices.Identity, learned devices.Learned, ok bool) {
	k, ok := m.known[place]
	if !ok || k.Profile != profile {
		return devices.Identity{}, devices.Learned{}, false
	}
	return k.Identity, k.Learned, true
}

// Numbers returns the last numbers that were read of a device, by point.
func (m Memory) Numbers(device string) map[string]devices.Kept {
	all := map[string]devices.Kept{}
	for key, k := range m.values[device] {
		if k.Value.Kind == codec.KindNumber {
			all[key] = devices.Kept{Value: k.Value.Num, At: k.ReadAt}
		}
	}
	return all
}

// Ledger returns the set-values that are kept, the newest last.
func (m Memory) Ledger() []ledger.Entry { return ledger.New(m.ledger).Last(ledger.Size) }

// Recall reads the cache. It leaves out a record that it cannot understand, which may come from another version, and
// joins an error for it.
func Recall(k Keeper) (Memory, error) {
	m := Memory{known: map[string]knownDevice{}, values: map[string]map[string]keptValue{},
		replaced: map[string]string{}, deleted: map[string]string{}}
	var odd []error
	err := k.Each("", func(key string, value []byte) error {
		if err := m.take(key, value); err != nil {
			odd = append(odd, fmt.Errorf("cache: %s: %w", key, err))
		}
		return nil
	})
	return m, errors.Join(append(odd, err)...)
}

func (m *Memory) take(key string, text []byte) error {
	if place, ok := strings.CutPrefix(key, knownPrefix); ok {
		return decodeInto(text, func(k knownDevice) { m.known[place] = k })
	}
	if place, ok := strings.CutPrefix(key, valuePrefix); ok {
		at := strings.LastIndexByte(place, '/')
		if at < 0 {
			return errors.New("names no point")
		}
		return decodeInto(text, func(v keptValue) {
			if m.values[place[:at]] == nil {
				m.values[place[:at]] = map[string]keptValue{}
			}
			m.values[place[:at]][place[at+1:]] = v
		})
	}
	if strings.HasPrefix(key, ledger.Prefix) {
		return decodeInto(text, func(e ledger.Entry) { m.ledger = append(m.ledger, e) })
	}
	if id, ok := strings.CutPrefix(key, deletedPrefix); ok {
		return decodeInto(text, func(entry string) { m.deleted[id] = entry })
	}
	if serial, ok := strings.CutPrefix(key, replacedPrefix); ok {
		return decodeInto(text, func(id string) { m.replaced[serial] = id })
	}
	if strings.HasPrefix(key, disabledPrefix) {
		m.disabledRecords++
		return decodeInto(text, func(ids []string) { m.disabled, m.listKnown = append(m.disabled, ids...), true })
	}
	return errors.New("is of no kind known here")
}

func decodeInto[T any](text []byte, take func(T)) error {
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	take(v)
	return nil
}

// encode returns the JSON of a record. Every type of record can be encoded.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func valueKey(device, point string) string { return valuePrefix + device + "/" + point }
