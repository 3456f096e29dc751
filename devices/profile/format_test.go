package profile

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

func format(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// example returns the profile that FORMAT.md shows.
func example(t testing.TB) string {
	t.Helper()
	_, rest, _ := strings.Cut(format(t), "```yaml\n")
	yaml, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("FORMAT.md has no example")
	}
	return yaml
}

func loadExample(t *testing.T) *Profile {
	t.Helper()
	p, err := Load("example.yaml", []byte(example(t)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExampleHead(t *testing.T) {
	p := loadExample(t)
	want := LineSettings{
		Serial: protocol.DefaultSerial, Unit: 1, Pace: protocol.Pace{Gap: 50 * time.Millisecond, Timeout: time.Second,
			First: 3 * time.Second},
		Turnaround: 20 * time.Millisecond, MaxRegisters: 48, Join: true, Holes: []protocol.Range{{Addr: 700, Count: 10},
			{Addr: 720, Count: 1}},
		Source: "vendor",
	}
	if fmt.Sprint(p.Line) != fmt.Sprint(want) {
		t.Errorf("line %v, want %v", p.Line, want)
	}
	id := p.Identify
	if id.Serial().Spec.Words() != 5 || id.Serial().Ranges[0] != (protocol.Range{Addr: 3, Count: 5}) ||
		!id.Version.Present() {
		t.Errorf("identify %+v", id)
	}
	kind, _ := p.Trait("kind")
	if kind.Accepted() != "5, 6..8, 1280" || !slices.Equal(kind.Words, []string{"lv", "hv"}) {
		t.Errorf("traits %+v", p.Traits)
	}
	if !slices.Equal(p.Parts, []Part{{"battery", "Battery"}, {"schedule", "Schedule"},
		{"grid", "Grid"}, {"pv", "Solar"}}) {
		t.Errorf("parts %v", p.Parts)
	}
}

// TestExamplePoints holds all that the loader chooses: one line for each point of the example.
func TestExamplePoints(t *testing.T) {
	p := loadExample(t)
	var text strings.Builder
	for _, traits := range p.Cases() {
		points, err := p.Resolve(traits)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "== %s\n", p.TraitsText(traits))
		for _, pt := range points {
			checkSound(t, p, pt)
			write := "-"
			if pt.Write != nil {
				write = fmt.Sprintf("%+v", *pt.Write)
			}
			fmt.Fprintf(&text, "%s: %v %v %+v unit=%q %+v write=%s source=%q\n", pt.Key, pt.Interval, pt.Ranges,
				pt.Spec, pt.Unit, pt.Entity, write, pt.Source)
		}
	}
	golden(t, "testdata/example.golden", text.String())
}

// TestFormatNamesEverything holds FORMAT.md to the code: every word that a key can have, and every class with its units
// and states.
func TestFormatNamesEverything(t *testing.T) {
	text := format(t)
	for _, words := range [][]string{codec.TypeNames(), codec.OrderNames(), intervals, timeWords, momentWords,
		writeWords, categories} {
		for _, w := range words {
			if !strings.Contains(text, "`"+w+"`") && !strings.Contains(text, "`"+w+":") {
				t.Errorf("FORMAT.md does not explain `%s`", w)
			}
		}
	}
	for class, q := range quantities {
		units := strings.Join(q.units, " ")
		if class == "power_factor" {
			units = "none, %"
		}
		row := fmt.Sprintf("| %s | %s |", units, strings.Join(q.states, ", "))
		if !strings.Contains(text, "`"+class+"`") || !strings.Contains(text, row) {
			t.Errorf("FORMAT.md does not have `%s` with %s", class, row)
		}
	}
	for platform, classes := range flags {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(classes, ", ")) {
			t.Errorf("FORMAT.md does not have the classes of a %s: %v", platform, classes)
		}
	}
}

var (
	keyCell = regexp.MustCompile("(?m)^\\| (`[^|]*) \\|")
	keyWord = regexp.MustCompile("`([a-z_]+)(: [a-z]+)?`(\\*?)")
)

// TestFormatHasEveryKey holds the tables of FORMAT.md to the keys of the loader, both ways, and to which are needed.
func TestFormatHasEveryKey(t *testing.T) {
	sections := strings.Split(format(t), "\n## ")
	for title, mapping := range map[string]string{
		"The head": "profile", "The line": "line", "Identification": "identify", "A point": "point", "Writing": "write",
		"Write groups": "write group", "Around a write": "step", "Quantities": "quantity",
	} {
		i := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, title+"\n") })
		if i < 0 {
			t.Errorf("FORMAT.md has no section %q", title)
			continue
		}
		var told, needed []string
		for _, row := range keyCell.FindAllStringSubmatch(sections[i], -1) {
			for _, m := range keyWord.FindAllStringSubmatch(row[1], -1) {
				told = append(told, m[1])
				if m[3] != "" {
					needed = append(needed, m[1])
				}
			}
		}
		slices.Sort(told)
		slices.Sort(needed)
		if want := slices.Sorted(slices.Values(formatKeys[mapping].allowed)); !slices.Equal(told, want) {
			t.Errorf("%s: FORMAT.md has\n%v\nthe loader\n%v", title, told, want)
		}
		if want := slices.Sorted(slices.Values(formatKeys[mapping].needed)); !slices.Equal(needed, want) {
			t.Errorf("%s: FORMAT.md demands\n%v\nthe loader\n%v", title, needed, want)
		}
	}
}

func TestResolve(t *testing.T) {
	p := loadExample(t)
	lv, _ := p.ResolveNamed("lv")
	hv, _ := p.ResolveNamed("hv")
	if a, b := find(t, lv, "battery_voltage").Spec.Scale, find(t, hv, "battery_voltage").Spec.Scale; a != 0.01 ||
		b != 0.1 {
		t.Errorf("scales %v and %v", a, b)
	}
	if len(lv) != len(hv)+1 {
		t.Errorf("%d points for lv, %d for hv: one exists for lv only", len(lv), len(hv))
	}
	if _, err := p.Resolve(nil); err == nil {
		t.Error("a variant was guessed")
	}
	lv[0] = Point{}
	if again, _ := p.ResolveNamed("lv"); again[0].Key == "" {
		t.Error("the caller's slice is the profile's own")
	}
	if find(t, lv, "charge_current_max").Write.Step != 1 || find(t, lv, "restart").Write.Press != 1 {
		t.Error("step or press")
	}
	single, err := Load("one.yaml",
		[]byte(strings.NewReplacer("profile: good", "profile: one",
			"traits:\n  kind: {at: 0, values: {lv: 5, hv: 6}}\n", "",
			"{lv: 0.01, hv: 0.1}", "0.1").Replace(good)))
	if err != nil {
		t.Fatal(err)
	}
	if points, err := single.Resolve(nil); err != nil || len(points) != 6 || len(single.Traits) != 0 {
		t.Errorf("%d points, traits %v, %v", len(points), single.Traits, err)
	}
	if _, err := single.ResolveNamed("lv"); err == nil {
		t.Error("a variant of a family without")
	}
}

// TestTwoHalves writes one key twice, for different variants.
func TestTwoHalves(t *testing.T) {
	yaml := good + "- {key: extra, name: Extra, when: kind = lv, at: 1}\n" +
		"- {key: extra, name: Extra, when: kind = hv, at: coil 2}\n"
	p, err := Load("good.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	lv, _ := p.ResolveNamed("lv")
	hv, _ := p.ResolveNamed("hv")
	if a, b := find(t, lv, "extra"), find(t, hv, "extra"); a.Entity.Platform != "sensor" ||
		b.Entity.Platform != "binary_sensor" || b.Spec.Form != codec.BoolForm {
		t.Errorf("%+v and %+v", a, b)
	}
}
