package main_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// TestEndToEnd proves the whole way, from an action of a real Home Assistant to a register and back, with the real
// binary and the real companion; only the inverters are simulated. Its last words are a table of what was measured.
func TestEndToEnd(t *testing.T) {
	h := nameHome(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	b := buildHouse(ctx, t, h)
	install(ctx, t, h, b)
	h.connect(ctx)
	defer h.disconnect()
	forget(ctx, t, h)

	e := &endToEnd{home: h, house: b}
	t.Run("first connect", func(t *testing.T) { e.firstConnect(ctx, t) })
	if t.Failed() {
		return
	}
	t.Run("set-value", func(t *testing.T) { e.setValue(ctx, t) })
	t.Run("refusals", func(t *testing.T) { e.refusals(ctx, t) })
	t.Run("scene and automation", func(t *testing.T) { e.sceneAndAutomation(ctx, t) })
	t.Run("bad days", func(t *testing.T) { e.badDays(ctx, t) })
	t.Run("latency RTU", func(t *testing.T) {
		e.latency(ctx, t, "RTU 9600, polled flat out", b.powdrive, "battery_charge_current_max", 1, 185, 1)
	})
	t.Run("latency TCP", func(t *testing.T) {
		e.latency(ctx, t, "TCP, 5 ms turnaround", b.senergy, "battery_grid_charge_soc", 0, 100, 1)
	})
	t.Run("what a person sees", func(t *testing.T) { e.pictures(ctx, t) })
	t.Run("restart of the plugin", func(t *testing.T) { e.pluginRestarts(ctx, t) })
	t.Run("killed in mid-write", func(t *testing.T) { e.killedInMidWrite(ctx, t) })
	t.Run("restart of Home Assistant", func(t *testing.T) { e.homeRestarts(ctx, t) })
	e.row("resident memory of the binary", fmt.Sprintf("%.1f MB", b.resident()), "at most 40 MB")
	if b.log.contains(h.token) {
		t.Error("the token stands in the log")
	}
	t.Log("\n" + e.report())
}

// install puts the companion into Home Assistant as a person would.
func install(ctx context.Context, t *testing.T, h *home, b *house) {
	t.Helper()
	command := exec.CommandContext(ctx, b.binary, "install", "--ha-config", h.config,
		"--url", h.url, "--token-env", "HASS_TOKEN", "--restart")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
}

// forget removes what an earlier run has left in Home Assistant.
func forget(ctx context.Context, t *testing.T, h *home) {
	t.Helper()
	var entries []struct {
		ID string `json:"entry_id"`
	}
	if err := h.ask(ctx, map[string]any{"type": "config_entries/get", "domain": "solarhub"}, &entries); err != nil ||
		len(entries) != 1 {
		t.Fatalf("there is no config entry: %v, %v", entries, err)
	}
	var list []struct {
		ID          string     `json:"id"`
		Identifiers [][]string `json:"identifiers"`
	}
	if err := h.ask(ctx, map[string]any{"type": "config/device_registry/list"}, &list); err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if len(d.Identifiers) == 1 && d.Identifiers[0][0] == "solarhub" {
			remove := map[string]any{"type": "config/device_registry/remove_config_entry", "device_id": d.ID,
				"config_entry_id": entries[0].ID}
			_ = h.ask(ctx, remove, nil)
		}
	}
}

type endToEnd struct {
	home  *home
	house *house
	ids   map[string]string // the host's entity ids by ours
	rows  []table.Row
	goes  goes
}

func (e *endToEnd) row(what, measured, target string) {
	e.rows = append(e.rows, table.Row{what, measured, target})
}

func (e *endToEnd) report() string {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.AppendHeader(table.Row{"what", "measured", "how good it should be"})
	w.AppendRows(e.rows)
	return w.Render()
}

// id returns the host's entity id of a point.
func (e *endToEnd) id(t *testing.T, i inverter, key string) string {
	t.Helper()
	id := e.ids[i.serial+"_"+key]
	if id == "" {
		t.Fatalf("%s has no entity for %s", i.profile.ID, key)
	}
	return id
}

func (e *endToEnd) firstConnect(ctx context.Context, t *testing.T) {
	want, platforms := map[string]bool{}, map[string]int{}
	for _, i := range []inverter{e.house.powdrive, e.house.senergy} {
		for _, entity := range i.entities() {
			want[entity.ID] = true
			platforms[entity.Platform]++
		}
	}
	began := time.Now()
	e.house.run(ctx, e.home)
	all := e.home.until(ctx, 30*time.Second, "all entities in the host", func() bool {
		ids, _ := e.home.registered(ctx)
		for id := range want {
			if ids[id] == "" {
				return false
			}
		}
		e.ids = ids
		return true
	})
	for id := range e.ids {
		if !want[id] && !strings.HasPrefix(id, "test") {
			t.Logf("%s is in the host though no profile has it", id)
		}
	}
	_, disabled := e.home.registered(ctx)
	e.home.until(ctx, 30*time.Second, "a value for all enabled entities", func() bool {
		states := e.home.states(ctx)
		for id := range want {
			if s := states[e.ids[id]]; !disabled[id] && (s.State == "" || s.State == "unavailable") {
				return false
			}
		}
		return true
	})
	e.platforms(platforms, len(want))
	e.row("all entities in the host, from the start of the process", ms(all), "within 3 s of connecting")
	e.row("all enabled entities with a state, from the same moment", ms(time.Since(began)), "")
}

func (e *endToEnd) platforms(counts map[string]int, total int) {
	var parts []string
	for _, p := range []string{"sensor", "binary_sensor", "number", "select", "switch", "time", "text", "button"} {
		parts = append(parts, fmt.Sprintf("%s %d", p, counts[p]))
	}
	e.row("entities of both devices", fmt.Sprintf("%d", total), "")
	e.row("  by platform", strings.Join(parts, ", "), "")
}

func (e *endToEnd) setValue(ctx context.Context, t *testing.T) {
	i := e.house.powdrive
	const key = "battery_charge_current_max"
	for _, value := range []uint16{25, 26} {
		if err := e.home.act(ctx, "number.set_value", e.id(t, i, key), map[string]any{"value": value}); err != nil {
			t.Fatal(err)
		}
		if got := i.register(key); got != value {
			t.Errorf("the action has returned and the register holds %d, not %d", got, value)
		}
		if s := e.home.states(ctx)[e.id(t, i, key)]; s.State != fmt.Sprint(value) {
			t.Errorf("the action has returned and the state is %q, not %d", s.State, value)
		}
	}
	var read struct {
		Response map[string]any `json:"response"`
	}
	err := e.home.ask(ctx, map[string]any{"type": "call_service", "domain": "solarhub", "service": "read_value",
		"service_data": map[string]any{"entity_id": e.id(t, i, key)}, "return_response": true}, &read)
	if err != nil {
		t.Fatal(err)
	}
	if read.Response["value"] != 26.0 || fmt.Sprint(read.Response["raw"]) != "[26]" {
		t.Errorf("read_value answers %v", read.Response)
	}
}

func (e *endToEnd) refusals(ctx context.Context, t *testing.T) {
	i, before := e.house.powdrive, e.house.powdrive.line.Journal().Counts().Writes
	const key = "battery_charge_current_max"
	tests := map[string]struct {
		action string
		value  any
		want   []string // parts of what a person reads
	}{
		"beyond the range, by the host":   {"number.set_value", 9999, []string{"9999", "350"}},
		"beyond the range, by our action": {"solarhub.write_value", "9999", []string{"9999 A", "0 to 350 A"}},
		"off step":                        {"number.set_value", 25.5, []string{"25.5", "25", "26"}},
		"wrong type":                      {"solarhub.write_value", "a lot", []string{"a lot", "number"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := e.home.act(ctx, test.action, e.id(t, i, key), map[string]any{"value": test.value})
			demand(t, err, "", test.want...)
		})
	}
	if after := i.line.Journal().Counts().Writes; after != before {
		t.Errorf("%d refused values reached the wire", after-before)
	}
}

// demand checks that an action failed in words that say all that a person needs.
func demand(t *testing.T, err error, key string, parts ...string) {
	t.Helper()
	var refused *homeError
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want an error of Home Assistant", err)
		return
	}
	if key != "" && refused.Key != key {
		t.Errorf("the error is %q (%s), not %q", refused.Key, refused.Message, key)
	}
	for _, part := range parts {
		if !strings.Contains(refused.Message, part) {
			t.Errorf("%q does not say %q", refused.Message, part)
		}
	}
	t.Log(refused.Message)
}

func (e *endToEnd) sceneAndAutomation(ctx context.Context, t *testing.T) {
	p, s := e.house.powdrive, e.house.senergy
	e.home.post(ctx, "/api/config/scene/config/solarhub_evening", map[string]any{
		"id": "solarhub_evening", "name": "SolarHub evening", "entities": map[string]any{
			e.id(t, p, "battery_charge_current_max"): "40", e.id(t, p, "work_mode"): "zero_export_to_load",
			e.id(t, p, "window_1_start_text"): "05:30", e.id(t, s, "charge_window_1_start_text"): "01:15",
		},
	})
	e.home.until(ctx, 10*time.Second, "the scene is loaded", func() bool {
		return e.home.states(ctx)["scene.solarhub_evening"].EntityID != ""
	})
	if err := e.home.act(ctx, "scene.turn_on", "scene.solarhub_evening", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	holds(t, p, map[string]uint16{"battery_charge_current_max": 40, "work_mode": 1, "window_1_start": 530})
	holds(t, s, map[string]uint16{"charge_window_1_start": 1<<8 | 15})

	e.home.post(ctx, "/api/config/automation/config/solarhub_night", map[string]any{
		"alias": "SolarHub night", "mode": "single",
		"triggers": []any{map[string]any{"trigger": "event", "event_type": "solarhub_test"}},
		"actions": []any{
			map[string]any{
				"action": "number.set_value",
				"target": map[string]any{"entity_id": e.id(t, p, "battery_charge_current_max")},
				"data":   map[string]any{"value": 60},
			},
			map[string]any{
				"action": "select.select_option",
				"target": map[string]any{"entity_id": e.id(t, p, "work_mode")},
				"data":   map[string]any{"option": "selling_first"},
			},
			map[string]any{
				"action": "time.set_value",
				"target": map[string]any{"entity_id": e.id(t, p, "window_1_start")},
				"data":   map[string]any{"time": "06:45:00"},
			},
		}})
	e.home.until(ctx, 10*time.Second, "the automation is loaded", func() bool {
		return e.home.states(ctx)["automation.solarhub_night"].State == "on"
	})
	if err := e.home.act(ctx, "automation.trigger", "automation.solarhub_night", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	e.home.until(ctx, 10*time.Second, "the automation has run", func() bool {
		return p.register("window_1_start") == 645
	})
	holds(t, p, map[string]uint16{"battery_charge_current_max": 60, "work_mode": 0, "window_1_start": 645})
}

// holds checks the registers of an inverter.
func holds(t *testing.T, i inverter, want map[string]uint16) {
	t.Helper()
	for key, value := range want {
		if got := i.register(key); got != value {
			t.Errorf("%s %s holds %d, not %d", i.profile.ID, key, got, value)
		}
	}
}

func (e *endToEnd) badDays(ctx context.Context, t *testing.T) {
	i := e.house.powdrive
	const key = "battery_charge_current_max"
	id, at := e.id(t, i, key), i.at(key)
	set := func(value int) error {
		return e.home.act(ctx, "number.set_value", id, map[string]any{"value": value})
	}
	t.Run("acknowledged and not stored", func(t *testing.T) {
		i.unit.Behave(at, simtest.Ignore())
		defer i.unit.Behave(at, sim.Behaviour{})
		demand(t, set(99), "not_verified", "99", "60")
	})
	t.Run("clamped", func(t *testing.T) {
		i.unit.Behave(at, simtest.Clamp(0, 50))
		defer i.unit.Behave(at, sim.Behaviour{})
		demand(t, set(99), "not_verified", "99", "50")
	})
	t.Run("exception", func(t *testing.T) {
		i.unit.Behave(at, sim.Behaviour{Refuse: 3})
		defer i.unit.Behave(at, sim.Behaviour{})
		demand(t, set(98), "exception", "108", "3", "illegal data value")
	})
	t.Run("reply lost after the write was applied: one write", func(t *testing.T) {
		before := i.line.Journal().Counts().Writes
		lost := sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.ReplyLost, Count: 1}
		i.line.Play(sim.NewScript(1, lost))
		defer i.line.Play(nil)
		if err := set(97); err != nil {
			t.Error(err)
		}
		holds(t, i, map[string]uint16{key: 97})
		if n := i.line.Journal().Counts().Writes - before; n != 1 {
			t.Errorf("%d writes on the wire", n)
		}
	})
	t.Run("line unplugged and back", func(t *testing.T) {
		if err := i.pty.Unplug(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		demand(t, set(96), "")
		if took := time.Since(began); took > 35*time.Second {
			t.Errorf("it took %v to fail", took)
		}
		e.home.until(ctx, time.Minute, "unavailable without a line", func() bool {
			return e.home.states(ctx)[id].State == "unavailable"
		})
		if err := i.pty.Plug(); err != nil {
			t.Fatal(err)
		}
		e.home.until(ctx, 2*time.Minute, "back by itself", func() bool { return e.home.states(ctx)[id].State == "97" })
		if err := set(95); err != nil {
			t.Error(err)
		}
	})
}

// pictures shows what the owner sees: the device's page, a card after a confirmed and after a refused write, the
// action.
func (e *endToEnd) pictures(ctx context.Context, t *testing.T) {
	p := openHome(t, e.home.url, e.home.token)
	i := e.house.powdrive
	number := e.id(t, i, "battery_charge_current_max")
	p.Goto("/config/dashboard")
	p.newDashboard("solarhub-test", []string{number, e.id(t, i, "work_mode"), e.id(t, i, "battery_grid_charge"),
		e.id(t, i, "window_1_start"), e.id(t, i, "battery_soc"), e.id(t, i, "battery_power")})
	p.Goto("/solarhub-test/0")
	p.SetNumber(number, 77)
	e.home.until(ctx, 10*time.Second, "the card's value in the register", func() bool {
		return i.register("battery_charge_current_max") == 77
	})
	p.Shot("card-confirmed")
	i.unit.Behave(i.at("battery_charge_current_max"), simtest.Ignore())
	writes := i.line.Journal().Counts().Writes
	p.SetNumber(number, 88)
	e.home.until(ctx, 10*time.Second, "the card's second value on the wire", func() bool {
		return i.line.Journal().Counts().Writes > writes
	})
	p.WaitText("instead of 88")
	if s := e.home.states(ctx)[number]; s.State != "77" {
		t.Errorf("the device refused 88 and the state is %q, not 77", s.State)
	}
	p.Shot("card-refused")
	i.unit.Behave(i.at("battery_charge_current_max"), sim.Behaviour{})

	var list []struct {
		ID          string     `json:"id"`
		Identifiers [][]string `json:"identifiers"`
	}
	if err := e.home.ask(ctx, map[string]any{"type": "config/device_registry/list"}, &list); err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if len(d.Identifiers) == 1 && d.Identifiers[0][1] == i.serial {
			p.Goto("/config/devices/device/" + d.ID)
			p.WaitText("Work mode")
			p.Shot("device")
		}
	}
	// The page remembers the action that was used last; so it opens with ours.
	p.Eval(fmt.Sprintf(`localStorage.setItem("panel-dev-action-state-service-data", JSON.stringify(
		{ action: "solarhub.write_value", data: { entity_id: %s, value: "25" } }))`, quote(number)), nil)
	p.Goto("/config/developer-tools/action")
	p.WaitText("reads it back")
	p.Shot("actions")
}
