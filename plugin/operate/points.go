package operate

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"solarhub/devices/profile"
	"solarhub/plugin/control"
	"solarhub/protocol"
)

// item is what a word of a person means: a point, or registers.
type item struct {
	point     *profile.Point
	registers protocol.Range
}

// pointsFor returns what words mean: the key of a point, a quantity with all that are numbered, or registers.
func pointsFor(t target, points []profile.Point, words []string) (found []item, err error) {
	for _, word := range words {
		these := pointsOf(points, word)
		if these == nil {
			if !isAddress(word) {
				return nil, noPoint(t, points, word)
			}
			r, err := parseRegisters(word)
			if err != nil {
				return nil, err
			}
			these = []item{{registers: r}}
		}
		found = append(found, these...)
	}
	return found, nil
}

func pointsOf(points []profile.Point, word string) (found []item) {
	for _, p := range points {
		if p.Key == word {
			return []item{{point: &p}}
		}
		if p.Quantity == word || p.Pattern == word {
			found = append(found, item{point: &p})
		}
	}
	return found
}

// mostNear is how many names are offered for one that nothing has.
const mostNear = 3

func noPoint(t target, points []profile.Point, word string) error {
	var keys, near []string
	for _, p := range points {
		keys = append(keys, p.Key)
	}
	for range mostNear {
		one := profile.Nearest(word, keys)
		if one == "" {
			break
		}
		near = append(near, one)
		keys = slices.DeleteFunc(keys, func(k string) bool { return k == one })
	}
	return &control.Error{Code: control.CodeUnknown, Fields: map[string]string{"nearest": strings.Join(near, ", ")},
		Reason: fmt.Sprintf("%s has no point %q; the nearest are %s. `solarhub devices %s` lists all", t.Name(), word,
			strings.Join(near, ", "), t.Profile().ID)}
}

func meansAll(found []item) string {
	var keys []string
	for _, one := range found {
		if one.point == nil {
			return "registers are written by their point"
		}
		keys = append(keys, one.point.Key)
	}
	return "it means " + strings.Join(keys, ", ")
}

// isAddress reports whether a word is meant as registers: it begins with a table or a digit.
func isAddress(word string) bool {
	if word == "" {
		return false
	}
	table, _, two := strings.Cut(word, " ")
	_, err := profile.ParseHole(table + " 0")
	return word[0] >= '0' && word[0] <= '9' || two && err == nil
}

// parseRegisters reads "588", "588..599", "588+12", "holding 588", "input 0x10+2".
func parseRegisters(word string) (protocol.Range, error) {
	first, count, several := strings.Cut(word, "+")
	r, err := profile.ParseHole(first)
	if err == nil && several {
		n, wrong := strconv.ParseUint(count, 10, 16)
		if wrong != nil || n == 0 || r.Count != 1 || uint64(r.Addr)+n > 65536 {
			err = fmt.Errorf("%q: behind + stands how many registers, up to address 65535", word)
		}
		r.Count = uint16(n)
	}
	if err != nil {
		return r, &control.Error{Code: control.CodeAsked, Reason: err.Error()}
	}
	if r.Count > maxRegisters {
		return r, &control.Error{Code: control.CodeAsked,
			Reason: fmt.Sprintf("%s are %d registers, more than %d at once", word, r.Count, maxRegisters)}
	}
	return r, nil
}

// maxRegisters is how many registers are read at once: some seconds of a slow line.
const maxRegisters = 1000

// registersAlone returns the registers, if words mean nothing else; else nil.
func registersAlone(words []string) (found []item) {
	for _, word := range words {
		if !isAddress(word) {
			return nil
		}
		r, err := parseRegisters(word)
		if err != nil {
			return nil
		}
		found = append(found, item{registers: r})
	}
	return found
}

// points describes the points of a device.
func (d *Desk) points(ctx context.Context, asked control.AskDevice) ([]control.Point, error) {
	t, err := d.known(ctx, asked.Device)
	if err != nil {
		return nil, err
	}
	all, err := d.snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	list := []control.Point{}
	for _, p := range t.Points() {
		list = append(list, describe(t, p, isOn(p, all.Polled)))
	}
	return list, nil
}

func describe(t target, p profile.Point, on bool) control.Point {
	one := control.Point{Key: p.Key, Name: t.Profile().FullName(p), Quantity: p.Quantity, Registers: registersOf(p),
		Unit: p.Unit, On: on, Readable: p.HasValue()}
	if p.Write == nil || t.config.ReadOnly || p.Write.Arm && !slices.Contains(t.config.Arm, p.Key) {
		return one
	}
	one.Writable, one.Danger = true, danger(p)
	switch {
	case p.Button():
		one.Expects = Press
	case p.IsClock():
		one.Expects = Now
	case p.Entity.Platform == "number":
		one.Expects = fmt.Sprintf("%s to %s, step %s", plain(p.Write.Min), strings.TrimSpace(plain(p.Write.Max)+" "+
			p.Unit), plain(p.Write.Step))
	default:
		one.Expects = p.Spec.Expected()
	}
	if len(p.Spec.Options) > 0 {
		one.Options = p.Spec.WritableOptions()
		names, labels := p.Spec.OptionNames(), p.Spec.OptionLabels()
		for _, option := range one.Options {
			one.Labels = append(one.Labels, labels[slices.Index(names, option)])
		}
	}
	return one
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// danger says why a person is asked before a point is written; "" where there is no need.
func danger(p profile.Point) string {
	why := ""
	switch {
	case p.Write.Arm:
		why = "it is a setting of the installer"
	case p.Button():
		why = "it is a command, and cannot be taken back"
	case p.Write.Once:
		why = "what it does adds up each time it is written"
	default:
		return ""
	}
	if p.Why != "" {
		why += ": " + p.Why
	}
	return why
}
