package codec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the longest text a host shows as a state, in characters. Source: Home Assistant's MAX_LENGTH_STATE_STATE.
const MaxText = 255

// Decode returns the value of the words as they arrive on the wire; there must be Words() of them. A raw number that
// cannot be a value (a no-value pattern, 25:61) becomes no value, with a reason that names it.
func (s Spec) Decode(words []uint16) Value {
	if len(words) != s.Words() {
		return None(fmt.Sprintf("%d words instead of %d", len(words), s.Words()))
	}
	if s.ScaleWord {
		var why string
		if s, words, why = s.scaled(words); why != "" {
			return None(why)
		}
	}
	if s.Type == Text && s.IsMoment() {
		return s.decodeMoment(words)
	}
	if s.Type == Text {
		return s.decodeText(words)
	}
	raw := s.join(words)
	if s.isNoValue(raw) {
		return None(fmt.Sprintf("the device says that it has no value (0x%X)", raw))
	}
	part := raw & s.mask() >> s.shift()
	switch s.Form {
	case OptionForm:
		return s.decodeOption(part)
	case BoolForm:
		return s.decodeBool(part)
	case BitsForm:
		return s.decodeBits(part)
	case VersionForm:
		return s.decodeVersion(part)
	case EpochForm:
		return decodeEpoch(part)
	case Plain:
		return s.decodeNumber(part)
	}
	return s.decodeTime(part)
}

// isNoValue reports whether a raw number means "not available".
func (s Spec) isNoValue(raw uint64) bool {
	for _, r := range s.NoValue {
		if r.From <= raw && raw <= r.To {
			return true
		}
	}
	return false
}

// mostPower is the largest power of ten that is believed. Source: the SunSpec model definitions, type sunssf.
const mostPower = 10

// scaled applies the ScaleWord: it returns the spec and the words without it, or why there is no value.
func (s Spec) scaled(words []uint16) (own Spec, rest []uint16, why string) {
	power := int16(words[len(words)-1])
	switch {
	case power == math.MinInt16:
		return s, words, "the device says that it has no value (scale 0x8000)"
	case power < -mostPower || power > mostPower:
		return s, words, fmt.Sprintf("the device holds the power of ten %d, which no value has", power)
	}
	text := strconv.FormatFloat(s.scale()*math.Pow10(int(power)), 'g', 15, 64)
	s.ScaleWord = false
	s.Scale, _ = strconv.ParseFloat(text, 64)
	return s, words[:len(words)-1], ""
}

func (s Spec) decodeNumber(part uint64) Value {
	if v, large := s.decodeLarge(part); large {
		return v
	}
	var raw float64
	switch {
	case s.Type == F32:
		if part<<33>>56 == 0 && part<<33 != 0 {
			return None(fmt.Sprintf("0x%08X is no number that a device measures: the order of its words may be another",
				part))
		}
		raw = float64(math.Float32frombits(uint32(part)))
		// Take the shortest decimal of the 32 bits: 0.1 must not become 0.10000000149.
		raw, _ = strconv.ParseFloat(strconv.FormatFloat(raw, 'g', -1, 32), 64)
	case s.Type == F64:
		raw = math.Float64frombits(part)
	case s.Type.Signed():
		raw = float64(s.extend(part))
	default:
		raw = float64(part)
	}
	return Number(s.round(raw*s.scale() + s.Offset))
}

// exact is the largest whole number up to which a float holds every whole number: 2^53.
const exact = 1 << 53

// decodeLarge returns a whole number that a float cannot hold, with all its digits.
func (s Spec) decodeLarge(part uint64) (v Value, large bool) {
	if s.Type.Float() || s.scale() != 1 || s.Offset != 0 {
		return Value{}, false
	}
	if !s.Type.Signed() {
		return Value{Kind: KindNumber, Num: float64(part), Str: strconv.FormatUint(part, 10)}, part > exact
	}
	n := s.extend(part)
	return Value{Kind: KindNumber, Num: float64(n), Str: strconv.FormatInt(n, 10)}, n > exact || n < -exact
}

// extend extends the sign of a masked number to 64 bits.
func (s Spec) extend(part uint64) int64 {
	unused := 64 - s.width()
	if s.Type.magnitude() {
		if magnitude := int64(part << (unused + 1) >> (unused + 1)); part>>(s.width()-1) == 0 {
			return magnitude
		} else {
			return -magnitude
		}
	}
	return int64(part<<unused) >> unused
}

func (s Spec) scale() float64 {
	if s.Scale == 0 {
		return 1
	}
	return s.Scale
}

// Decimals returns how many decimals a number can have, as scale and offset imply; -1 for a float and with a ScaleWord.
func (s Spec) Decimals() int {
	if s.Type.Float() || s.ScaleWord {
		return -1
	}
	return max(decimals(s.scale()), decimals(s.Offset))
}

func decimals(f float64) int {
	_, frac, _ := strings.Cut(strconv.FormatFloat(f, 'f', -1, 64), ".")
	return len(frac)
}

// round removes the noise of floats: 3 * 0.1 is 0.3. A scaled float keeps 15 digits; further ones are not reliable.
func (s Spec) round(f float64) float64 {
	text := ""
	switch {
	case !s.Type.Float():
		text = strconv.FormatFloat(f, 'f', s.Decimals(), 64)
	case s.scale() == 1 && s.Offset == 0:
		return f
	default:
		text = strconv.FormatFloat(f, 'g', 15, 64)
	}
	f, _ = strconv.ParseFloat(text, 64) // beyond the largest float it is infinity, which is no value
	return f
}

func (s Spec) decodeOption(part uint64) Value {
	for _, o := range s.Options {
		if o.Raw == part {
			return OptionOf(o.Name)
		}
	}
	return UnlistedOf(part)
}

func (s Spec) decodeBool(part uint64) Value {
	switch part {
	case s.On:
		return BoolOf(true)
	case s.Off:
		return BoolOf(false)
	}
	return None(fmt.Sprintf("the device holds %d, which is neither on (%d) nor off (%d)", part, s.On, s.Off))
}

// decodeBits names the bits that are set, or says "none".
func (s Spec) decodeBits(part uint64) Value {
	var names []string
	for bit := range 64 {
		if part>>bit&1 == 0 {
			continue
		}
		name := fmt.Sprintf("bit %d", bit)
		for _, o := range s.Options {
			if o.Raw == uint64(bit) {
				name = o.label()
			}
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return TextOf("none")
	}
	return TextOf(cut(strings.Join(names, ", ")))
}

func (s Spec) decodeText(words []uint16) Value {
	raw := make([]byte, 0, 2*len(words))
	for _, w := range words {
		if s.Mask != 0 {
			raw = append(raw, byte(w>>s.textShift()))
			continue
		}
		if s.Order.lowByteFirst() {
			w = w<<8 | w>>8
		}
		raw = append(raw, byte(w>>8), byte(w))
	}
	text := strings.TrimSpace(string(whole(raw)))
	if text == "" {
		return None("the device holds no text")
	}
	if slices.Contains(s.NoText, text) {
		return None(fmt.Sprintf("the device says that it has no value (%q)", text))
	}
	if s.Form == TimeASCII {
		return decodeClock(text)
	}
	if !printable(text) {
		return None("the device holds bytes that are no text")
	}
	return TextOf(cut(text))
}

// whole returns the bytes of a text up to its end, which is the first 0x00 or 0xFF: some devices leave garbage behind a
// 0x00, and some pad with 0xFF. A character that the end cuts in two is left out.
func whole(raw []byte) []byte {
	if end := slices.IndexFunc(raw, func(c byte) bool { return c == 0 || c == 0xFF }); end >= 0 {
		raw = raw[:end]
	}
	for n := 1; n < utf8.UTFMax && n <= len(raw); n++ {
		if last := raw[len(raw)-n:]; utf8.RuneStart(last[0]) && !utf8.FullRune(last) {
			return raw[:len(raw)-n]
		}
	}
	return raw
}

// printable reports whether a text is UTF-8 of characters that people can see, and blanks.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// cut shortens a text to what a host accepts.
func cut(text string) string {
	if utf8.RuneCountInString(text) <= MaxText {
		return text
	}
	return string([]rune(text)[:MaxText-1]) + "…"
}
