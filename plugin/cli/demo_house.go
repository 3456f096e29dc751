package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"solarhub/plugin/demo"
)

// member is a device of the demo's house.
type member struct {
	simulated
	name   string
	system int    // of the house that it shows
	more   string // of its entry in the configuration
}

// demoMorning is the time of day at which the house is seen first: the sun is up and the battery still fills.
const demoMorning = 7*time.Hour + 50*time.Minute

// demoMembers are an inverter with most of the house on a slow serial line, one on the garage behind Modbus TCP, and a meter where the
// grid comes in. The serial line is read in smaller pieces than the family needs, so that a set-value is quick.
func demoMembers(flags demoFlags, dir string) []member {
	return []member{
		{simulated{profile: "powdrive", variant: "lv", serial: "DEMO000001", pty: filepath.Join(dir, "rs485"), turnaround: -1, fault: flags.fault}, "House", 0,
			"gap: 20ms, max_registers: 32, poll: {now: 1s, normal: 4s, slow: 20s}, quiet: 4s"},
		{simulated{profile: "senergy", serial: "DEMO-GARAGE-0001", tcp: "127.0.0.1:0", turnaround: 8 * time.Millisecond}, "Garage", 1, "turnaround: 8ms, poll: {now: 1s, normal: 3s, slow: 10s}, quiet: 4s"},
		{simulated{profile: "iammeter", serial: "DEMO-METER-00001", tcp: "127.0.0.1:0", turnaround: 5 * time.Millisecond}, "Meter", demo.Whole, "turnaround: 5ms, poll: {now: 1s, normal: 3s, slow: 10s}, quiet: 4s"},
	}
}

// demoSystems are what hangs on the two inverters.
var demoSystems = []demo.System{
	{Peak: 6200, Capacity: 14300, Volts: 51.2, Rated: 7000, Loads: []demo.Load{
		{Watts: 310}, // what is always on
		{Watts: 110, On: 17 * time.Minute, Every: 46 * time.Minute},                                                                      // refrigerator
		{Watts: 900, From: 5 * time.Hour, To: 22 * time.Hour, On: 14 * time.Minute, Every: 65 * time.Minute},                             // heat pump
		{Watts: 1900, From: 6*time.Hour + 50*time.Minute, To: 7*time.Hour + 20*time.Minute, On: 3 * time.Minute, Every: 8 * time.Minute}, // breakfast
		{Watts: 2400, From: 9*time.Hour + 30*time.Minute, To: 11 * time.Hour, On: 9 * time.Minute, Every: 41 * time.Minute},              // washing
		{Watts: 2100, From: 12 * time.Hour, To: 12*time.Hour + 50*time.Minute, On: 4 * time.Minute, Every: 6 * time.Minute},              // lunch
		{Watts: 2700, From: 18 * time.Hour, To: 19*time.Hour + 20*time.Minute, On: 5 * time.Minute, Every: 8 * time.Minute},              // dinner
		{Watts: 420, From: 17 * time.Hour, To: 23 * time.Hour},                                                                           // lights and screens
	}},
	{Peak: 2900, Capacity: 7200, Volts: 51.2, Rated: 3000, Loads: []demo.Load{
		{Watts: 95},
		{Watts: 60, On: 12 * time.Minute, Every: 40 * time.Minute},
		{Watts: 2300, From: 19*time.Hour + 30*time.Minute, To: 23 * time.Hour}, // the car
	}},
}

// buildHouse makes the house and the lines with the devices that show it, in the order of the members.
func buildHouse(members []member, flags demoFlags) ([]*simLine, error) {
	h := demo.New(demo.Options{Seed: flags.seed, Day: flags.day, Start: demoMorning, Systems: demoSystems})
	var lines []*simLine
	for i := range members {
		own, err := wire([]*simulated{&members[i].simulated}, flags.seed) // each on a line of its own
		if err != nil {
			return nil, err
		}
		u := own[0].units[0]
		binding, err := demo.BindingOf(u.profile.ID)
		if err != nil {
			return nil, err
		}
		if err := h.Bind(u.memory, u.points, binding, members[i].system); err != nil {
			return nil, fmt.Errorf("%s: %w", u.profile.ID, err)
		}
		lines = append(lines, own...)
	}
	return lines, nil
}

// openDemoLines opens the lines. Where there are no ptys, RTU over TCP takes the place of the serial line.
func openDemoLines(ctx context.Context, lines []*simLine) error {
	err := openAll(ctx, lines)
	if err == nil || lines[0].kind != onPTY {
		return err
	}
	lines[0].kind, lines[0].address = onRTUTCP, "127.0.0.1:0"
	return openAll(ctx, lines)
}

// demoConfig is the configuration that connects the lines to a host.
func demoConfig(members []member, lines []*simLine, url, token, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "host: {url: %q, token: %q}\nname: demo\ndata: %q\nlines:\n", url, token, filepath.Join(dir, "cache"))
	for i, l := range lines {
		kind := map[string]string{onPTY: "serial", onTCP: "tcp", onRTUTCP: "rtu_over_tcp"}[l.kind]
		fmt.Fprintf(&b, "  - %s: %q\n    devices: [{profile: %s, name: %s, %s}]\n", kind, l.address, members[i].profile, members[i].name, members[i].more)
	}
	return b.String()
}
