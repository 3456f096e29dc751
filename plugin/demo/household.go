package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Household is the house that the demo shows: an inverter with most of the house on a slow serial line, one on the
// garage behind Modbus TCP, and a meter where the grid comes in.
type Household struct {
	Lines []*Line // in the order of its members
}

// member is a device of the household.
type member struct {
	line   LineConfig
	name   string
	system int    // of the house that it shows
	more   string // of its entry in the configuration
}

// morning is the time of day at which the house is seen first: the sun is up and the battery still fills.
const morning = 7*time.Hour + 50*time.Minute

// NewHousehold builds the house and the lines with the devices that show it; dir takes the link to the serial port, day
// is how long a day of the house takes, faults is what goes wrong on the serial line. Nothing is opened.
func NewHousehold(dir string, seed uint64, day time.Duration, faults string) (*Household, error) {
	h := NewHouse(HouseOptions{Seed: seed, Day: day, Start: morning, Systems: systems})
	s := Scenario{Seed: seed}
	all := members(dir, faults)
	for _, m := range all {
		s.Lines = append(s.Lines, m.line)
	}
	lines, err := NewLines(s)
	if err != nil {
		return nil, err
	}
	for i, l := range lines {
		d := l.Devices[0]
		binding, err := BindingOf(d.Profile.ID)
		if err != nil {
			return nil, err
		}
		if err := h.Bind(d.Unit, d.Points, binding, all[i].system); err != nil {
			return nil, fmt.Errorf("%s: %w", d.Profile.ID, err)
		}
	}
	return &Household{Lines: lines}, nil
}

// members are the devices. The serial line is read in smaller pieces than the family needs, so that a set-value is
// quick.
func members(dir, faults string) []member {
	const local = "127.0.0.1:0"
	return []member{
		{LineConfig{Places: Places{OnPTY: filepath.Join(dir, "rs485")}, Devices: []DeviceConfig{
			{Profile: "powdrive", Traits: "lv", SerialNumber: "DEMO000001", Turnaround: -1, Faults: faults}}},
			"House", 0, "gap: 20ms, max_registers: 32, poll: {now: 1s, normal: 4s, slow: 20s}, quiet: 4s"},
		{LineConfig{Places: Places{OnTCP: local}, Devices: []DeviceConfig{
			{Profile: "senergy", SerialNumber: "DEMO-GARAGE-0001", Turnaround: 8 * time.Millisecond}}},
			"Garage", 1, "turnaround: 8ms, poll: {now: 1s, normal: 3s, slow: 10s}, quiet: 4s"},
		{LineConfig{Places: Places{OnTCP: local}, Devices: []DeviceConfig{
			{Profile: "iammeter", SerialNumber: "DEMO-METER-00001", Turnaround: 5 * time.Millisecond}}},
			"Meter", Whole, "turnaround: 5ms, poll: {now: 1s, normal: 3s, slow: 10s}, quiet: 4s"},
	}
}

// systems are what hangs on the two inverters.
var systems = []System{
	{Peak: 6200, Capacity: 14300, Volts: 51.2, Rated: 7000, Loads: []Load{
		{Watts: 310}, // what is always on
		// refrigerator
		{Watts: 110, On: 17 * time.Minute, Every: 46 * time.Minute},
		// heat pump
		{Watts: 900, From: 5 * time.Hour, To: 22 * time.Hour, On: 14 * time.Minute, Every: 65 * time.Minute},
		// breakfast
		{Watts: 1900, From: clock(6, 50), To: clock(7, 20), On: 3 * time.Minute, Every: 8 * time.Minute},
		{Watts: 2400, From: clock(9, 30), To: clock(11, 0), On: 9 * time.Minute, Every: 41 * time.Minute}, // washing
		{Watts: 2100, From: clock(12, 0), To: clock(12, 50), On: 4 * time.Minute, Every: 6 * time.Minute}, // lunch
		{Watts: 2700, From: clock(18, 0), To: clock(19, 20), On: 5 * time.Minute, Every: 8 * time.Minute}, // dinner
		// lights and screens
		{Watts: 420, From: clock(17, 0), To: clock(23, 0)},
	}},
	{Peak: 2900, Capacity: 7200, Volts: 51.2, Rated: 3000, Loads: []Load{
		{Watts: 95},
		{Watts: 60, On: 12 * time.Minute, Every: 40 * time.Minute},
		{Watts: 2300, From: clock(19, 30), To: clock(23, 0)}, // the car
	}},
}

// clock returns a time of day.
func clock(hours, minutes time.Duration) time.Duration { return hours*time.Hour + minutes*time.Minute }

// Open opens the lines. Where there are no ptys, RTU over TCP takes the place of the serial line.
func (h *Household) Open(ctx context.Context) error {
	err := Open(ctx, h.Lines)
	if serial := h.Lines[0]; err != nil && serial.Transport == OnPTY {
		serial.Transport, serial.Address = OnRTUOverTCP, "127.0.0.1:0"
		err = Open(ctx, h.Lines)
	}
	return err
}

// Config returns the configuration that connects the open lines to a host; the cache is kept in dir.
func (h *Household) Config(url, token, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "host: {url: %q, token: %q}\nname: demo\ndata: %q\nlines:\n", url, token,
		filepath.Join(dir, "cache"))
	for i, m := range members("", "") {
		l := h.Lines[i]
		fmt.Fprintf(&b, "  - %s: %q\n    devices: [{profile: %s, name: %s, %s}]\n", l.Transport.key(), l.Address,
			l.Devices[0].Profile.ID, m.name, m.more)
	}
	return b.String()
}
