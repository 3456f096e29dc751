package demo

import (
	"time"

	"solarhub/devices/profile/strict"
	"solarhub/protocol/sim"
)

// Scenario is some simulated lines.
type Scenario struct {
	Seed  uint64 // the faults are drawn from it: the same seed and the same requests give the same faults
	Lines []LineConfig
}

// LineConfig is one simulated line: where it can be reached, how it behaves, and the devices on it.
type LineConfig struct {
	Places Places // one or more

	Baud   int           // pace of the line; 0 is the first device's own on a pty, and no pace on a network
	MinGap time.Duration // a request that comes sooner than this after a reply is not heard
	Deaf   time.Duration // a request that comes sooner than this after a connection opened is not heard
	Waking time.Duration // the first reply on a connection comes this much later
	Echo   bool          // each request comes back first, as from an adapter that hears itself
	Busy   sim.Busy      // what happens to a request that comes while the line still answers another one

	Devices []DeviceConfig
}

// DeviceConfig is one simulated device.
type DeviceConfig struct {
	Profile      string        // name of a device family, or the path of a profile
	Traits       string        // as profile.NamedTraits reads them; empty: as a dump shows, or the typical device
	SerialNumber string        // empty: SIM and a number
	UnitID       uint8         // 0 is the one that the family is delivered with
	Turnaround   time.Duration // from a request to its reply; negative is what is typical of the family
	MaxRegisters uint16        // longer reads are refused with exception 3; 0 is what the standard allows
	Silent       bool          // longer reads, and registers that do not exist, get no answer instead of a refusal
	Faults       string        // what goes wrong how often, as sim.ParseFaults reads it
	Dumps        []string      // files with registers of a real device: it holds those and no others
	Set          []string      // KEY=VALUE: what a point holds at first
}

// ParseScenario reads a scenario written as YAML; the error is strict.Findings with all that is wrong.
func ParseScenario(file string, data []byte) (Scenario, error) {
	s := Scenario{Seed: 1}
	root, report := strict.Parse(file, data)
	if root != nil {
		f := root.Fields("seed", "lines")
		if n := f.Get("seed"); n != nil {
			s.Seed, _ = n.Uint(1<<63 - 1)
		}
		for _, n := range items(f.Need("lines")) {
			s.Lines = append(s.Lines, parseLine(n))
		}
	}
	return s, report.Err()
}

func parseLine(n *strict.Node) LineConfig {
	keys := []string{"baud", "min_gap", "deaf", "waking", "echo", "busy", "devices"}
	for _, w := range ways {
		keys = append(keys, string(w.Transport))
	}
	f := scenarioFields{n.Fields(keys...)}
	l := LineConfig{Places: Places{}, Baud: int(f.number("baud", 921600)),
		MinGap: f.duration("min_gap", 0), Deaf: f.duration("deaf", 0), Waking: f.duration("waking", 0),
		Echo: f.yes("echo")}
	for _, w := range ways {
		l.Places[w.Transport] = f.text(string(w.Transport))
	}
	if at := f.Get("busy"); at != nil {
		if i, ok := at.OneOf(BusyWords...); ok {
			l.Busy = sim.Busy(i)
		}
	}
	for _, d := range items(f.Need("devices")) {
		l.Devices = append(l.Devices, parseDevice(d))
	}
	return l
}

func parseDevice(n *strict.Node) DeviceConfig {
	f := scenarioFields{n.Fields("profile", "traits", "serial_number", "unit", "turnaround", "max_registers", "silent",
		"fault", "dumps", "set")}
	f.Need("profile")
	d := DeviceConfig{Profile: f.text("profile"), Traits: f.text("traits"), SerialNumber: f.text("serial_number"),
		UnitID: uint8(f.number("unit", 255)), Turnaround: f.duration("turnaround", -1),
		MaxRegisters: uint16(f.number("max_registers", 125)), Silent: f.yes("silent"), Faults: f.text("fault")}
	for _, file := range items(f.Get("dumps")) {
		name, _ := file.Text()
		d.Dumps = append(d.Dumps, name)
	}
	if at := f.Get("set"); at != nil {
		for _, e := range at.Entries() {
			d.Set = append(d.Set, e.Key.Raw()+"="+e.Value.Raw())
		}
	}
	return d
}

// scenarioFields reads optional fields; one that is absent has the zero value, or the one given.
type scenarioFields struct{ strict.Fields }

func (f scenarioFields) text(key string) (text string) {
	if n := f.Get(key); n != nil {
		text, _ = n.Text()
	}
	return text
}

func (f scenarioFields) number(key string, highest uint64) (number uint64) {
	if n := f.Get(key); n != nil {
		number, _ = n.Uint(highest)
	}
	return number
}

func (f scenarioFields) yes(key string) (yes bool) {
	if n := f.Get(key); n != nil {
		yes, _ = n.Bool()
	}
	return yes
}

func (f scenarioFields) duration(key string, absent time.Duration) time.Duration {
	n := f.Get(key)
	if n == nil {
		return absent
	}
	d, _ := n.Duration(0, time.Hour)
	return d
}

// BusyWords name the values of sim.Busy, in their order.
var BusyWords = []string{"queues", "loses"}
