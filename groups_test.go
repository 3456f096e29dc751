package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// blocks is a family of which a window is taken only with its start and its end, and set-points only as six registers.
const blocks = `profile: blocks
name: Block inverter
manufacturer: Test
sources: {x: field reports}
line: {unit: 1, source: x}
identify: {serial: {at: 0, type: text, length: 6}, source: x}
defaults: {order: abcd, source: x}
write_groups:
  window_1: {name: Window 1, together: [window_1_start, window_1_end]}
  passive: {name: Passive mode, together: [grid_power, battery_least, battery_most]}
points:
  - {key: window_1_start, name: Window 1 start, at: 3038, time: packed, every: slow, show: true, write: {}}
  - {key: window_1_end, name: Window 1 end, at: 3039, time: packed, every: slow, show: true, write: {}}
  - {key: grid_power, name: Wanted grid power, at: 4487, type: s32, every: slow, show: true,
     write: {min: -20000, max: 20000}, source: x}
  - {key: battery_least, name: Least battery power, at: 4489, type: s32, every: slow, show: true,
     write: {min: -20000, max: 20000}, source: x}
  - {key: battery_most, name: Most battery power, at: 4491, type: s32, every: slow, show: true,
     write: {min: -20000, max: 20000}, source: x}
`

// buildBlocks builds the binary and one such inverter, and a configuration with a profile of its own.
func buildBlocks(ctx context.Context, t *testing.T, h *home) (*house, inverter) {
	t.Helper()
	b, dir := newHouse(ctx, t)
	p, err := profile.Load("blocks.yaml", []byte(blocks))
	if err != nil {
		t.Fatal(err)
	}
	i := inverter{serial: fmt.Sprintf("GR%010d", time.Now().UnixMilli()/100%1e10), profile: p}
	if i.unit, err = simulate.Unit(p, nil, i.serial); err != nil {
		t.Fatal(err)
	}
	i.unit.Set(protocol.HoldingRegister, 3038, 0x0200, 0x0500)
	i.unit.Set(protocol.HoldingRegister, 4487, 0, 100, 0xFFFF, 0xFE0C, 0, 2000)
	i.line = sim.NewLine(sim.Options{Turnaround: 20 * time.Millisecond, Keep: 10_000}, i.unit)
	config := fmt.Sprintf("host: {url: %s, token_env: HASS_TOKEN}\nname: groups\ndata: %s\nlines:\n  - tcp: %s\n"+
		"    devices: [{profile: ./blocks.yaml, name: Blocks, poll: {slow: 1s}}]\n", h.url, filepath.Join(dir, "data"),
		i.serveTCP(t))
	for name, text := range map[string]string{b.config: config, filepath.Join(dir, "blocks.yaml"): blocks} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b, i
}

// TestEndToEndGroups sets what a device takes only as a whole from a card, an automation, a scene and the action
// write_group of a real Home Assistant, and looks at what is on the wire: PDUs, and each of them alone.
func TestEndToEndGroups(t *testing.T) {
	h := nameHome(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	b, i := buildBlocks(ctx, t, h)
	install(ctx, t, h, b)
	h.connect(ctx)
	defer h.disconnect()
	forget(ctx, t, h)
	b.run(ctx, h)
	var ids map[string]string
	h.until(ctx, 30*time.Second, "the entities in the host", func() bool {
		ids, _ = h.registered(ctx)
		return h.states(ctx)[ids[i.serial+"_battery_most"]].State == "2000"
	})
	id := func(key string) string { return ids[i.serial+"_"+key] }
	set := func(action, key string, data map[string]any) func() error {
		return func() error { return h.act(ctx, action, id(key), data) }
	}
	call := func(action string, data map[string]any) func() error {
		return func() error { return h.act(ctx, action, "", data) }
	}
	for _, step := range []struct {
		from string
		do   func() error
		wire string
	}{
		{"a card, the end of a window", set("time.set_value", "window_1_end", map[string]any{"time": "23:59:00"}),
			"10 0BDE 2 [0200 173B]"},
		{"a card, one of six registers", set("number.set_value", "battery_most", map[string]any{"value": -1000}),
			"10 1187 6 [0000 0064 FFFF FE0C FFFF FC18]"},
		{"an automation", h.automation(ctx, []any{
			numberTo(id("battery_most"), 3000), numberTo(id("grid_power"), 50), numberTo(id("battery_least"), -3000)}),
			"10 1187 6 [0000 0032 FFFF F448 0000 0BB8]"},
		{"a scene", call("scene.apply", map[string]any{"entities": map[string]any{id("window_1_end_text"): "06:30",
			id("window_1_start_text"): "05:15", id("battery_most"): "1", id("grid_power"): "2",
			id("battery_least"): "3"}}),
			"10 0BDE 2 [050F 061E]; 10 1187 6 [0000 0002 0000 0003 0000 0001]"},
		{"write_group", call("solarhub.write_group", map[string]any{"device_id": h.device(ctx, i.serial),
			"group": "window_1", "values": map[string]any{"window_1_start": "22:00", "window_1_end": "23:00"}}),
			"10 0BDE 2 [1600 1700]"},
	} {
		n := i.line.Journal().Last()
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.from, err)
			continue
		}
		if got := wire(i.line.Journal().Since(n)); got != step.wire {
			t.Errorf("%s:\nhave %s\nwant %s", step.from, got, step.wire)
		} else {
			t.Logf("%-30s %s", step.from, got)
		}
	}
}

// wire returns the writes among exchanges, by address: function, address, count and words.
func wire(exchanges []sim.Exchange) string {
	var all []string
	for _, e := range exchanges {
		if e.Write() {
			all = append(all, fmt.Sprintf("%02X %04X %d %04X", e.Function, e.Range.Addr, e.Range.Count, e.Words))
		}
	}
	if len(all) == 2 && all[0] > all[1] {
		all[0], all[1] = all[1], all[0] // two groups of a scene leave in any order
	}
	return strings.Join(all, "; ")
}

// numberTo is an action of an automation.
func numberTo(id string, value float64) any {
	return map[string]any{"action": "number.set_value", "target": map[string]any{"entity_id": id},
		"data": map[string]any{"value": value}}
}

// automation returns what triggers an automation that does all of the actions at once, and waits until it is over.
func (h *home) automation(ctx context.Context, actions []any) func() error {
	return func() error {
		h.post(ctx, "/api/config/automation/config/solarhub_groups", map[string]any{"alias": "SolarHub groups",
			"mode": "single", "triggers": []any{}, "actions": []any{map[string]any{"parallel": actions}}})
		h.until(ctx, 10*time.Second, "the automation is loaded", func() bool {
			return h.states(ctx)["automation.solarhub_groups"].State == "on"
		})
		return h.act(ctx, "automation.trigger", "automation.solarhub_groups", map[string]any{})
	}
}

// device returns the host's id of a device.
func (h *home) device(ctx context.Context, serial string) (id string) {
	h.t.Helper()
	var list []struct {
		ID          string     `json:"id"`
		Identifiers [][]string `json:"identifiers"`
	}
	if err := h.ask(ctx, map[string]any{"type": "config/device_registry/list"}, &list); err != nil {
		h.t.Fatal(err)
	}
	for _, d := range list {
		if len(d.Identifiers) == 1 && d.Identifiers[0][1] == serial {
			id = d.ID
		}
	}
	return id
}
