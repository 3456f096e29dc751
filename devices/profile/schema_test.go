package profile

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"solarhub/protocol/codec"
)

type schema = map[string]any

// nested are the mappings behind keys, by the mapping and the key.
var nested = map[string]map[string]string{
	"profile":  {"line": "line", "identify": "identify", "sunspec": "sunspec", "defaults": "defaults"},
	"identify": {"serial": "field", "model": "field", "version": "field", "expect": "expect"},
	"group":    {"repeat": "repeat"},
	"point":    {"write": "write", "bool": "bool"},
	"around":   {"before": "step", "after": "step"},
}

// wordsOf are the words that a key can have.
func wordsOf() map[string][]string {
	classes := slices.Sorted(maps.Keys(quantities))
	for _, more := range flags {
		classes = append(classes, more...)
	}
	slices.Sort(classes)
	return map[string][]string{
		"type": typeWords, "order": codec.OrderNames(), "every": intervals, "category": categories, "time": timeWords,
		"datetime": momentWords,
		"byte":     {"low", "high"}, "mode": {"box", "slider"}, "with": writeWords, "state": stateClasses,
		"class": slices.Compact(classes), "platform": {"button"}, "level": sourceLevels,
	}
}

// schemaOf returns the JSON schema of a profile, by which an editor completes and checks one. Where a value can differ
// by the words of a trait, any mapping is right for it.
func schemaOf() schema {
	defs := schema{}
	for name, keys := range formatKeys {
		if slices.Contains([]string{"vocabulary", "unit", "vocabulary part", "quantity", "file"}, name) {
			continue
		}
		properties := schema{}
		for _, key := range keys.allowed {
			properties[key] = valueOf(name, key)
		}
		def := schema{"type": "object", "properties": properties, "additionalProperties": false}
		if needed := keys.needed; name == "profile" {
			def["required"] = []string{"profile"} // the rest can be in its base
		} else if len(needed) > 0 {
			def["required"] = needed
		}
		defs[name] = def
	}
	defs["item"] = schema{"anyOf": []any{ref("point"), schema{"type": "object", "required": []string{"group"},
		"properties": schema{"group": ref("group")}, "additionalProperties": false}}}
	return schema{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "SolarHub profile", "$defs": defs,
		"$ref": "#/$defs/profile"}
}

func ref(name string) schema { return schema{"$ref": "#/$defs/" + name} }

// valueOf returns the schema of the value behind a key.
func valueOf(mapping, key string) schema {
	words, hasWords := wordsOf()[key]
	inner := nested[mapping][key]
	switch {
	case key == "points":
		return schema{"type": "array", "items": ref("item")}
	case key == "traits":
		return schema{"type": "object", "additionalProperties": ref("trait")}
	case mapping == "profile" && key == "around":
		return schema{"type": "object", "additionalProperties": ref("around")}
	case key == "write_groups":
		return schema{"type": "object", "additionalProperties": ref("write group")}
	case inner == "step":
		return schema{"anyOf": []any{ref(inner), schema{"type": "array", "items": ref(inner)}}}
	case key == "sources":
		return schema{"type": "object", "additionalProperties": schema{"anyOf": []any{
			schema{"type": []string{"string", "array"}}, ref("source")}}}
	case inner == "field" || inner == "expect":
		return schema{"anyOf": []any{ref(inner), schema{"type": "array", "items": ref(inner)}}}
	case inner != "" && mapping == "point":
		return schema{"anyOf": []any{ref(inner), schema{"type": "object"}}}
	case inner != "":
		return ref(inner)
	case mapping == "defaults" && key == "write":
		return schema{"enum": writeWords}
	case key == "is":
		var keys []string
		for _, q := range Quantities() {
			keys = append(keys, q.Key)
		}
		return schema{"anyOf": []any{schema{"enum": keys}, schema{"type": "string"}}}
	case hasWords && (mapping == "point" || mapping == "write" || mapping == "defaults"):
		return schema{"anyOf": []any{schema{"enum": words}, schema{"type": "object"}}}
	case hasWords:
		return schema{"enum": words}
	}
	return schema{}
}

// TestSchema holds schema.json to the keys of the loader.
func TestSchema(t *testing.T) {
	text, err := json.MarshalIndent(schemaOf(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "schema.json", string(text)+"\n")
}
