package operate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/plugin/control"
	"solarhub/plugin/ledger"
)

// Host is who set what has no other name.
const Host = "Home Assistant"

// Entries returns set-values in the words of the socket: of one device, by its name or id, or of all without. names are
// those of the devices by their ids.
func Entries(all []ledger.Entry, names map[string]string, device string) ([]control.Entry, error) {
	entries := []control.Entry{}
	ids := map[string]bool{}
	for _, e := range all {
		id, key := split(e.ID, names)
		ids[id] = true
		if device != "" && device != id && device != names[id] {
			continue
		}
		one := control.Entry{Number: e.Number, At: e.At, By: cmp.Or(e.By, Host), Device: cmp.Or(names[id], id),
			Key: key, Action: e.Action, Value: e.Value, Force: e.Force, Outcome: e.Outcome, Reason: e.Reason,
			Found: e.Found, TookMS: e.TookMS}
		if e.Reverted != nil {
			one.Reverted = e.Reverted.Found
		}
		entries = append(entries, one)
	}
	known := slices.Sorted(maps.Values(names))
	if device != "" && len(entries) == 0 && !ids[device] && names[device] == "" && !slices.Contains(known, device) {
		return nil, unknown("there is no device %q; there are: %s%s", device, strings.Join(known, ", "),
			strict.Meant(device, known))
	}
	return entries, nil
}

// split takes the id of an entity apart. Of a device that is no longer there nobody knows where its id ends: at the
// first underscore.
func split(entity string, names map[string]string) (device, key string) {
	for id := range names {
		if rest, ok := strings.CutPrefix(entity, id+"_"); ok && id != "" && len(id) > len(device) {
			device, key = id, rest
		}
	}
	if device == "" {
		device, key, _ = strings.Cut(entity, "_")
	}
	return device, key
}
