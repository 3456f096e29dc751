package facts

import (
	"slices"
	"strconv"
	"strings"
)

// Row is what one source says of one register. What it does not say is empty or nil.
type Row struct {
	Line    int    // in its file
	Key     string // our own short name for what the source calls it
	Model   uint16 // the SunSpec model, whose addresses count from its id register; otherwise 0
	Table   string // holding or input
	Addrs   []uint16
	Listed  bool   // every address is given: the low word first
	Type    string // one of types
	Order   string // hi or lo word first
	Scale   *float64
	Offset  float64
	Unit    string
	Read    bool
	Write   bool
	Limits  Limits
	Options []Option
	Mask    uint64   // 0: the whole
	NoValue []string // as in the file
	Gate    string   // which devices have it, in the source's own terms
	ScaleAt string   // the register or the key that holds the power of ten
	Marks   []string // what is not stated, see README.md
	Odd     string   // what a lenient reader could not read
}

// Limits are the bounds of a write, in the unit of the value. One can be another register: "reg:20+21".
type Limits struct{ Min, Max, Step string }

// Numbers returns both limits, and whether the source states both as numbers.
func (l Limits) Numbers() (low, high float64, ok bool) {
	low, err1 := strconv.ParseFloat(l.Min, 64)
	high, err2 := strconv.ParseFloat(l.Max, 64)
	return low, high, err1 == nil && err2 == nil
}

// Option is the name of a raw number, or of a bit.
type Option struct {
	Raw  uint64
	Name string
}

// Words returns how many registers the value takes.
func (r Row) Words() int { return len(r.Addrs) }

// Marked reports whether the row has the mark.
func (r Row) Marked(mark string) bool { return slices.Contains(r.Marks, mark) }

// types are the words of the column type. Their width is in registers; 0: as the column words says.
var types = map[string]int{"u8": 1, "s8": 1, "u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "s64": 4, "f32": 2,
	"f64": 4, "enum": 0, "bits": 0, "bool": 0, "str": 0, "time_hhmm_packed": 1, "time_hhmm_dec": 1, "time_hhmm_bcd": 1,
	"time_hhmm_swapped": 1, "datetime3_swapped": 3, "time_h_m": 2, "time_hh_mm_ascii": 0, "datetime3_packed": 3,
	"datetime6": 6, "epoch": 2, "sunssf": 1, "acc16": 1, "acc32": 2, "acc64": 4, "m16": 1, "m32": 2, "version": 0,
	"block": 0}

var marks = []string{"sign_not_stated", "scale_not_stated", "offset_not_stated", "unit_not_stated", "order_not_stated",
	"access_not_stated", "not_supported", "mandatory", "sign_turned", "part_of_sum"}

func (l *line) row() Row {
	c := l.cells
	r := Row{Key: c["key"], Table: c["table"], Type: strings.ToLower(c["type"]), Order: c["order"], Unit: c["unit"],
		Gate: c["gate"], ScaleAt: c["sf"], Limits: Limits{c["min"], c["max"], c["step"]},
		Read: strings.Contains(c["access"], "R"), Write: strings.Contains(c["access"], "W")}
	if r.Key == "" {
		l.fail("key", "it is missing")
	}
	l.oneOf("table", r.Table, "holding", "input", "coil", "discrete")
	l.oneOf("order", r.Order, "", "hi", "lo")
	l.oneOf("access", c["access"], "R", "W", "RW", "")
	r.Model = uint16(l.whole("model", 16))
	r.Mask = l.whole("mask", 64)
	r.Addrs = l.addresses()
	r.Listed = strings.Contains(c["address"], "+")
	l.typ(r)
	if c["scale"] != "" {
		if scale, ok := l.number("scale"); ok {
			r.Scale = &scale
		}
	}
	r.Offset, _ = l.number("offset")
	for _, limit := range []string{"min", "max", "step"} {
		if !strings.HasPrefix(c[limit], "reg:") {
			l.number(limit)
		}
	}
	r.Options = l.options()
	r.NoValue = split(c["nan"], ";")
	r.Marks = split(c["mark"], "+")
	for _, mark := range r.Marks {
		l.oneOf("mark", mark, marks...)
	}
	return r
}

func split(text, by string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, by)
}

func (l *line) oneOf(column, word string, words ...string) {
	if !slices.Contains(words, word) {
		l.fail(column, "%q is not one of %s", word, strings.Join(words, ", "))
	}
}

func (l *line) typ(r Row) {
	width, known := types[r.Type]
	switch {
	case !known:
		l.fail("type", "%q is unknown", r.Type)
	case width > 0 && width != r.Words():
		l.fail("words", "%d do not hold %s", r.Words(), r.Type)
	}
}

func (l *line) whole(column string, bits int) uint64 {
	if l.cells[column] == "" {
		return 0
	}
	n, err := strconv.ParseUint(l.cells[column], 0, bits)
	if err != nil {
		l.fail(column, "%q is not a whole number of %d bits", l.cells[column], bits)
	}
	return n
}

func (l *line) number(column string) (float64, bool) {
	if l.cells[column] == "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(l.cells[column], 64)
	if err != nil {
		l.fail(column, "%q is not a number", l.cells[column])
	}
	return f, err == nil
}

// addresses reads "622", the first of neighbours, or "622+687", the low word first. Each holds as many words.
func (l *line) addresses() []uint16 {
	words, err := strconv.Atoi(l.cells["words"])
	if err != nil || words < 1 || words > 4096 {
		l.fail("words", "%q is not a number of registers", l.cells["words"])
		return nil
	}
	starts := strings.Split(l.cells["address"], "+")
	if words%len(starts) != 0 {
		l.fail("address", "%d places cannot share %d words", len(starts), words)
		return nil
	}
	var addrs []uint16
	for _, start := range starts {
		first, err := strconv.ParseUint(start, 10, 16)
		if err != nil || int(first)+words/len(starts) > 65536 {
			l.fail("address", "%q is not an address", start)
			return nil
		}
		for i := range words / len(starts) {
			addrs = append(addrs, uint16(first)+uint16(i))
		}
	}
	return addrs
}

// options reads "0=off;1=on". A name for what is no number, such as other=off, is left out.
func (l *line) options() []Option {
	var options []Option
	for _, entry := range split(l.cells["options"], ";") {
		raw, name, ok := strings.Cut(strings.TrimSpace(entry), "=")
		if !ok {
			l.fail("options", "%q is not of the form number=name", entry)
			continue
		}
		n, err := strconv.ParseUint(raw, 0, 64)
		if err == nil {
			options = append(options, Option{n, name})
		}
	}
	return options
}
