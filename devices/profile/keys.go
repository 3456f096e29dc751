package profile

import (
	"slices"
	"strings"
)

// formatKeys are all keys of a profile, by the mapping in which they stand; * marks those that must stand there.
// FORMAT.md explains each, which a test demands.
var formatKeys = map[string]keyList{
	"profile": listed("profile* name* manufacturer* sources* line* identify* " + headKeys),
	"file":    listed("profile name manufacturer sources line identify " + headKeys), // one that may have a base
	"source":  listed("level* text*"),
	"line": listed("serial unit " + strings.Join(slices.Concat(SettingKeys(false), SettingKeys(true)), " ") +
		" starts never writes_apart source"),
	"sunspec":  listed("bases*"),
	"identify": listed("serial model version expect never source"),
	"field":    listed("at* " + fieldKeys), // serial, model and version of identify
	"expect":   listed("serial model name at values " + fieldKeys),
	"trait": listed("at answers serial model version choice values number otherwise typical ask when source " +
		fieldKeys),
	"defaults": listed("order write source"),
	"group":    listed("when repeat part every show entity source points*"),
	"repeat":   listed("a b c d e f g h i j k l m n o p q r s t u v w x y z most stride offsets"),
	"place":    listed("model* offset*"),
	"point": listed("is key name part when at type length order byte mask options bool time bits version epoch " +
		"datetime scale offset scale_at no_value value negative stride alone unit class state precision range every " +
		"show entity category icon mode platform press write source why"),
	"write": listed("min max step at type order mask scale offset options with settle arm flash once readback " +
		"around"),
	"around":      listed("before after source"),
	"step":        listed("at* value* mask with held wait"),
	"write group": listed("name* together* constants fill stride around source"),
	"bool":        listed("on* off*"),

	// Of quantities.yaml.
	"vocabulary":      listed("units* parts*"),
	"unit":            listed("class precision range"),
	"vocabulary part": listed("name quantities*"),
	"quantity":        listed("name* form unit class state precision range sign category icon every show"),
}

const (
	headKeys = "base drop models aliases captures lacks sunspec " +
		"traits tables parts defaults around write_groups points"
	fieldKeys = "type length order byte mask bool options scale offset no_value"
)

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
		formatKeys["bool"].allowed, formatKeys["place"].allowed, []string{"when", "else", "not", "and"}), word)
}
