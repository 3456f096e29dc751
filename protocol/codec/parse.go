package codec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
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

// OptionNames returns the names of the options in the order that people see.
func (s Spec) OptionNames() []string {
	names := make([]string, len(s.Options))
	for i, o := range s.Options {
		names[i] = o.Name
	}
	return names
}

// Expected describes the values that the point accepts.
func (s Spec) Expected() string {
	switch s.Form {
	case OptionForm:
		return "one of " + strings.Join(s.OptionNames(), ", ")
	case BoolForm:
		return "on or off"
	case TimePacked, TimeDecimal:
		return "a time of day as HH:MM"
	case BitsForm:
		return "writable: it is a set of bits"
	}
	if s.Type == Text {
		return fmt.Sprintf("a text of at most %d bytes", 2*s.Length)
	}
	return "a number"
}

// Parse turns what a host sends (float64, string or bool) into a value of this point. A number may be a text, an option
// is its name, a time is HH:MM or HH:MM:00, and on and off may be words. The error is a *TypeError or an *OptionError.
func (s Spec) Parse(given any) (Value, error) {
	text, isText := given.(string)
	switch s.Form {
	case OptionForm:
		return s.parseOption(given)
	case BoolForm:
		if on, ok := given.(bool); ok {
			return BoolOf(on), nil
		}
		if isText && (text == "on" || text == "off") {
			return BoolOf(text == "on"), nil
		}
	case TimePacked, TimeDecimal:
		for _, layout := range []string{"15:04", "15:04:05"} {
			if at, err := time.Parse(layout, text); isText && err == nil && at.Second() == 0 &&
				len(text) == len(layout) {
				return TimeOf(60*at.Hour() + at.Minute()), nil
			}
		}
	case Plain:
		if s.Type == Text && isText {
			return TextOf(text), nil
		}
		if s.Type != Text {
			return s.parseNumber(given)
		}
	}
	return Value{}, &TypeError{Given: show(given), Expected: s.Expected()}
}

func (s Spec) parseOption(given any) (Value, error) {
	text, ok := given.(string)
	if !ok {
		return Value{}, &TypeError{Given: show(given), Expected: s.Expected()}
	}
	for _, o := range s.Options {
		if o.Name == text {
			return OptionOf(text), nil
		}
	}
	return Value{}, &OptionError{Given: text, Options: s.OptionNames()}
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
