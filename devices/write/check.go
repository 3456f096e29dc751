package write

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// check finds the point of a set-value and turns the value into one that may be written; an Error says why not.
func (w *Writer) check(set Set) (profile.Point, codec.Value, *Error) {
	p, ok := w.find(set.Key)
	if !ok {
		return p, codec.Value{}, w.unknown(set.Key)
	}
	if err := w.mayWrite(p); err != nil {
		return p, codec.Value{}, err
	}
	if p.Button() {
		return pressing(p), codec.Number(float64(p.Write.Press)), nil
	}
	if p.IsClock() {
		return w.checkClock(p, set)
	}
	v, err := p.Spec.Parse(set.Value)
	if err != nil {
		return p, v, wrongValue(p, set.Value, err)
	}
	if v, err := w.checkRange(p, v); err != nil {
		return p, v, err
	}
	if v.Kind == codec.KindNumber {
		v = snap(p, v.Num)
	}
	spec := writeSpec(p)
	if _, err := spec.Encode(v, make([]uint16, spec.Words())); err != nil && !spec.ScaleWord {
		return p, v, wrongValue(p, set.Value, err)
	}
	return p, v, nil
}

// checkRange refuses a number out of range or off step, a raw number that is none of the options, and 24:00, unless the
// device itself was found to hold it; and the words by which a host says that it has no value.
func (w *Writer) checkRange(p profile.Point, v codec.Value) (codec.Value, *Error) {
	var refused *Error
	switch {
	case v.Kind == codec.KindText && (v.Str == "unknown" || v.Str == "unavailable"):
		return v, wrongValue(p, v, &codec.TypeError{Given: v.Str, Expected: "a text but the word for none"})
	case v == endOfDay:
		refused = wrongValue(p, v, &codec.TypeError{Given: "24:00", Expected: p.Spec.Expected()})
	case v.Kind == codec.KindNumber:
		v, refused = checkNumber(p, v.Num)
	case v.Kind == codec.KindUnlisted:
		refused = wrongValue(p, v, &codec.OptionError{Given: v.Str, Options: p.Spec.WritableOptions()})
	}
	if refused == nil {
		return v, nil
	}
	if held, ok := w.cfg.Held.find(p, v); ok {
		return held, nil
	}
	return v, refused
}

// unknown tells a key that does not exist from one of a device that has never been seen.
func (w *Writer) unknown(key string) *Error {
	none := profile.Point{Name: key}
	id, why := w.device.Known()
	if id == "" {
		reason := fmt.Sprintf("%s has not been identified yet: %s", w.cfg.Name, why)
		return failure(StageNotSent, none, CodeNotIdentified, reason, nil, "device", w.cfg.Name)
	}
	reason := fmt.Sprintf("%s has no %q", w.cfg.Name, key)
	return failure(StageRefused, none, CodeUnknownEntity, reason, nil, "id", id+"_"+key)
}

// mayWrite refuses what is read only, as a point or as a whole, and what needs arming.
func (w *Writer) mayWrite(p profile.Point) *Error {
	switch {
	case w.cfg.ReadOnly:
		return failure(StageRefused, p, CodeReadOnly,
			fmt.Sprintf("%s is read only: the configuration says so for %s", p.Name, w.cfg.Name), nil)
	case p.Write == nil && p.Why != "":
		return failure(StageRefused, p, CodeReadOnly, fmt.Sprintf("%s is read only: %s", p.Name, p.Why), nil)
	case p.Write == nil:
		return failure(StageRefused, p, CodeReadOnly, p.Name+" is read only", nil)
	case len(p.Write.Ranges) == 0 && len(p.Ranges) > 1: // never torn, so never in two requests
		return failure(StageRefused, p, CodeReadOnly,
			fmt.Sprintf("%s is read only: its words lie apart (%s) and no one request writes them", p.Name,
				registers(p)), nil)
	case p.Write.Arm && !slices.Contains(w.cfg.Arm, p.Key):
		reason := fmt.Sprintf("%s is a setting of the installer: to write it put %s under arm: in the configuration",
			p.Name, p.Key)
		return failure(StageRefused, p, CodeNotArmed, reason, nil, "key", p.Key)
	}
	return nil
}

// pressing returns the button as a point whose value is its raw number.
func pressing(p profile.Point) profile.Point {
	p.Spec.Form, p.Spec.Scale, p.Spec.Offset = codec.Plain, 0, 0
	return p
}

// wrongValue turns an error of the codec into a refusal.
func wrongValue(p profile.Point, given any, err error) *Error {
	value := fmt.Sprint(given)
	reason := fmt.Sprintf("%s: %v", p.Name, err)
	if option, ok := errors.AsType[*codec.OptionError](err); ok {
		return failure(StageRefused, p, CodeUnknownOption, reason, err, "value", value, "options",
			strings.Join(option.Options, ", "))
	}
	return failure(StageRefused, p, CodeWrongType, reason, err, "value", value, "expected", p.Spec.Expected())
}

// checkNumber refuses a number out of range or off step. The noise of floats is no reason.
func checkNumber(p profile.Point, f float64) (codec.Value, *Error) {
	w, snapped := p.Write, snap(p, f)
	value := plain(f)
	if snapped.Num < w.Min || snapped.Num > w.Max {
		reason := fmt.Sprintf("%s %s is outside %s to %s", p.Name, withUnit(value, p.Unit), plain(w.Min),
			withUnit(plain(w.Max), p.Unit))
		return snapped, failure(StageRefused, p, CodeOutOfRange, reason, nil, "value", value, "min", plain(w.Min),
			"max", plain(w.Max), "unit", p.Unit)
	}
	if steps := (snapped.Num - w.Min) / w.Step; w.Step > 0 && math.Abs(steps-math.Round(steps)) > stepNoise {
		below, above := plain(w.Min+math.Floor(steps)*w.Step), plain(w.Min+math.Ceil(steps)*w.Step)
		reason := fmt.Sprintf("%s %s is between two steps of %s: %s and %s are the nearest",
			p.Name, withUnit(value, p.Unit), plain(w.Step), below, withUnit(above, p.Unit))
		return snapped, failure(StageRefused, p, CodeOffStep, reason, nil, "value", value, "step", plain(w.Step),
			"below", below, "above", above)
	}
	return snapped, nil
}

// stepNoise is how far, in steps, a number may lie beside the step that is meant: a host that converts units hands over
// 3299.9999999995 for 3300.
const stepNoise = 1e-6

// snap takes a number to the step that it is meant to be, if it is that near.
func snap(p profile.Point, f float64) codec.Value {
	w := p.Write
	if w.Step <= 0 {
		return codec.Number(f)
	}
	if steps := (f - w.Min) / w.Step; math.Abs(steps-math.Round(steps)) <= stepNoise {
		return codec.Number(w.Min + math.Round(steps)*w.Step)
	}
	return codec.Number(f)
}

// plain prints a number without the noise of floats and without an exponent.
func plain(f float64) string {
	short, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 12, 64), 64)
	if err != nil {
		short = f
	}
	return strconv.FormatFloat(short, 'f', -1, 64)
}

func withUnit(value, unit string) string {
	if unit == "" {
		return value
	}
	return value + " " + unit
}
