package devhost

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// field is what a command or an action may carry under a name.
type field struct {
	kind
	required bool
}

// kind is what a value must be.
type kind struct {
	want string
	fits func(v any) bool
}

func typed[T any](want string) kind {
	return kind{want, func(v any) bool { _, ok := v.(T); return ok }}
}

var (
	str      = typed[string]("str")
	boolean  = typed[bool]("bool")
	dict     = typed[map[string]any]("dict")
	anything = kind{"anything", func(any) bool { return true }}
	integer  = kind{"int", func(v any) bool { f, ok := v.(float64); return ok && f == math.Trunc(f) }}
	ids      = kind{"a list of entity ids", func(v any) bool { _, err := entityIDs(v); return err == nil }}
	texts    = listOf(str)
)

func listOf(k kind) kind {
	return kind{"a list of " + k.want, func(v any) bool {
		l, ok := v.([]any)
		return ok && !slices.ContainsFunc(l, func(v any) bool { return !k.fits(v) })
	}}
}

func mapOf(k kind) kind {
	return kind{"a dict of " + k.want, func(v any) bool {
		m, ok := v.(map[string]any)
		for _, v := range m {
			ok = ok && k.fits(v)
		}
		return ok
	}}
}

func maybe(k kind) kind {
	return kind{k.want + " or None", func(v any) bool { return v == nil || k.fits(v) }}
}

func needs(k kind) field { return field{k, true} }
func may(k kind) field   { return field{k, false} }

// fit says what is wrong with fields. Unless open, a field that has no name here is wrong.
func fit(want map[string]field, fields map[string]any, open bool) error {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v, given := fields[name]
		switch f := want[name]; {
		case !given && f.required:
			wrong = append(wrong, fmt.Sprintf("required key not provided at '%s'", name))
		case given && !f.fits(v):
			wrong = append(wrong, fmt.Sprintf("expected %s at '%s'", f.want, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, known := want[name]; !known && !open {
			wrong = append(wrong, fmt.Sprintf("not a valid option at '%s'", name))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return invalid("%s", strings.Join(wrong, "\n"))
}
