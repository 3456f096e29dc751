package codec

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// TypeError says that a value is of the wrong kind.
type TypeError struct{ Given, Expected string }

func (e *TypeError) Error() string { return fmt.Sprintf("%s is not %s", e.Given, e.Expected) }

// OptionError says that a value is none of the options.
type OptionError struct {
	Given   string
	Options []string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("%q is none of %s", e.Given, strings.Join(e.Options, ", "))
}

// OptionNames returns the names of the options in the order that people see, each once.
func (s Spec) OptionNames() []string { return s.names(func(Option) bool { return true }) }

// WritableOptions returns the names of the options that can be written.
func (s Spec) WritableOptions() []string { return s.names(func(o Option) bool { return !o.Fixed }) }

func (s Spec) names(which func(Option) bool) []string {
	names := make([]string, 0, len(s.Options))
	for _, o := range s.Options {
		if which(o) && !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	return names
}

// OptionLabels returns what people read for each of OptionNames.
func (s Spec) OptionLabels() []string {
	labels := s.OptionNames()
	for i, name := range labels {
		labels[i] = s.Options[slices.IndexFunc(s.Options, func(o Option) bool { return o.Name == name })].label()
	}
	return labels
}

// label returns what people read.
func (o Option) label() string { return cmp.Or(o.Label, o.Name) }

// Expected describes the values that the point accepts.
func (s Spec) Expected() string {
	switch s.Form {
	case OptionForm:
		return "one of " + strings.Join(s.WritableOptions(), ", ")
	case BoolForm:
		return "on or off"
	case BitsForm:
		return "writable: it is a set of bits"
	case VersionForm:
		return "writable: it is a version"
	}
	if s.IsMoment() {
		return "writable: it is a date and time"
	}
	if s.IsTime() {
		return "a time of day as HH:MM"
	}
	if s.Type == Text {
		return fmt.Sprintf("a text of at most %d bytes", s.Bytes())
	}
	return "a number"
}

// Parse turns what a host sends (float64, string or bool) into a value of this point. A number may be a text, an option
// is its name if it can be written, or a raw number that is none of them as it is shown, a time is HH:MM or HH:MM:00,
// and on and off may be words. The error is a *TypeError or an *OptionError.
func (s Spec) Parse(given any) (Value, error) {
	text, isText := given.(string)
	on, isBool := given.(bool)
	switch {
	case s.Form == OptionForm:
		return s.parseOption(given)
	case s.Form == BoolForm && isBool:
		return BoolOf(on), nil
	case s.Form == BoolForm && (given == "on" || given == "off"):
		return BoolOf(given == "on"), nil
	case s.IsTime() && isText:
		if v, ok := parseTime(text); ok {
			return v, nil
		}
	case s.Form == Plain && s.Type == Text && isText:
		return TextOf(text), nil
	case s.IsNumber():
		return s.parseNumber(given)
	}
	return Value{}, &TypeError{Given: show(given), Expected: s.Expected()}
}

func (s Spec) parseOption(given any) (Value, error) {
	text, ok := given.(string)
	if !ok {
		return Value{}, &TypeError{Given: show(given), Expected: s.Expected()}
	}
	if raw, ok := unlisted(text); ok && !s.lists(raw) && raw <= s.Largest() {
		return UnlistedOf(raw), nil
	}
	if names := s.WritableOptions(); !slices.Contains(names, text) {
		return Value{}, &OptionError{Given: text, Options: names}
	}
	return OptionOf(text), nil
}

// lists reports whether a raw number is one of the options.
func (s Spec) lists(raw uint64) bool {
	return slices.ContainsFunc(s.Options, func(o Option) bool { return o.Raw == raw })
}

func (s Spec) parseNumber(given any) (Value, error) {
	f, ok := given.(float64)
	if text, isText := given.(string); isText {
		var err error
		f, err = strconv.ParseFloat(strings.TrimSpace(text), 64)
		ok = err == nil && !strings.ContainsAny(text, "xXpP_")
	}
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, &TypeError{Given: show(given), Expected: s.Expected()}
	}
	return Number(f), nil
}

func show(given any) string {
	if text, ok := given.(string); ok {
		return strconv.Quote(text)
	}
	if given == nil {
		return "nothing"
	}
	return fmt.Sprint(given)
}
