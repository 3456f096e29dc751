package devhost

import (
	"slices"

	"solarhub/plugin/host"
)

// Nothing is translated here, so an entity whose options have labels shows these, as the companion does for options
// that it has no words for.

// labelOf returns the label of an option.
func labelOf(e host.Entity, value any) (string, bool) {
	slug, _ := value.(string)
	if i := slices.Index(e.Options, slug); i >= 0 && i < len(e.Labels) {
		return e.Labels[i], true
	}
	return "", false
}

// slugOf returns the slug of an option of which the label is given, and any other value as it is.
func slugOf(e host.Entity, value any) any {
	label, _ := value.(string)
	if i := slices.Index(e.Labels, label); i >= 0 && i < len(e.Options) {
		return e.Options[i]
	}
	return value
}

// shown returns a value as the state of the entity shows it.
func shown(e host.Entity, value any) any {
	if label, ok := labelOf(e, value); ok {
		return label
	}
	return value
}
