package facts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Judgement is how one point compares with one source.
type Judgement struct {
	Profile, Key string
	Place        string // of the point: "holding 622"
	Source       string // short name
	Table        string // "deye_p3.sunsynk"
	Line         int    // of the row that is most like the point
	Differences  []Difference
	Explained    bool // the why of the point names the source
}

// Equal reports whether both decode alike.
func (j Judgement) Equal() bool { return len(j.Differences) == 0 }

// String returns what differs, for people: the point first.
func (j Judgement) String() string {
	var texts []string
	for _, d := range j.Differences {
		texts = append(texts, d.String())
	}
	return fmt.Sprintf("%s: %s (%s): tables/%s.csv:%d differs: %s", j.Profile, j.Key, j.Place, j.Table, j.Line,
		strings.Join(texts, "; "))
}

// Golden compares every point of a profile with every row of its tables that begins at the same register. Of each
// source the row that is most like the point counts. A point that reads the same in several cases is compared once.
func Golden(p *profile.Profile, families []Family, tables []Table) ([]Judgement, error) {
	var all []Judgement
	seen := map[string]bool{}
	for _, f := range families {
		if f.Profile != p.ID {
			continue
		}
		rows, writes := rowsByPlace(Of(tables, f.Map), f.Pins), map[place][]sourced{}
		if p.Line.WritesApart {
			rows, writes = reading(rows), writing(rows)
		}
		for _, traits := range p.Cases() {
			traits = maps.Clone(traits)
			maps.Copy(traits, f.Pins)
			if !f.Fits(traits) {
				continue
			}
			points, err := p.Resolve(traits)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.ID, err)
			}
			for _, point := range points {
				id := fmt.Sprint(f.Map, point.Key, point.Ranges, point.Spec, point.Unit)
				if len(point.Ranges) == 0 || seen[id] {
					continue
				}
				seen[id] = true
				found := judge(point, rows, traits)
				if point.Write != nil && point.Write.Apart {
					point.Ranges, point.Spec = point.WriteTo()
					found = append(found, judge(point, writes, traits)...)
				}
				for _, j := range found {
					j.Profile = p.ID
					all = append(all, j)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Judgement) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Source, b.Source))
	})
	return all, nil
}

// place is the first register of a value.
type place struct {
	table string
	addr  uint16
}

// sourced is a row with its table, at its place.
type sourced struct {
	table    Table
	row      Row
	decoding Decoding
}

// rowsByPlace returns the rows by their first register.
func rowsByPlace(tables []Table, traits profile.Traits) map[place][]sourced {
	rows := map[place][]sourced{}
	for _, t := range tables {
		for _, row := range t.Rows {
			addrs, ok := placed(row, traits)
			if !ok {
				continue
			}
			d := row.Decoding()
			d.move(addrs)
			at := place{row.Table, slices.Min(addrs)}
			rows[at] = append(rows[at], sourced{t, row, d})
		}
	}
	return rows
}

// reading and writing are the rows of a family that writes at other addresses than it reads: a number is two registers.
func reading(rows map[place][]sourced) map[place][]sourced {
	return where(rows, func(r Row) bool { return r.Read })
}

func writing(rows map[place][]sourced) map[place][]sourced {
	return where(rows, func(r Row) bool { return r.Write })
}

func where(rows map[place][]sourced, wanted func(Row) bool) map[place][]sourced {
	some := map[place][]sourced{}
	for at, all := range rows {
		for _, s := range all {
			if wanted(s.row) {
				some[at] = append(some[at], s)
			}
		}
	}
	return some
}

// judge compares a point with each source that has its register.
func judge(p profile.Point, rows map[place][]sourced, traits profile.Traits) []Judgement {
	ours := PointDecoding(p)
	best := map[string]Judgement{}
	for _, s := range rows[place{p.Ranges[0].Table.String(), slices.Min(ours.Addrs)}] {
		if !gateHolds(s.row.Gate, traits) || elsewhere(ours, s.decoding) {
			continue
		}
		j := Judgement{Key: p.Key, Place: p.Ranges[0].String(), Source: s.table.Source.Short,
			Table: s.table.Map + "." + s.table.Tag, Line: s.row.Line, Differences: Compare(ours, s.decoding),
			Explained: Names(p.Why, s.table.Source.Short)}
		if b, ok := best[j.Source]; !ok || len(j.Differences) < len(b.Differences) {
			best[j.Source] = j
		}
	}
	return slices.Collect(maps.Values(best))
}

// elsewhere reports whether two decodings of a register are about different bits of it.
func elsewhere(a, b Decoding) bool {
	if a.Mask == 0 || b.Mask == 0 && len(b.Options) == 0 || b.Kind == Bits {
		return false
	}
	used := b.Mask
	if used == 0 { // all of it, but only small numbers are named
		for _, o := range b.Options {
			used |= o.Raw
		}
	}
	return a.Mask&used == 0
}

// Names reports whether a text has the short name of a source as a word.
func Names(text, short string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("-_.", r) && (r < '0' || r > 'z' || r > '9' && r < 'A')
	}), short)
}

// gateHolds reports whether a gate of the form trait=word|word agrees with the traits. Other gates hold.
func gateHolds(gate string, traits profile.Traits) bool {
	for _, term := range strings.FieldsFunc(gate, func(r rune) bool { return r == ' ' || r == '&' || r == ';' }) {
		trait, words, ok := strings.Cut(term, "=")
		word, known := traits[trait]
		if ok && known && !slices.Contains(strings.Split(words, "|"), word) {
			return false
		}
	}
	return true
}

// PointDecoding returns how a profile reads a point.
func PointDecoding(p profile.Point) Decoding {
	d := Decoding{Mask: p.Spec.Mask, Powers: p.Spec.ScaleWord}
	if p.Spec.Type == codec.Text {
		d.Mask = 0 // a table does not say which byte of a register is a character
	}
	ranges := p.Ranges
	if d.Powers {
		ranges = ranges[:len(ranges)-1] // without the register that holds the power of ten
	}
	for _, r := range ranges {
		for i := range r.Count {
			d.Addrs = append(d.Addrs, r.Addr+i)
		}
	}
	if d.Mask == allBits(len(d.Addrs)) {
		d.Mask = 0
	}
	d.Unit, d.Factor = Base(p.Unit)
	low := p.Spec.Order == codec.CDAB || p.Spec.Order == codec.DCBA
	d.LowFirst = &low
	if apart(d.Addrs) && !low {
		slices.Reverse(d.Addrs)
	}
	d.arrange(false)
	switch p.Spec.Form {
	case codec.OptionForm:
		d.Options = options(p.Spec.Options)
	case codec.BoolForm:
		d.Options = []Option{{p.Spec.On, "on"}, {p.Spec.Off, "off"}}
	case codec.BitsForm:
		d.Kind, d.Options = Bits, options(p.Spec.Options)
	case codec.Plain:
		d.plain(p)
	default:
		form := p.Spec.Form
		if p.Spec.Order == codec.BADC || p.Spec.Order == codec.DCBA { // the bytes of a register are the other way round
			form = cmp.Or(turned[form], form)
		}
		if name, ok := clockForms[form]; ok {
			d.Kind, d.Form = Clock, name
		}
	}
	return d
}

// clockForms are the times of day and the moments, as the type of a row names them.
var clockForms = map[codec.Form]string{codec.TimePacked: "packed", codec.TimeDecimal: "dec",
	codec.TimeSwapped: "swapped", codec.TimePair: "time_h_m", codec.TimeASCII: "time_hh_mm_ascii", codec.TimeBCD: "bcd",
	codec.MomentPacked: "datetime3_packed", codec.MomentSwapped: "datetime3_swapped",
	codec.MomentWords: "datetime6", codec.MomentFullYear: "datetime6", codec.MomentReversed: "datetime6"}

// turned are the times of day whose bytes are the other way round.
var turned = map[codec.Form]codec.Form{codec.TimePacked: codec.TimeSwapped, codec.TimeSwapped: codec.TimePacked}

func (d *Decoding) plain(p profile.Point) {
	switch {
	case p.Spec.Type == codec.Text:
		d.Kind, d.LowFirst = Text, nil
		return
	case p.Spec.Type.Float():
		d.Kind = Float
	default:
		signed := p.Spec.Type.Signed()
		d.Signed, d.Magnitude = &signed, p.Spec.Type == codec.M16 || p.Spec.Type == codec.M32
	}
	if d.Powers {
		return
	}
	plain := cmp.Or(p.Spec.Scale, 1)
	full, offset := plain*d.Factor, p.Spec.Offset
	d.Plain, d.Scale, d.Offset = &plain, &full, &offset
}

func options(from []codec.Option) []Option {
	var all []Option
	for _, o := range from {
		all = append(all, Option{o.Raw, o.Name})
	}
	return all
}

// move gives the decoding other addresses.
func (d *Decoding) move(addrs []uint16) {
	if len(addrs) == len(d.Addrs) && addrs[0] != d.Addrs[0] {
		d.Addrs = addrs
	}
}

// placed returns the addresses of a row: those of a SunSpec row follow from where its model begins.
func placed(row Row, traits profile.Traits) ([]uint16, bool) {
	if row.Model == 0 {
		return row.Addrs, true
	}
	chain, err := profile.ParseChain(traits[profile.ChainTrait])
	i := slices.IndexFunc(chain.Models, func(m profile.Model) bool { return m.ID == int(row.Model) })
	if err != nil || i < 0 {
		return nil, false
	}
	moved := slices.Clone(row.Addrs)
	for k := range moved {
		moved[k] += chain.Models[i].Addr
	}
	return moved, true
}
