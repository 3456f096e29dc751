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
		mine := Of(tables, f.Map)
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
				for _, j := range judge(point, mine, traits) {
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

// judge compares a point with each source that has its register.
func judge(p profile.Point, tables []Table, traits profile.Traits) []Judgement {
	ours := PointDecoding(p)
	best := map[string]Judgement{}
	for _, t := range tables {
		for _, row := range t.Rows {
			addrs, ok := placed(row, traits)
			if !ok || row.Table != p.Ranges[0].Table.String() || slices.Min(addrs) != slices.Min(ours.Addrs) ||
				!gateHolds(row.Gate, traits) {
				continue
			}
			theirs := row.Decoding()
			theirs.move(addrs)
			if elsewhere(ours, theirs) {
				continue
			}
			j := Judgement{Key: p.Key, Place: p.Ranges[0].String(), Source: t.Source.Short, Table: t.Map + "." + t.Tag,
				Line: row.Line, Differences: Compare(ours, theirs), Explained: Names(p.Why, t.Source.Short)}
			if b, ok := best[j.Source]; !ok || len(j.Differences) < len(b.Differences) {
				best[j.Source] = j
			}
		}
	}
	var all []Judgement
	for _, j := range best {
		all = append(all, j)
	}
	return all
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
	d := Decoding{Mask: p.Spec.Mask}
	if d.Mask == allBits(p.Spec.Words()) {
		d.Mask = 0
	}
	for _, r := range p.Ranges {
		for i := range r.Count {
			d.Addrs = append(d.Addrs, r.Addr+i)
		}
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
	case codec.TimePacked:
		d.Kind, d.Form = Clock, "packed"
	case codec.TimeDecimal:
		d.Kind, d.Form = Clock, "dec"
	case codec.Plain:
		d.plain(p)
	}
	return d
}

func (d *Decoding) plain(p profile.Point) {
	switch {
	case p.Spec.Type == codec.Text:
		d.Kind, d.LowFirst = Text, nil
		return
	case p.Spec.Type.Float():
		d.Kind = Float
	default:
		signed := p.Spec.Type.Signed()
		d.Signed = &signed
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
	return nil, false
}
