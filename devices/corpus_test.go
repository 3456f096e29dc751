package devices

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// Every shipped profile in every case: simulated, identified, polled, and everything that can be written is written.
// The race detector sees the typical case of each: a race does not depend on which registers there are.
func TestCorpus(t *testing.T) {
	profiles, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		cases := p.Cases()
		if raceDetector {
			cases = cases[:1]
		}
		for _, traits := range cases {
			t.Run(p.ID+"/"+p.TraitsText(traits), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { corpus(t, p, traits) })
			})
		}
	}
}

func corpus(t *testing.T, p *profile.Profile, traits profile.Traits) {
	points, err := p.Resolve(traits)
	if err != nil {
		t.Fatal(err)
	}
	unit, err := simulate.Unit(p, traits, "TEST123456")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Profile: p, Unit: unit.ID(), Line: p.Line, Traits: profile.Traits{}}
	if len(p.Identify.Serials) == 0 {
		cfg.ID = "TEST123456"
	}
	for _, trait := range p.Traits {
		if trait.From == profile.FromOwner {
			cfg.Traits[trait.Name] = traits[trait.Name]
		}
	}
	for _, point := range points {
		cfg.Arm = append(cfg.Arm, point.Key)
	}
	sink := &recorder{}
	line := sim.NewLine(sim.Options{Turnaround: 5 * time.Millisecond}, unit)
	onLine(t, line, course{framing: sim.TCP}, func(ctx context.Context, bus *protocol.Bus, run func(*Device)) {
		d := New(cfg, bus, sink, zerolog.Nop())
		d.SetEnabled(func(string) bool { return true })
		run(d)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		everythingWorks(ctx, t, d, traits, sink, unit)
	})
	keepsSerial(t, p, unit, simulate.SerialNumber(p, traits, "TEST123456"))
	for _, e := range line.Journal().Since(0) {
		if e.Exception != 0 && !asksForTrait(p, e.Range) {
			t.Errorf("refused: %v", e)
		}
	}
}

// keepsSerial demands that no write changed the serial number of a family that writes at other addresses than it reads.
func keepsSerial(t *testing.T, p *profile.Profile, unit *sim.Unit, serial string) {
	t.Helper()
	f := p.Identify.Serial()
	if !p.Line.WritesApart || !f.Present() {
		return
	}
	words, _ := unit.Get(f.Ranges[0].Table, f.Ranges[0].Addr, f.Ranges[0].Count)
	if held := f.Spec.Decode(words).Str; held != serial {
		t.Errorf("the serial number is %q, it was %q", held, serial)
	}
}

// asksForTrait reports whether a read is one that a device without something may refuse.
func asksForTrait(p *profile.Profile, r protocol.Range) bool {
	return slices.ContainsFunc(p.Traits, func(t profile.Trait) bool {
		return t.Otherwise != "" && slices.ContainsFunc(t.Field.Ranges, r.Overlaps)
	})
}

// everythingWorks looks at the values of a device that has been polled, and writes everything that can be written.
func everythingWorks(ctx context.Context, t *testing.T, d *Device, traits profile.Traits, sink *recorder,
	unit *sim.Unit) {
	t.Helper()
	if s := d.Status(); !s.Online || s.Identity.Serial != simulate.SerialNumber(d.cfg.Profile, traits, "TEST123456") ||
		s.Identity.Traits != d.cfg.Profile.TraitsText(traits) {
		t.Fatalf("status %+v", s)
	}
	for _, o := range d.cfg.Profile.Identify.Model.Spec.Options {
		if d.Status().Identity.Model == o.Name {
			t.Errorf("the model is called %q", o.Name)
		}
	}
	if holes, refused := d.Learned().Holes, d.Refused(); len(holes) != 0 || len(refused) != 0 {
		t.Errorf("holes %v, refused %v", holes, refused)
	}
	for _, point := range d.Points() {
		if v := sink.last(point.Key).Value; point.HasValue() && v.Kind == codec.KindNone {
			t.Errorf("%s has no value: %v", point.Key, v.Str)
		}
	}
	for _, point := range d.Points() {
		if point.Write == nil {
			continue
		}
		for _, value := range extremes(point) {
			out, err := put(ctx, d, point, value)
			if !point.HasValue() && !point.Button() { // what cannot be read back is where it was written
				to, spec := point.WriteTo()
				words, _ := unit.Get(to[0].Table, to[0].Addr, to[0].Count)
				out.Reading.Value = spec.Decode(words)
			}
			if err != nil {
				t.Errorf("%s = %v: %v", point.Key, value, err)
			} else if got := out.Reading.Value.Any(); got != value && point.HasValue() && !point.IsClock() {
				t.Errorf("%s = %v: the device holds %v", point.Key, value, got)
			}
		}
	}
}

// put writes a value, and with it the other points of its group where nobody knows what they hold.
func put(ctx context.Context, d *Device, point profile.Point, value any) (Outcome, error) {
	if point.Write.Group == nil || point.HasValue() {
		return d.Write(ctx, Set{Key: point.Key, Value: value, Force: true})
	}
	set := SetGroup{Group: point.Write.Group.Key, Values: map[string]any{point.Key: value}}
	for _, other := range d.Points() {
		if slices.Contains(point.Write.Group.Members, other.Key) && other.Key != point.Key {
			set.Values[other.Key] = extremes(other)[0]
		}
	}
	outs, err := d.WriteGroup(ctx, set)
	return outs[point.Key], err
}

// extremes returns values at the ends of what a point takes.
func extremes(p profile.Point) []any {
	switch p.Entity.Platform {
	case "number":
		middle := p.Write.Min + p.Write.Step*float64(int((p.Write.Max-p.Write.Min)/p.Write.Step/3))
		return []any{p.Write.Min, codecRound(p, middle), p.Write.Max}
	case "select":
		names := p.Spec.WritableOptions()
		return []any{names[0], names[len(names)-1]}
	case "switch":
		return []any{true, false}
	case "time":
		return []any{"00:00", "23:59"}
	case "text":
		return []any{"A"}
	}
	return []any{nil}
}

// codecRound takes the noise of floats away as a reading does.
func codecRound(p profile.Point, f float64) float64 {
	words, err := p.Spec.Encode(codec.Number(f), make([]uint16, p.Spec.Words()))
	if err != nil {
		return f
	}
	return p.Spec.Decode(words).Num
}

func TestSimulateRefusesWhatIsReadOnly(t *testing.T) {
	polled(t, nil, func(h *house) {
		_, err := h.bus.Do(h.ctx, protocol.Request{Unit: 1, Op: protocol.WriteSingle,
			Range: protocol.Range{Addr: 100, Count: 1}, Words: []uint16{1}})
		if err == nil || !strings.Contains(err.Error(), "exception 2") {
			t.Errorf("written to what is read only: %v", err)
		}
	})
}

func TestSimulateErrors(t *testing.T) {
	p := houseWith(t)
	if _, err := simulate.Unit(p, profile.Traits{"kind": "xv"}, "SN1"); err == nil {
		t.Error("a variant that does not exist")
	}
	if _, err := simulate.Unit(p, profile.Traits{"kind": "lv"}, "A SERIAL NUMBER THAT IS TOO LONG"); err == nil {
		t.Error("a serial number that does not fit")
	}
}

func TestEntities(t *testing.T) {
	points, err := houseWith(t).ResolveNamed("lv")
	if err != nil {
		t.Fatal(err)
	}
	all := EntitiesOf("SN1", points)
	if len(all) != len(points)+1 {
		t.Errorf("%d entities of %d points", len(all), len(points))
	}
	find := func(id string) Entity {
		i := slices.IndexFunc(all, func(e Entity) bool { return e.ID == id })
		if i < 0 {
			t.Fatalf("no %s", id)
		}
		return all[i]
	}
	number := find("SN1_current_max")
	if number.Platform != "number" || number.Min != 0 || number.Max != 185 || number.Step != 1 || number.Unit != "A" ||
		number.Part != "battery" {
		t.Errorf("%+v", number)
	}
	sensor := find("SN1_energy_today")
	if sensor.Platform != "sensor" || sensor.StateClass != "total_increasing" || sensor.Precision != 1 ||
		!sensor.Enabled {
		t.Errorf("%+v", sensor)
	}
	if e := find("SN1_mode"); e.Platform != "select" || strings.Join(e.Options, "|") != "selling_first|own_use_first" ||
		e.Category != "config" {
		t.Errorf("%+v", e)
	}
	if e := find("SN1_status"); e.DeviceClass != "enum" || len(e.Options) != 2 {
		t.Errorf("%+v", e)
	}
	if e := find("SN1_hidden"); e.Enabled {
		t.Errorf("%+v", e)
	}
	clock, twin := find("SN1_window_start"), find("SN1_window_start_text")
	if clock.Platform != "time" || twin.Platform != "text" || twin.Key != clock.Key ||
		twin.Name != "Window 1 start (text)" ||
		twin.MinLength != 5 || twin.MaxLength != 11 || twin.Pattern == "" {
		t.Errorf("%+v, %+v", clock, twin)
	}
}
