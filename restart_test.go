package main_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"solarhub/protocol/sim"
)

func (e *endToEnd) pluginRestarts(ctx context.Context, t *testing.T) {
	setting := e.id(t, e.house.senergy, "max_charge_power")
	before := e.home.states(ctx)[setting].State
	e.house.end(syscall.SIGTERM)
	e.house.senergy.line.Off()
	e.house.powdrive.line.Off()
	began := time.Now()
	e.house.run(ctx, e.home)
	e.home.until(ctx, 30*time.Second, "the cached value with its moment", func() bool {
		s := e.home.states(ctx)[setting]
		return s.State == before && s.Attributes["read_at"] != nil
	})
	e.row(
		"restart of the plugin, inverters silent: settings shown with read_at",
		ms(time.Since(began))+" from start",
		"within 1 s of connecting",
	)
	e.house.senergy.line.On()
	e.house.powdrive.line.On()
	e.home.until(ctx, time.Minute, "fresh values", func() bool {
		s := e.home.states(ctx)[setting]
		return s.State == before && s.Attributes["read_at"] == nil
	})
}

// killedInMidWrite: what was on its way when the process died is not sent again by the next one.
func (e *endToEnd) killedInMidWrite(ctx context.Context, t *testing.T) {
	i := e.house.powdrive
	const key = "battery_max_charge_current_a"
	id, before, journal := e.id(t, i, key), i.register(key), i.line.Journal()
	i.line.Play(sim.NewScript(1, sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Drop}))
	n := journal.Last()
	ended := make(chan error, 1)
	go func() { ended <- e.home.act(ctx, "number.set_value", id, map[string]any{"value": before + 1}) }()
	if _, err := journal.Wait(ctx, n, sim.Exchange.Write); err != nil {
		t.Fatal(err)
	}
	e.house.end(syscall.SIGKILL)
	demand(t, <-ended, "lost")
	i.line.Play(nil)
	n = journal.Last()
	e.house.run(ctx, e.home)
	e.home.until(ctx, time.Minute, "fresh values after the kill", func() bool {
		s := e.home.states(ctx)[id]
		return s.State == fmt.Sprint(before) && s.Attributes["read_at"] == nil && journal.Last() > n+30
	})
	for _, x := range journal.Since(n) {
		if x.Write() {
			t.Errorf("the next process wrote %v", x)
		}
	}
}

func (e *endToEnd) homeRestarts(ctx context.Context, t *testing.T) {
	id := e.id(t, e.house.powdrive, "battery_max_charge_current_a")
	e.house.end(syscall.SIGTERM)
	e.home.restart(ctx)
	s, there := e.home.states(ctx)[id]
	if !there || s.State != "unavailable" || s.Attributes["restored"] != nil {
		t.Errorf("before the plugin is back the entity is %+v", s)
	}
	e.house.run(ctx, e.home)
	e.home.until(ctx, time.Minute, "back after a restart of Home Assistant", func() bool {
		return e.home.states(ctx)[id].State != "unavailable"
	})
}
