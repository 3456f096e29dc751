package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// reach connects with the socket of the running plugin.
func (h *house) reach() *control.Client {
	h.t.Helper()
	var c *control.Client
	h.poll("the control socket is there", func() (ok bool) {
		var err error
		c, err = control.Dial(h.ctx, h.data)
		return err == nil
	})
	return c
}

func (h *house) read(c *control.Client, points ...string) (all []control.Value) {
	h.t.Helper()
	err := c.Read(h.ctx, control.AskValues{Points: points}, func(v control.Value) error {
		all = append(all, v)
		return nil
	})
	if err != nil {
		h.t.Fatalf("read %v: %v", points, err)
	}
	return all
}

func TestWhatIsAskedOnTheSocket(t *testing.T) {
	h := newHouse(t, ", name: Garage")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	c := h.reach()
	p, err := c.Program(h.ctx)
	if err != nil || p.Name != "house" || p.Version != "1.2.3" || p.Alone || len(p.Lines) != 1 ||
		p.Lines[0].Devices[0].ID != serialNumber || !p.Lines[0].Devices[0].Identified {
		t.Errorf("program %+v %v", p, err)
	}
	points, err := c.Points(h.ctx, serialNumber)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, p := range points {
		if p.Key == "battery_grid_charge_soc" {
			seen = p.On && p.Writable && p.Expects == "0 to 100 %, step 1" && p.Registers == "holding 8471+1"
		}
	}
	if !seen {
		t.Errorf("points %+v", points)
	}
	values, err := c.Values(h.ctx, control.AskValues{Device: "Garage", Points: []string{"battery_grid_charge_soc"}})
	if err != nil || len(values) != 1 || values[0].Text != "80" || values[0].Source != control.FromProgram ||
		string(values[0].Value) != "80" || len(values[0].Raw) != 1 || values[0].Raw[0] != 80 {
		t.Errorf("values %+v %v", values, err)
	}
	h.set(temperature, 41)
	if got := h.read(c, "temperature"); len(got) != 1 || got[0].Text != "41" || got[0].Source != control.FromDevice ||
		got[0].Unit != "°C" {
		t.Errorf("read %+v", got)
	}
	raw := h.read(c, fmt.Sprintf("holding %d..%d", chargeEnd-1, chargeEnd))
	found := map[string]string{}
	for _, v := range raw {
		found[v.Registers+" "+v.Key] = v.Text
	}
	if found["holding 8471+1 "] != "80" || found["holding 8471+1 battery_grid_charge_soc"] != "80" {
		t.Errorf("registers %+v", found)
	}
	if all := h.read(c); len(all) < 20 || all[0].Source != control.FromDevice {
		t.Errorf("all that is on: %d %+v", len(all), all[0])
	}
	for word, want := range map[string]string{"battery_soc_mxa": "unknown", "holding x": "asked", "588+0": "asked",
		"0..2000": "asked"} {
		err := c.Read(h.ctx, control.AskValues{Points: []string{word}}, func(control.Value) error { return nil })
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != want {
			t.Errorf("read %s: %v", word, err)
		}
	}
	if _, err := c.Points(h.ctx, "Grage"); err == nil || err.Error() !=
		`there is no device "Grage"; there are: Garage; did you mean Garage?` {
		t.Errorf("a device that does not exist: %v", err)
	}
}

// A single answer that is lost is nothing that a person has to hear of.
func TestAnAnswerIsLostOnce(t *testing.T) {
	h := newHouse(t, ", timeout: 200ms")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	c := h.reach()
	h.line.Play(sim.NewScript(1, sim.Fault{Kind: sim.Drop, Count: 1, Match: sim.Match{Most: 1, Least: 1}}))
	if got := h.read(c, "battery_grid_charge_soc"); len(got) != 1 || got[0].Source != control.FromDevice {
		t.Errorf("read %+v", got)
	}
}

func TestASetValueOnTheSocket(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	c := h.reach()
	set := func(point, value string) (control.Outcome, error) {
		return c.Set(h.ctx, control.AskSet{Point: point, Value: value, By: "tester"})
	}
	for _, want := range []string{ledger.Written, ledger.Unchanged} {
		o, err := set("battery_grid_charge_soc", "55")
		if err != nil || o.Outcome != want || o.Text != "55" || h.register(chargeEnd) != 55 {
			t.Errorf("%s: %+v %v", want, o, err)
		}
	}
	h.wait("battery_grid_charge_soc", "55") // the host sees it
	if o, err := set("battery_grid_charge", "Yes"); err != nil || o.Text != "on" || h.register(gridCharge) != 1 {
		t.Errorf("a switch: %+v %v", o, err)
	}
	before := len(h.writes())
	for value, code := range map[string]string{"101": host.CodeOutOfRange, "5.5": host.CodeOffStep,
		"much": host.CodeWrongType} {
		_, err := set("battery_grid_charge_soc", value)
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != code {
			t.Errorf("%s: %v", value, err)
		}
	}
	if _, err := set("temperature", "5"); err == nil || err.(*control.Error).Code != host.CodeReadOnly {
		t.Errorf("what is read only: %v", err)
	}
	if len(h.writes()) != before {
		t.Errorf("refused, and written: %v", h.writes()[before:])
	}
	h.unit.Behave(protocol.Range{Addr: chargeEnd, Count: 1}, simtest.Ignore())
	if _, err := set("battery_grid_charge_soc", "12"); err == nil || err.(*control.Error).Code != host.CodeNotVerified {
		t.Errorf("acknowledged and not stored: %v", err)
	}
	all, err := c.Ledger(h.ctx, "")
	if err != nil || len(all) != 8 || all[0].By != "tester" || all[0].Key != "battery_grid_charge_soc" ||
		all[7].Outcome != host.CodeNotVerified {
		t.Errorf("ledger %+v %v", all, err)
	}
}

func TestChangesAreWatched(t *testing.T) {
	h := newHouse(t, "")
	h.set(temperature, 20)
	h.start()
	h.wait("temperature", "20")
	c := h.reach()
	changes := make(chan control.Change, 100)
	watch := func(points ...string) (stop func()) {
		ctx, cancel := context.WithCancel(h.ctx)
		over := make(chan error, 1)
		go func() {
			over <- c.Watch(ctx, control.AskValues{Points: points}, func(c control.Change) error {
				changes <- c
				return nil
			})
		}()
		return func() {
			cancel()
			if err := <-over; !errors.Is(err, context.Canceled) {
				t.Errorf("watching ended with %v", err)
			}
		}
	}
	next := func() control.Change {
		t.Helper()
		select {
		case c := <-changes:
			return c
		case <-h.ctx.Done():
			t.Fatal("no change comes")
		}
		panic("unreachable")
	}
	stop := watch("temperature")
	if c := next(); c.Old != nil || c.New.Text != "20" {
		t.Errorf("at first: %+v", c)
	}
	h.set(temperature, 21)
	if c := next(); c.Old == nil || c.Old.Text != "20" || c.New.Text != "21" || time.Since(c.Time) > patience {
		t.Errorf("a change: %+v", c)
	}
	stop()
	stop = watch("pv_energy_whole") // nobody polls it
	if c := next(); c.New.Key != "pv_energy_whole" {
		t.Errorf("what nobody polls: %+v", c)
	}
	stop()
}

// Whoever gives up before a set-value goes out has nothing written; the calls of others are not touched.
func TestWhoeverAsksGoesAway(t *testing.T) {
	h := newHouse(t, ", timeout: 20s")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	c := h.reach()
	h.gate.close() // the device answers nothing
	h.poll("a read is under way", func() bool { return h.gate.waiting.Load() > 0 })
	leaving, leave := context.WithCancel(h.ctx)
	over := make(chan error, 1)
	go func() {
		_, err := c.Set(leaving, control.AskSet{Point: "battery_grid_charge_soc", Value: "11"})
		over <- err
	}()
	h.poll("it is in the ledger", func() bool { return len(h.ledger()) == 1 })
	leave()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	h.poll("it has ended", func() bool { return h.ledger()[0].Outcome != ledger.Begun })
	h.gate.open()
	if o, err := c.Set(h.ctx, control.AskSet{Point: "battery_grid_charge_soc", Value: "12"}); err != nil ||
		o.Text != "12" {
		t.Errorf("who came later: %+v %v", o, err)
	}
	if got := h.ledger()[0]; got.Outcome != host.CodeCancelled || len(h.writes()) != 1 {
		t.Errorf("who left: %+v, written %v", got, h.writes())
	}
}

// A running plugin forgets a device, and takes the one that answers for new.
func TestForgetWhileItRuns(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 80)
	h.start()
	h.wait("battery_grid_charge_soc", "80")
	c := h.reach()
	h.host().RemoveDevice(serialNumber)
	h.poll("nothing is polled any more",
		func() bool { p := h.snapshot().Devices[0].Polled; return p != nil && len(p) == 0 })
	if _, err := c.Values(h.ctx, control.AskValues{}); err == nil || !strings.Contains(err.Error(), "solarhub forget") {
		t.Errorf("a device that was deleted: %v", err)
	}
	id, err := c.Forget(h.ctx, "")
	if err != nil || id != serialNumber {
		t.Fatalf("%q %v", id, err)
	}
	h.wait("battery_grid_charge_soc", "80") // it is back, though it had been deleted
}
