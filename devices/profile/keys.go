package profile

import (
	"slices"
	"strings"
)

// formatKeys are all keys of a profile, by the mapping in which they stand; * marks those that must stand there.
// FORMAT.md explains each, which a test demands.
var formatKeys = map[string]keyList{
	"profile": listed("profile* name* manufacturer* sources* line* identify* parts defaults points*"),
	"line": listed("serial unit " + strings.Join(slices.Concat(SettingKeys(false), SettingKeys(true)), " ") +
		" source"),
	"identify": listed("serial model kind accept version source"),
	"field":    listed("at* type length order mask options no_value"), // serial, model, kind and version of identify
	"defaults": listed("order write source"),
	"point": listed("key* name* part only at* type length order mask options bool time bits scale offset no_value " +
		"unit class state precision every show category icon mode platform press write source why"),
	"write": listed("min max step with settle arm flash once readback"),
	"bool":  listed("on* off*"),

	// Of quantities.yaml.
	"vocabulary":      listed("units* parts*"),
	"unit":            listed("class precision range"),
	"vocabulary part": listed("name quantities*"),
	"quantity":        listed("name* form unit class state precision range sign category icon every show"),
}

// keyList are the keys of one mapping, and those of them that must stand there.
type keyList struct{ allowed, needed []string }

// listed reads a list in which * marks the keys that must stand there.
func listed(text string) (list keyList) {
	for key := range strings.FieldsSeq(text) {
		name, must := strings.CutSuffix(key, "*")
		list.allowed = append(list.allowed, name)
		if must {
			list.needed = append(list.needed, name)
		}
	}
	return list
}

// reserved reports whether a word is a key of a point, so that no variant may be called so: a value for each variant
// could not be told from a mapping of the format.
func reserved(word string) bool {
	return slices.Contains(slices.Concat(formatKeys["point"].allowed, formatKeys["write"].allowed,
		formatKeys["bool"].allowed), word)
}
