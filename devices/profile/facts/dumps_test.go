package facts

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// dump is what registers of a real device held, and what its owner, its display or a program said of them.
type dump struct {
	Profile string
	Model   string
	Whole   bool                           // of one device at one time
	Traits  profile.Traits                 // those that the words do not tell
	Words   map[string]map[string][]uint16 // by table and first address
	Expect  []expectation
}

type expectation struct {
	Table    string
	At       uint16
	Words    int
	Quantity string // as the one who says it calls it
	Value    any
	Unit     string
	Says     string // who says it
	Why      string // why the profile says something else, or nothing
}

// words returns the registers of a range, if the dump has all of them.
func (d dump) words(r protocol.Range) ([]uint16, bool) {
	for first, run := range d.Words[r.Table.String()] {
		at, _ := strconv.Atoi(first)
		if i := int(r.Addr) - at; i >= 0 && i+int(r.Count) <= len(run) {
			return run[i : i+int(r.Count)], true
		}
	}
	return nil, false
}

// value decodes the registers, if the dump has all of them.
func (d dump) value(ranges []protocol.Range, s codec.Spec) (codec.Value, bool) {
	var all []uint16
	for _, r := range ranges {
		words, ok := d.words(r)
		if !ok {
			return codec.Value{}, false
		}
		all = append(all, words...)
	}
	return s.Decode(all), len(ranges) > 0
}

// identify settles the traits from the words, as far as they tell them.
func (d dump) identify(p *profile.Profile) profile.Traits {
	traits := profile.Traits{}
	maps.Copy(traits, d.Traits)
	for _, t := range p.Traits {
		if _, fixed := traits[t.Name]; fixed {
			continue
		}
		field := t.Field
		switch t.From {
		case profile.FromSerial:
			field = p.Identify.Serial()
		case profile.FromModel:
			field = p.Identify.Model
		case profile.FromVersion:
			field = p.Identify.Version
		}
		v, ok := d.value(field.Ranges, field.Spec)
		if t.From == profile.FromAnswer {
			v = codec.BoolOf(ok)
		} else if !ok {
			continue
		}
		if word, ok := t.Word(v); ok {
			traits[t.Name] = word
		}
	}
	return traits
}

func readDumps(t *testing.T) map[string]dump {
	t.Helper()
	files, err := filepath.Glob("dumps/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no dumps", err)
	}
	dumps := map[string]dump{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dump
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		dumps[strings.TrimSuffix(filepath.Base(file), ".json")] = d
	}
	return dumps
}

// TestDumps decodes what real devices held. Whatever was said of it comes out, or the dump says who is wrong.
func TestDumps(t *testing.T) {
	for name, d := range readDumps(t) {
		t.Run(name, func(t *testing.T) {
			p, err := profile.Get(d.Profile)
			if err != nil {
				t.Fatal(err)
			}
			traits := d.identify(p)
			points, err := p.Resolve(traits)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %v", d.Model, traits)
			met := 0
			for _, e := range d.Expect {
				switch wrong := d.check(e, points); {
				case wrong == "":
					met++
					if e.Why != "" {
						t.Errorf("%s is met: its why is out of date", e.Quantity)
					}
				case e.Why == "":
					t.Errorf("%s %d, %s: %s", e.Table, e.At, e.Quantity, wrong)
				}
			}
			d.plausible(t, points)
			t.Logf("%d of %d met", met, len(d.Expect))
		})
	}
}

// check says what is wrong: nothing if one of the points that begin there has the value.
func (d dump) check(e expectation, points []profile.Point) string {
	wrong := "no point reads it"
	for _, p := range points {
		if len(p.Ranges) == 0 || p.Ranges[0].Table.String() != e.Table || p.Ranges[0].Addr != e.At {
			continue
		}
		v, ok := d.value(p.Ranges, p.Spec)
		if !ok {
			wrong = p.Key + ": the dump lacks a register of it"
			continue
		}
		if matches(v, p, e) {
			return ""
		}
		wrong = fmt.Sprintf("%s is %v %s, not %v %s (%s)", p.Key, v, p.Unit, e.Value, e.Unit, e.Says)
	}
	return wrong
}

func matches(v codec.Value, p profile.Point, e expectation) bool {
	switch want := e.Value.(type) {
	case float64:
		if v.Kind != codec.KindNumber {
			raw := slices.ContainsFunc(p.Spec.Options, func(o codec.Option) bool {
				return float64(o.Raw) == want && o.Name == v.Str
			})
			return raw || v.Kind == codec.KindBool && p.Spec.On == uint64(want) == v.On
		}
		_, ours := Base(p.Unit)
		_, theirs := Base(e.Unit)
		got, _ := v.Any().(float64)
		if n, ok := v.Uint(); ok {
			got = float64(n)
		}
		return math.Abs(got*ours-want*theirs) <= 0.0051*math.Max(ours, 1e-3)*math.Max(1, math.Abs(want)/100)
	case string:
		labelled := slices.ContainsFunc(p.Spec.Options, func(o codec.Option) bool {
			return o.Name == v.Str && o.Label == want
		})
		return labelled || strings.Contains(v.String(), strings.TrimSpace(want))
	}
	return false
}

// plausible checks every value against what its quantity can be.
func (d dump) plausible(t *testing.T, points []profile.Point) {
	decoded := 0
	for _, p := range points {
		v, ok := d.value(p.Ranges, p.Spec)
		if !ok {
			continue
		}
		decoded++
		f, isNumber := v.Any().(float64)
		if isNumber && !p.Plausible(f) {
			t.Errorf("%s is %v %s, and plausible is %s", p.Key, v, p.Unit, p.Range)
		}
	}
	t.Logf("%d points decoded", decoded)
}

// TestCaptures holds what the profiles say of real devices to the dumps that are decoded here.
func TestCaptures(t *testing.T) {
	decoded := map[string][]string{}
	for _, d := range readDumps(t) {
		if !slices.Contains(decoded[d.Profile], d.Model) {
			decoded[d.Profile] = append(decoded[d.Profile], d.Model)
		}
	}
	profiles, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		told := slices.Sorted(slices.Values(p.Captures))
		if want := slices.Sorted(slices.Values(decoded[p.ID])); !slices.Equal(told, want) {
			t.Errorf("%s: its captures are %q, the dumps are of %q", p.ID, told, want)
		}
	}
}
