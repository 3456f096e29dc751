package config

import (
	"errors"
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
	"solarhub/devices/profile/strict"
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
			"latency_timer: there is no USB adapter on a line over the network"},
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

// What cannot be is refused with the nearest that works: each row with a part of its finding.
var impossible = []struct{ name, line, device, want string }{
	{"gap beyond the interval", "serial: /dev/x", "gap: 3s",
		"the shortest read takes 3.04s with its gap of 3s and turnaround of 20ms, longer than the interval now: 2s; " +
			"the nearest that works is gap: 1.96s, or now: 3.04s under poll"},
	{"gap with the exchange", "serial: /dev/x", "gap: 90ms, poll: {now: 100ms}",
		"the nearest that works is gap: 60ms, or now: 130ms under poll"},
	{"turnaround beyond the interval", "tcp: h", "turnaround: 3s, timeout: 4s",
		"longer than the interval now: 2s; the nearest that works is now: 3.06s under poll"},
	{"timeout below the reply", "serial: /dev/x", "timeout: 100ms",
		"timeout 100ms: the reply to holding 98+48 takes 129ms; the nearest that works is timeout: 129ms, or " +
			"max_registers: 34"},
	{"timeout below any reply", "serial: /dev/x, baud: 1200", "timeout: 30ms",
		"the nearest that works is timeout: 891ms"},
	{"timeout below the turnaround", "tcp: h", "turnaround: 1s, timeout: 500ms",
		"timeout 500ms: the reply to holding 0+1 takes 1s; the nearest that works is timeout: 1s"},
	{"first timeout", "tcp: h", "first_timeout: 500ms",
		"first_timeout 500ms is below timeout 1s: the nearest that works is 1s"},
	{"max_registers below a point", "serial: /dev/x", "max_registers: 3",
		"max_registers 3: device_serial_number (holding 3+5) is read in one go; the nearest that works is 5"},
	{"write_wait below a register", "serial: /dev/x, write_wait: 20ms", "gap: 0s",
		"write_wait 20ms: to read device_serial_number of Powdrive three-phase hybrid inverter, 5 registers, takes " +
			"52ms on the wire; the nearest that works is 52ms"},
	{"write_wait below the second device", "serial: /dev/x, write_wait: 55ms", "gap: 0s}, {profile: senergy, unit: 2",
		"write_wait 55ms: to read device_model of Senergy hybrid inverter, 8 registers, takes 58ms on the wire; the " +
			"nearest that works is 58ms"},
	{"hole across points", "tcp: h", "holes: [holding 586..596]",
		"hole holding 586..596 cuts battery_power_w, battery_soc_pct and 8 more: the nearest that works is [holding " +
			"596]"},
	{"hole in a point", "tcp: h", "holes: holding 588",
		"hole holding 588 cuts battery_soc_pct: the nearest that works is to leave it out"},
	{"transaction ids of RTU", "serial: /dev/x, transaction_ids: shape", "",
		"transaction_ids: RTU frames have no transaction ids; leave it out"},
	{"echo of TCP", "tcp: h, echo: off", "", "echo: only RTU frames can come back as an echo; leave it out"},
	{"direction of TCP", "tcp: h, direction: rts", "",
		"direction: a tcp line has no RS485 transceiver of ours; leave it out"},
	{"latency timer of TCP", "tcp: h, latency_timer: set", "",
		"latency_timer: there is no USB adapter on a tcp line; leave it out"},
	{"mark parity", "serial: /dev/x, parity: mark", "",
		`parity "mark" is not one of none, even, odd; the nearest that works is none with stop_bits: 2`},
	{"parity in short", "serial: /dev/x, parity: E", "", "the nearest that works is even"},
	{"parity misspelt", "serial: /dev/x, parity: evn", "", "did you mean even?"},
	{"baud", "serial: /dev/x, baud: 100000", "", "; the nearest is 115200"},
	{"registers of one read", "tcp: h", "max_registers: 200",
		"max_registers 200: one read carries 125 at most, by the standard; that is the nearest that works"},
	{"of the line", "tcp: h", "unit_ids: lax",
		`key "unit_ids" has no place here: it is of the line, beside its devices`},
	{"of a device", "tcp: h, gap: 10ms", "", `key "gap" has no place here: it is of a device of the line`},
	{"write_with", "tcp: h", "write_with: both", `"both" is not allowed here; allowed: single, multiple`},
}

func TestTheImpossibleIsRefused(t *testing.T) {
	for _, c := range impossible {
		t.Run(c.name, func(t *testing.T) {
			device := strings.TrimSuffix("profile: powdrive, "+c.device, ", ")
			_, err := Parse("c.yaml", []byte(withLines("  - {"+c.line+", devices: [{"+device+"}]}\n")))
			var found strict.Findings
			if !errors.As(err, &found) || len(found) != 1 {
				t.Fatalf("not one finding: %v", err)
			}
			if !strings.Contains(found[0].What, c.want) || found[0].Line != 3 || found[0].Column < 5 {
				t.Errorf("found %v\nwant  %s", found[0], c.want)
			}
		})
	}
	var all []string
	for _, c := range impossible[:6] {
		all = append(all, "  - {"+strings.Replace(c.line, "/dev/x", "/dev/"+strings.ReplaceAll(c.name, " ", "-"),
			1)+", devices: [{profile: powdrive, "+c.device+"}]}\n")
	}
	_, err := Parse("c.yaml", []byte(withLines(strings.ReplaceAll(strings.Join(all, ""), "tcp: h", "tcp: i"))))
	for i, c := range impossible[:5] {
		if !strings.Contains(fmt.Sprint(err), strings.TrimPrefix(c.want, "")) {
			t.Errorf("finding %d is not told beside the others:\n%v", i, err)
		}
	}
}

// A hole on what only another variant has is no mistake: the device may be of this one.
func TestAHoleOfOneVariant(t *testing.T) {
	dir := families(t, map[string]string{"two": "unit: 1"})
	path := filepath.Join(dir, "two.yaml")
	text := strings.NewReplacer("source: s}\ndefaults", "kind: {at: 0}, accept: {1: a, 2: b}, source: s}\ndefaults",
		"unit: W, class: power}", "unit: W, class: power, only: a}, {key: other, name: Other, at: 20}, {key: third, "+
			"name: Third, at: 30, only: b}").
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
