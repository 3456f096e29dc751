package codec

import (
	"fmt"
	"strings"
	"time"
)

// IsTime reports whether the value is a time of day.
func (s Spec) IsTime() bool {
	switch s.Form {
	case TimePacked, TimeDecimal, TimeSwapped, TimePair, TimeASCII, TimeBCD, TimeMinutes:
		return true
	}
	return false
}

func (s Spec) decodeTime(raw uint64) Value {
	switch s.Form {
	case TimePacked:
		return timeOf(raw>>8, raw&0xFF, raw)
	case TimeDecimal:
		return timeOf(raw/100, raw%100, raw)
	case TimeSwapped:
		return timeOf(raw&0xFF, raw>>8, raw)
	case TimePair:
		return timeOf(raw>>16, raw&0xFFFF, raw)
	case TimeMinutes:
		return timeOf(raw/60, raw%60, raw)
	}
	return timeOf(fromBCD(raw>>8), fromBCD(raw&0xFF), raw)
}

func timeOf(hour, minute, raw uint64) Value {
	if hour > 23 && (hour != 24 || minute != 0) || minute > 59 {
		return None(fmt.Sprintf("the device holds %d, which is no time of day", raw))
	}
	return TimeOf(int(60*hour + minute)) // 24:00 is how GivEnergy ends a window at the end of the day
}

// fromBCD reads two decimal digits of four bits each; what is none of them is no hour and no minute.
func fromBCD(b uint64) uint64 {
	if b>>4 > 9 || b&0xF > 9 {
		return 99
	}
	return b>>4*10 + b&0xF
}

// encodeTime returns the raw number of a time of day. Whether a device takes 24:00 is for the caller to know.
func (s Spec) encodeTime(minutes int) (uint64, error) {
	if minutes < 0 || minutes > 24*60 {
		return 0, fmt.Errorf("%d minutes since midnight are no time of day", minutes)
	}
	hour, minute := uint64(minutes/60), uint64(minutes%60)
	switch s.Form {
	case TimePacked:
		return hour<<8 | minute, nil
	case TimeDecimal:
		return 100*hour + minute, nil
	case TimeSwapped:
		return minute<<8 | hour, nil
	case TimePair:
		return hour<<16 | minute, nil
	case TimeMinutes:
		return uint64(minutes), nil
	}
	return hour/10<<12 | hour%10<<8 | minute/10<<4 | minute%10, nil
}

// decodeClock reads "06:30" or "0630".
func decodeClock(text string) Value {
	if len(text) == 4 {
		text = text[:2] + ":" + text[2:]
	}
	v, ok := parseTime(text)
	if !ok || len(text) != len("06:30") {
		return None(fmt.Sprintf("the device holds %q, which is no time of day", text))
	}
	return v
}

// encodeClock is the inverse of decodeClock, without a colon where the registers have no room for it.
func (s Spec) encodeClock(minutes int) (string, error) {
	if minutes < 0 || minutes > 24*60 {
		return "", fmt.Errorf("%d minutes since midnight are no time of day", minutes)
	}
	text := TimeOf(minutes).String()
	if s.Length < 3 {
		text = strings.ReplaceAll(text, ":", "")
	}
	return text, nil
}

// parseTime reads HH:MM or HH:MM:00, up to 24:00.
func parseTime(text string) (Value, bool) {
	if text == "24:00" {
		return TimeOf(24 * 60), true
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil && at.Second() == 0 && len(text) == len(layout) {
			return TimeOf(60*at.Hour() + at.Minute()), true
		}
	}
	return Value{}, false
}

// decodeEpoch returns a moment as a text. Beyond the year 9999 it is none.
func decodeEpoch(seconds uint64) Value {
	if end := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); seconds >= uint64(end) {
		return None(fmt.Sprintf("the device holds %d, which is no moment", seconds))
	}
	return TextOf(time.Unix(int64(seconds), 0).UTC().Format(time.DateTime))
}

// decodeVersion returns the parts of a version, joined by dots.
func (s Spec) decodeVersion(raw uint64) Value {
	rest := 0
	for _, width := range s.Version {
		rest += width
	}
	parts := make([]string, len(s.Version))
	for i, width := range s.Version {
		rest -= width
		parts[i] = fmt.Sprint(raw >> rest & (1<<width - 1))
	}
	return TextOf(strings.Join(parts, "."))
}
