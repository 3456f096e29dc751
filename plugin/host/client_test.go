package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
)

func TestFirstConnectionShowsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		began := time.Now()
		l.ready()
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("ready after %v", took)
		}
		l.is("sensor.inverter_pv_power", "1234.5")
		l.is("number.inverter_grid_limit", "100")
		l.is("select.inverter_mode", "eco")
		l.is("time.inverter_window", "06:30:00")
		l.is("sensor.inverter_battery_charge", devhost.Unknown)
		if _, ok := l.host.State("SN1_hidden"); ok {
			t.Error("an entity that is not enabled has a state")
		}
		if got := l.plugin.lastConfig(); !slices.Equal(got, []string{"SN1_hidden"}) {
			t.Errorf("the plugin was told that %q is disabled", got)
		}
		if s := l.client.Status(); !s.Ready || s.HostVersion != "2026.11.0" {
			t.Errorf("status is %+v", s)
		}
	})
}

func TestChangesAreCollected(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		before := l.log.count(`"type":"solarhub/states"`)
		for i := range 10 {
			l.outbox.Put(host.States{Values: map[string]any{"SN1_pv_power": i, "SN1_soc": 50 + i}})
		}
		l.outbox.Put(host.States{Available: map[string]bool{"SN1_mode": false}})
		time.Sleep(host.Quiet - time.Millisecond)
		l.is("SN1_pv_power", "1234.5")
		time.Sleep(2 * time.Millisecond)
		l.is("SN1_pv_power", "9")
		l.is("SN1_soc", "59")
		l.is("SN1_mode", devhost.Unavailable)
		if n := l.log.count(`"type":"solarhub/states"`) - before; n != 1 {
			t.Errorf("%d frames, want 1", n)
		}
		l.outbox.Put(host.States{Devices: map[string]host.DeviceState{"SN1": {Reason: "no answer"}}})
		time.Sleep(host.Quiet + time.Millisecond)
		l.is("SN1_soc", devhost.Unavailable)
	})
}

func TestCachedValuesShowWhenTheyWereRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		l.outbox.Put(host.States{Values: map[string]any{"SN1_pv_power": 5},
			Cached: map[string]time.Time{"SN1_pv_power": at}})
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		if s, _ := l.host.State("SN1_pv_power"); s.Attributes["read_at"] != "2026-11-01T12:00:00Z" {
			t.Errorf("attributes are %v", s.Attributes)
		}
		l.outbox.Put(host.States{Values: map[string]any{"SN1_pv_power": 5}})
		time.Sleep(host.Longest)
		if s, _ := l.host.State("SN1_pv_power"); s.Attributes["read_at"] != nil {
			t.Errorf("a fresh value still has the attributes %v", s.Attributes)
		}
	})
}

func TestTheHostRestarts(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		l.stopHost()
		time.Sleep(20 * time.Second)
		l.outbox.Put(host.States{Values: map[string]any{"SN1_pv_power": 7}}) // while it is away
		if s := l.client.Status(); s.Ready || s.Reason == "" {
			t.Errorf("status is %+v", s)
		}
		l.serve(devhost.Options{})
		l.is("SN1_pv_power", devhost.Unavailable) // there before the plugin is
		l.ready()
		l.is("SN1_pv_power", "7")
		l.is("SN1_mode", "eco")
		if n := l.log.count(`"Registered"`); n != 1 {
			t.Errorf("registered %d times, want once", n)
		}
	})
}

// TestAHostThatRestartsAgainAndAgain: each time the plugin is back within 2 s, however short the sessions are.
func TestAHostThatRestartsAgainAndAgain(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		for n := range 20 {
			l.stopHost()
			time.Sleep(7 * time.Second)
			l.serve(devhost.Options{})
			began := time.Now()
			l.ready()
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("restart %d: back after %v", n, took)
			}
		}
	})
}

func TestGraceCoversAShortLoss(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		l.host.Drop()
		synctest.Wait()
		l.is("SN1_mode", "eco")
		if err := l.host.SetValue(t.Context(), "SN1_mode", "full"); err != nil {
			t.Errorf("a set-value in the grace period: %v", err)
		}
		l.stopClient() // planned: back within 30 s
		l.is("SN1_mode", "eco")
		time.Sleep(29 * time.Second)
		l.is("SN1_mode", "eco")
		time.Sleep(2 * time.Second)
		l.is("SN1_mode", devhost.Unavailable)
		var e *devhost.Error
		if err := l.host.SetValue(t.Context(), "SN1_mode", "full"); !errors.As(err, &e) || e.Key != "not_connected" {
			t.Errorf("error is %v", err)
		}
	})
}

// At the start hello may go out before the devices are described. The host has their definitions, and shows them all
// the same.
func TestDevicesThatHelloDidNotName(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		l.stopClient()
		l.plugin.describe(host.Definitions{})
		l.plugin.configured = func() { l.plugin.definitions = house() }
		l.client = l.newClient()
		l.start()
		l.ready()
		l.is("SN1_mode", "eco")
	})
}

func TestDefinitionsThatChange(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		l.client.Redescribe() // nothing has changed
		synctest.Wait()
		if n := l.log.count(`"Registered"`); n != 1 {
			t.Errorf("registered %d times, want once", n)
		}
		d := house()
		d.Devices = append(d.Devices, host.Device{ID: "SN2", Name: "Second"})
		d.Entities = append(d.Entities[1:],
			host.Entity{ID: "SN2_on", Device: "SN2", Platform: "switch", Key: "on", Name: "On", Enabled: true})
		l.plugin.describe(d)
		l.outbox.Put(host.States{Values: map[string]any{"SN2_on": true}}) // before the host knows it
		time.Sleep(time.Second)
		l.client.Redescribe()
		synctest.Wait()
		l.is("switch.second_on", "on")
		if _, ok := l.host.State("SN1_pv_power"); ok {
			t.Error("an entity that is not described any more is still there")
		}
	})
}

func TestManyEntitiesTravelInFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		d := host.Definitions{Devices: []host.Device{{ID: "SN1", Name: "Inverter"}}}
		values := map[string]any{}
		for i := range 1201 {
			id := fmt.Sprintf("SN1_p%d", i)
			d.Entities = append(d.Entities,
				host.Entity{ID: id, Device: "SN1", Platform: "sensor", Key: fmt.Sprint("p", i),
					Name: fmt.Sprint("P", i),
					Unit: "W", Enabled: true})
			values[id] = i
		}
		l.plugin.describe(d)
		l.outbox.Put(host.States{Values: values})
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		if n := len(l.host.States()); n != 1201 {
			t.Errorf("%d entities", n)
		}
		l.is("SN1_p1200", "1200")
		if n := l.log.count(`"ready":true`); n != 1 {
			t.Errorf("%d frames say ready, want the last", n)
		}
		if r, s := l.log.count(`"type":"solarhub/register"`),
			l.log.count(`"type":"solarhub/states"`); r != 7 || s != 3 {
			t.Errorf("%d frames of definitions and %d of states, want 7 and 3", r, s)
		}
	})
}

func TestEventsOfTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		removed := make(chan []string, 1)
		l := newLab(t, func(o *host.Options) {
			o.Removed = func(devices []string) { removed <- devices }
			o.Diagnostics = func(context.Context) (any, error) { return map[string]any{"lines": 2}, nil }
		})
		s := known()
		s.Values["SN1_hidden"] = 230
		l.outbox.Put(s)
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		if err := l.host.SetDisabled("SN1_hidden", false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		l.is("SN1_hidden", "230")
		if got := l.plugin.lastConfig(); len(got) != 0 {
			t.Errorf("disabled are %q", got)
		}
		data, err := l.host.Diagnostics(t.Context(), "house")
		if text, _ := json.Marshal(data); err != nil || string(text) != `{"lines":2}` {
			t.Errorf("diagnostics are %s, %v", text, err)
		}
		l.host.RemoveDevice("SN1")
		if got := <-removed; !slices.Equal(got, []string{"SN1"}) {
			t.Errorf("removed are %q", got)
		}
	})
}

func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		if _, err := l.client.Remove(t.Context(), []string{"SN1"}); !errors.Is(err, host.ErrNotConnected) {
			t.Errorf("error is %v", err)
		}
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		if n, err := l.client.Remove(t.Context(), []string{"SN1", "nothing"}); n != 2 || err != nil {
			t.Errorf("removed %d, %v; want the device and its part", n, err)
		}
	})
}

func TestTheTokenIsNeverLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t) // logs at trace level
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		l.ready()
		l.host.Drop()
		time.Sleep(5 * time.Second)
		l.stop()
		text := l.log.String()
		if strings.Contains(text, token) || !strings.Contains(text, `"level":"trace"`) {
			t.Errorf("the log holds the token or no frames:\n%.2000s", text)
		}
	})
}

func TestRejectedDefinitionsAreSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		d := house()
		d.Entities[1].Max = nil
		l.plugin.describe(d)
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		if n := l.log.count(`"id":"SN1_grid_limit","reason":"a number needs`); n != 1 {
			t.Errorf("said %d times, want once:\n%s", n, l.log)
		}
		l.is("SN1_mode", "eco")
	})
}
