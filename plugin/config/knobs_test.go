package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

func TestEveryKnobOfAConfiguration(t *testing.T) {
	c := parsed(t, withLines(`  - serial: /dev/x
    connect_delay: 2s
    unit_ids: lax
    echo: on
    latency_timer: keep
    direction: rts
    devices:
      - {profile: powdrive, first_timeout: 10s, busy_retries: 0, busy_wait: 1s, quiet: 10m, join_writes: false,
         write_with: single, holes: [holding 260, input 3..5]}
  - {tcp: h, transaction_ids: shape, devices: [{profile: senergy, busy_retries: 2}]}
`))
	d := c.Lines[0].Devices[0]
	quirks := protocol.Quirks{ConnectDelay: 2 * time.Second, Units: protocol.LaxUnits, Echo: protocol.WithEcho,
		KeepLatency: true, Direction: protocol.RTSDirection}
	if c.Lines[0].Quirks != quirks || d.Line.Quirks != quirks {
		t.Errorf("quirks %+v, of the device %+v", c.Lines[0].Quirks, d.Line.Quirks)
	}
	if d.Line.Pace.First != 10*time.Second ||
		d.Line.Busy != (profile.Busy{Retries: profile.NoBusyRetries, Wait: time.Second}) ||
		d.Line.Quiet != 10*time.Minute || d.Line.Join {
		t.Errorf("line %+v", d.Line)
	}
	if n := len(d.Line.Holes); n != len(d.Profile.Line.Holes)+2 ||
		d.Line.Holes[n-1] != (protocol.Range{Table: protocol.InputRegister, Addr: 3, Count: 3}) {
		t.Errorf("holes %v, of the family %v", d.Line.Holes, d.Profile.Line.Holes)
	}
	family, err := profile.Get("powdrive")
	if err != nil {
		t.Fatal(err)
	}
	points, _ := d.Profile.ResolveNamed("lv")
	for i, before := range must(family.ResolveNamed("lv")) {
		if w := points[i].Write; w != nil && (before.Write.Single || w.Single != (points[i].Spec.Words() == 1)) {
			t.Errorf("%s: single %v, in the family %v", before.Key, w.Single, before.Write.Single)
		}
	}
	if l := c.Lines[1]; l.Quirks != (protocol.Quirks{Transactions: protocol.ShapeTransactions}) ||
		l.Devices[0].Line.Busy.Retries != 2 {
		t.Errorf("tcp: %+v %+v", l.Quirks, l.Devices[0].Line.Busy)
	}
	if got := (Line{Devices: append(c.Lines[0].Devices, c.Lines[1].Devices...)}).RetryMax(); got != 10*time.Minute {
		t.Errorf("the line is tried anew after %v at the latest", got)
	}
	if got := c.Lines[1].RetryMax(); got != profile.DefaultQuiet {
		t.Errorf("a line of which nothing is said is tried anew after %v at the latest", got)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// families writes profiles with more keys under line: into a folder and returns it.
func families(t *testing.T, lines map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, line := range lines {
		text := fmt.Sprintf("profile: %s\nname: Family %s\nmanufacturer: M\nsources: {s: x}\nline: {source: s, "+
			"%s}\nidentify: {serial: {at: 3, type: text, length: 5}, source: s}\n"+
			"defaults: {source: s}\npoints: [{key: power, name: Power, at: 9, unit: W, class: power}]\n", name, name,
			line)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the families of one line need is joined; the line's own word goes over it; what is of another transport does not
// count.
func TestFamiliesShareALine(t *testing.T) {
	dir := families(t, map[string]string{
		"slow": "connect_delay: 2s, echo: on, latency_timer: keep",
		"odd":  "connect_delay: 1s, transaction_ids: shape, unit_ids: lax", "mute": "echo: off", "plain": "unit: 1",
	})
	for _, c := range []struct {
		line string // with the devices of families one to n, at unit ids 1 to n
		of   []string
		want protocol.Quirks
		fail string
	}{
		{"serial: /dev/x", []string{"slow", "odd"},
			protocol.Quirks{ConnectDelay: 2 * time.Second, Units: protocol.LaxUnits, Echo: protocol.WithEcho,
				KeepLatency: true}, ""},
		{"tcp: h", []string{"slow", "odd"},
			protocol.Quirks{ConnectDelay: 2 * time.Second, Units: protocol.LaxUnits,
				Transactions: protocol.ShapeTransactions}, ""},
		{"rtu_over_tcp: 'h:1'", []string{"odd", "slow"},
			protocol.Quirks{ConnectDelay: 2 * time.Second, Units: protocol.LaxUnits, Echo: protocol.WithEcho}, ""},
		{"serial: /dev/x, connect_delay: 0s, unit_ids: strict, echo: off, latency_timer: set", []string{"slow", "odd"},
			protocol.Quirks{}, ""},
		{"tcp: h, transaction_ids: strict", []string{"odd"},
			protocol.Quirks{ConnectDelay: time.Second, Units: protocol.LaxUnits}, ""},
		{"serial: /dev/x", []string{"plain"}, protocol.Quirks{}, ""},
		{"rtu_over_tcp: 'h:1', latency_timer: set", []string{"plain"}, protocol.Quirks{},
			"latency_timer: there is no USB adapter on a rtu_over_tcp line"},
		{"serial: /dev/x", []string{"slow", "mute"},
			protocol.Quirks{ConnectDelay: 2 * time.Second, Echo: protocol.WithEcho, KeepLatency: true}, ""},
		{"tcp: h", []string{"slow", "mute"}, protocol.Quirks{ConnectDelay: 2 * time.Second}, ""},
	} {
		var list []string
		for i, family := range c.of {
			list = append(list, fmt.Sprintf("{profile: %s.yaml, unit: %d}", family, i+1))
		}
		got, err := Parse(filepath.Join(dir, "c.yaml"),
			[]byte(withLines("  - {"+c.line+", devices: ["+strings.Join(list, ", ")+"]}\n")))
		switch {
		case c.fail != "":
			if err == nil || !strings.Contains(err.Error(), c.fail) {
				t.Errorf("%s: %v, want %s", c.line, err, c.fail)
			}
		case err != nil:
			t.Errorf("%s: %v", c.line, err)
		case got.Lines[0].Quirks != c.want:
			t.Errorf("%s: %+v, want %+v", c.line, got.Lines[0].Quirks, c.want)
		}
	}
}

// A hole on what only another variant has is no mistake: the device may be of this one.
func TestAHoleOfOneVariant(t *testing.T) {
	dir := families(t, map[string]string{"two": "unit: 1"})
	path := filepath.Join(dir, "two.yaml")
	text := strings.NewReplacer("source: s}\ndefaults",
		"source: s}\ntraits: {kind: {at: 0, values: {a: 1, b: 2}}}\ndefaults",
		"unit: W, class: power}", "unit: W, class: power, when: kind = a}, {key: other, name: Other, at: 20}, "+
			"{key: third, "+
			"name: Third, at: 30, when: kind = b}").
		Replace(string(must(os.ReadFile(path))))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for hole, refused := range map[string]bool{"holding 9": false, "holding 30": false, "holding 20": true,
		"holding 10..19": false} {
		_, err := Parse(filepath.Join(dir, "c.yaml"),
			[]byte(withLines("  - {tcp: h, devices: [{profile: two.yaml, holes: ["+hole+"]}]}\n")))
		if (err != nil) != refused {
			t.Errorf("%s: %v", hole, err)
		}
	}
}

// write_wait makes the reads of every device on the line so short that none takes longer; nothing else is changed by
// it.
func TestWriteWaitShortensReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		baud := rapid.SampledFrom([]int{2400, 9600, 19200, 115200}).Draw(t, "baud")
		wait := time.Duration(rapid.IntRange(1, 1500).Draw(t, "wait")) * time.Millisecond
		gap := time.Duration(rapid.IntRange(0, 300).Draw(t, "gap")) * time.Millisecond
		text := func(wait time.Duration) []byte {
			return []byte(withLines(fmt.Sprintf("  - {serial: /dev/x, baud: %d, write_wait: %v, devices: [{profile: "+
				"powdrive, timeout: 5s, gap: %v}, {profile: senergy, unit: 2, timeout: 5s}]}\n", baud, wait, gap)))
		}
		c, err := Parse("c.yaml", text(wait))
		if err != nil {
			nearest := must(time.ParseDuration(nearestIn(t, err, `the nearest that works is ([0-9.a-z]+)`)))
			if nearest <= wait {
				t.Fatalf("%v is refused, and the nearest is %v", wait, nearest)
			}
			if _, err := Parse("c.yaml", text(nearest)); err != nil {
				t.Fatalf("the nearest is refused: %v", err)
			}
			if _, err := Parse("c.yaml", text(nearest-time.Millisecond)); err == nil {
				t.Fatalf("%v is named as the nearest, but a millisecond less works", nearest)
			}
			return
		}
		for _, d := range c.Lines[0].Devices {
			timing := devices.TimingOf(d.Line)
			if longest := plan.Longest(readsOf(d), timing); longest > wait {
				t.Fatalf("%s: a read takes %v, wanted %v", d.Name, longest, wait)
			}
			most := d.Line.MaxRegisters
			if next := timing.Exchange(protocol.Read,
				protocol.Range{Count: most + 1}); most < d.Profile.Line.MaxRegisters && next <= wait {
				t.Fatalf("%s: %d registers where one more would do", d.Name, most)
			}
		}
	})
}

func nearestIn(t *rapid.T, err error, form string) string {
	m := regexp.MustCompile(form).FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("no nearest in: %v", err)
	}
	return m[1]
}

// The nearest gap and timeout that are named work, and a millisecond beside them does not.
func TestTheNearestWorks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"gap", "timeout"}).Draw(t, "key")
		turnaround := time.Duration(rapid.IntRange(0, 90).Draw(t, "turnaround")) * time.Millisecond
		given := time.Duration(rapid.IntRange(10, 5000).Draw(t, key)) * time.Millisecond
		now := time.Duration(rapid.IntRange(200, 3000).Draw(t, "now")) * time.Millisecond
		parse := func(given time.Duration) error {
			_, err := Parse("c.yaml", []byte(withLines(fmt.Sprintf("  - {serial: /dev/x, devices: [{profile: "+
				"powdrive, turnaround: %v, poll: {now: %v}, %s: %v}]}\n",
				turnaround, now, key, given))))
			return err
		}
		err := parse(given)
		if err == nil {
			return
		}
		nearest := must(time.ParseDuration(nearestIn(t, err, "the nearest that works is "+key+": ([0-9.a-z]+)")))
		beyond := nearest + time.Millisecond
		if key == "timeout" {
			beyond = nearest - time.Millisecond
		}
		if err := parse(nearest); err != nil {
			t.Fatalf("the nearest is refused: %v", err)
		}
		if err := parse(beyond); err == nil {
			t.Fatalf("%v is named as the nearest, but %v works", nearest, beyond)
		}
	})
}
