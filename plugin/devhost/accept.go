package devhost

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// accepts says why the host would refuse v as the value of e.
func (e *entity) accepts(v any) error {
	if v == nil {
		return nil
	}
	switch e.def.Platform {
	case "binary_sensor", "switch":
		return must[bool](v)
	case "number":
		return must[float64](v)
	case "select":
		return e.option(v)
	case "text":
		return e.written(v)
	case "time":
		return matches(clock, v, "a time of day like 06:30")
	case "button":
		return nil // its state is its last press
	}
	return e.sensed(v)
}

// sensed says why a sensor cannot show v.
func (e *entity) sensed(v any) error {
	switch e.def.DeviceClass {
	case "enum":
		return e.option(v)
	case "timestamp":
		_, err := time.Parse(time.RFC3339, fmt.Sprint(v))
		return err
	case "date":
		_, err := time.Parse(time.DateOnly, fmt.Sprint(v))
		return err
	}
	if e.def.DeviceClass != "" || e.def.Unit != "" || e.def.StateClass != "" || e.def.Precision != nil {
		return must[float64](v)
	}
	if _, is := v.(float64); is {
		return nil
	}
	s, is := v.(string)
	if !is || utf8.RuneCountInString(s) > stateMax {
		return fmt.Errorf("%v is neither a number nor a text of at most %d characters", v, stateMax)
	}
	return nil
}

func must[T any](v any) error {
	if _, ok := v.(T); !ok {
		var want T
		return fmt.Errorf("%v is %T, not %T", v, v, want)
	}
	return nil
}

func (e *entity) option(v any) error {
	if s, ok := v.(string); !ok || !slices.Contains(e.def.Options, s) {
		return fmt.Errorf("%v is none of the options %s", v, strings.Join(e.def.Options, ", "))
	}
	return nil
}

// clock is a time of day. Python takes 24:00 for midnight.
var clock = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)

func matches(r *regexp.Regexp, v any, want string) error {
	if s, ok := v.(string); !ok || !r.MatchString(s) {
		return fmt.Errorf("%v is no %s", v, want)
	}
	return nil
}

// written says why a text entity cannot show v.
func (e *entity) written(v any) error {
	s, ok := v.(string)
	n := utf8.RuneCountInString(s)
	if !ok || n < e.shortest() || n > e.longest() {
		return fmt.Errorf("%v is no text of %d to %d characters", v, e.shortest(), e.longest())
	}
	if e.def.Pattern != "" && !begins(e.def.Pattern).MatchString(s) {
		return fmt.Errorf("%q does not fit the pattern %s", s, e.def.Pattern)
	}
	return nil
}

// begins compiles a pattern that must fit the beginning of a text, as Python's re.match wants it.
func begins(pattern string) *regexp.Regexp {
	r, err := regexp.Compile("^(?:" + pattern + ")")
	if err != nil { // Python knows some that Go does not: then everything fits
		return regexp.MustCompile("")
	}
	return r
}
