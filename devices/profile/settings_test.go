package profile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// loadLine loads the good profile with more keys in its line.
func loadLine(t *testing.T, lines ...string) (LineSettings, error) {
	t.Helper()
	p, err := Load("good.yaml",
		[]byte(replace("  max_registers: 20\n", "  max_registers: 20\n  "+strings.Join(lines, "\n  ")+"\n")))
	if err != nil {
		return LineSettings{}, err
	}
	return p.Line, nil
}

// The default of a setting is that of the zero LineSettings, whatever says it.
func TestSettingDefaults(t *testing.T) {
	for key, want := range map[string]string{
		"gap": "0s", "timeout": "1s", "first_timeout": "as timeout", "turnaround": "measured, 20ms until then",
		"max_registers": "125, on a serial line what passes in 100 ms", "holes": "none", "settle": "0s",
		"busy_retries": "3", "busy_wait": "100ms", "quiet": "1m", "join_writes": "false",
		"write_with":    "as each register says",
		"connect_delay": "0s", "transaction_ids": "strict", "unit_ids": "strict", "echo": "off",
		"latency_timer": "set", "direction": "adapter",
	} {
		i := slices.IndexFunc(Settings, func(k Setting) bool { return k.Key == key })
		if i < 0 {
			t.Errorf("there is no setting %s", key)
		} else if got := Settings[i].Default(); got != want {
			t.Errorf("%s is %s by default, want %s", key, got, want)
		}
	}
}

func TestEverySettingIsTaken(t *testing.T) {
	got, err := loadLine(t, "gap: 850ms", "timeout: 2s", "first_timeout: 10s", "turnaround: 30ms", "settle: 200ms",
		"busy_retries: 5", "busy_wait: 250ms", "quiet: 10m", "named_only: true",
		"join_writes: true", "write_with: single", "connect_delay: 2s", "transaction_ids: shape", "unit_ids: lax",
		"echo: on", "direction: inverted_rts", "latency_timer: keep")
	if err != nil {
		t.Fatal(err)
	}
	want := LineSettings{
		Serial: protocol.DefaultSerial, Unit: 1, MaxRegisters: 20, Holes: []protocol.Range{{Addr: 700,
			Count: 10}}, Source: "paper",
		NamedOnly:  true,
		Pace:       protocol.Pace{Gap: 850 * time.Millisecond, Timeout: 2 * time.Second, First: 10 * time.Second},
		Turnaround: 30 * time.Millisecond, Settle: 200 * time.Millisecond, Busy: Busy{Retries: 5,
			Wait: 250 * time.Millisecond}, Quiet: 10 * time.Minute, Join: true, With: WriteSingle,
		Quirks: protocol.Quirks{ConnectDelay: 2 * time.Second, Transactions: protocol.ShapeTransactions,
			Units: protocol.LaxUnits, Echo: protocol.WithEcho, KeepLatency: true, Direction: protocol.InvertedRTS},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if none, err := loadLine(t, "busy_retries: 0"); err != nil || none.Busy.Retries != NoBusyRetries {
		t.Errorf("no retries: %+v, %v", none.Busy, err)
	}
}

// What a setting says of a line is what has to be written to get that line.
func TestSettingTextReadsBack(t *testing.T) {
	texts := map[string]*rapid.Generator[string]{"holes": rapid.Custom(drawHole),
		"unit_ids": rapid.SampledFrom([]string{"strict", "lax", "0", "7", "255"})}
	for _, k := range Settings {
		draw := texts[k.Key]
		if low, high, ok := strings.Cut(k.Allowed, " to "); ok {
			draw = between(t, low, high)
		} else if draw == nil {
			draw = rapid.SampledFrom(strings.FieldsFunc(strings.ReplaceAll(k.Allowed, " or ", ", "),
				func(r rune) bool { return r == ',' || r == ' ' }))
		}
		t.Run(k.Key, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := draw.Draw(t, k.Key)
				root, report := strict.Parse("f.yaml", []byte(k.Key+": "+text+"\n"))
				var l LineSettings
				k.Take(root.Fields(k.Key).Get(k.Key), &l)
				if err := report.Err(); err != nil {
					t.Fatal(err)
				}
				if got := k.Text(l); got != text && got != "["+text+"]" {
					t.Fatalf("%s: %s became %s", k.Key, text, got)
				}
			})
		})
	}
}

func drawHole(t *rapid.T) string {
	from := rapid.Uint16Range(0, 65533).Draw(t, "from")
	return HoleText(protocol.Range{Table: rapid.SampledFrom(tables).Draw(t, "table"), Addr: from,
		Count: rapid.Uint16Range(1, 65534-from).Draw(t, "count")})
}

// between draws what lies from low to high: numbers, or durations in whole milliseconds.
func between(t *testing.T, low, high string) *rapid.Generator[string] {
	t.Helper()
	from, err := time.ParseDuration(low)
	to, err2 := time.ParseDuration(high)
	if errors.Join(err, err2) == nil {
		return rapid.Custom(func(t *rapid.T) string {
			return strict.Span(time.Duration(rapid.Int64Range(from.Milliseconds(),
				to.Milliseconds()).Filter(func(n int64) bool { return n > 0 }).Draw(t, "ms")) * time.Millisecond)
		})
	}
	var least, most int
	if _, err := fmt.Sscan(low+" "+high, &least, &most); err != nil {
		t.Fatal(err)
	}
	return rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.IntRange(least, most).Draw(t, "number")) })
}

var settingRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]*), default ([^|]*) \\|")

// TestFormatHasEverySetting holds the table of settings to the code, both ways: key, what is allowed and the default.
// Each row names somebody who needs the setting.
func TestFormatHasEverySetting(t *testing.T) {
	_, section, _ := strings.Cut(format(t), "\n## The line\n")
	section, _, _ = strings.Cut(section, "\n## ")
	told := map[string][2]string{}
	var order []string
	for _, m := range settingRow.FindAllStringSubmatch(section, -1) {
		told[m[1]] = [2]string{m[2], m[3]}
		order = append(order, m[1])
	}
	var keys []string
	for _, k := range Settings {
		keys = append(keys, k.Key)
		if got, want := told[k.Key], [2]string{k.Allowed, k.Default()}; got != want {
			t.Errorf("FORMAT.md says of %s %q, the code %q", k.Key, got, want)
		}
	}
	if !slices.Equal(order, keys) {
		t.Errorf("FORMAT.md has %v\nthe code    %v", order, keys)
	}
	for row := range strings.Lines(section) {
		cells := strings.Split(row, "|")
		if settingRow.MatchString(row) && (len(cells) != 7 || strings.TrimSpace(cells[5]) == "") {
			t.Errorf("a row without somebody who needs it: %s", row)
		}
	}
}

func TestWriteWith(t *testing.T) {
	p := loadExample(t)
	if p.WriteWith(WritePerPoint) != p {
		t.Error("as each register says is another family")
	}
	for _, with := range []WriteFunction{WriteSingle, WriteMultiple} {
		single := with == WriteSingle
		for _, variant := range p.Cases() {
			before, _ := p.Resolve(variant)
			after, err := p.WriteWith(with).Resolve(variant)
			if err != nil {
				t.Fatal(err)
			}
			for i, point := range after {
				if w := point.Write; w != nil && w.Single != (single && point.Spec.Words() == 1) {
					t.Errorf("%s: single %v, want %v", point.Key, w.Single, single)
				}
				if before[i].Write != nil && before[i].Key == "relay" && !before[i].Write.Single {
					t.Error("the profile itself has changed")
				}
			}
		}
	}
}

// write_with under line: holds for all points of the profile.
func TestWriteWithOfAFamily(t *testing.T) {
	p, err := Load("good.yaml", []byte(replace("  max_registers: 20\n", "  max_registers: 20\n  write_with: single\n")))
	if err != nil {
		t.Fatal(err)
	}
	points, _ := p.ResolveNamed("lv")
	if w := find(t, points, "limit").Write; !w.Single {
		t.Errorf("%+v", *w)
	}
}

// TestLineContradictions: what cannot be true together is found, and what may be is not.
func TestLineContradictions(t *testing.T) {
	for _, c := range []struct {
		line LineSettings
		want string
	}{
		{LineSettings{}, ""},
		{LineSettings{Pace: protocol.Pace{First: time.Second}}, ""},
		{LineSettings{Pace: protocol.Pace{First: 900 * time.Millisecond}},
			"first_timeout 900ms is below timeout 1s: the nearest that works is 1s, or leave it out"},
		{LineSettings{Pace: protocol.Pace{First: 2 * time.Second, Timeout: 3 * time.Second}},
			"first_timeout 2s is below timeout 3s: the nearest that works is 3s, or leave it out"},
	} {
		got := ""
		for _, f := range c.line.Validate() {
			got += f.Text
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.line.Pace, got, c.want)
		}
	}
}
