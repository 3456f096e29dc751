package demo

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// Device is one simulated device.
type Device struct {
	Config       DeviceConfig
	Profile      *profile.Profile
	Points       []profile.Point
	Traits       profile.Traits
	SerialNumber string
	Unit         *sim.Unit

	reported map[string]codec.Value // by key; a Report guards it once the device is served
}

// newDevice makes the n-th device of a scenario.
func newDevice(c DeviceConfig, n int) (*Device, error) {
	p, err := profile.Open(c.Profile)
	if err != nil {
		return nil, err
	}
	d := &Device{Config: c, SerialNumber: c.SerialNumber}
	dumped := sim.NewUnit(1)
	if err := readDumps(c.Dumps, dumped); err != nil {
		return nil, err
	}
	if d.Traits, err = p.NamedTraits(c.Traits); err != nil {
		return nil, err
	}
	if len(c.Dumps) > 0 {
		if err := d.takeTraits(dumped, p); err != nil {
			return nil, err
		}
	}
	if d.Points, err = p.Resolve(d.Traits); err != nil {
		return nil, err
	}
	if d.SerialNumber == "" {
		d.SerialNumber = madeUpSerialNumber(p.Identify.Serial(), n)
	}
	own := *p // a copy with another unit id
	if c.UnitID != 0 {
		own.Line.Unit = protocol.UnitID(c.UnitID)
	}
	d.Profile = &own
	if d.Unit, err = simulate.Unit(d.Profile, d.Traits, d.SerialNumber); err != nil {
		return nil, err
	}
	if len(c.Dumps) > 0 {
		d.holdDump(dumped)
	}
	return d, d.start()
}

// start gives the device its behaviour and its first values.
func (d *Device) start() error {
	turnaround := d.Config.Turnaround
	if turnaround < 0 {
		turnaround = d.Profile.Line.Turnaround
	}
	d.Unit.Turnaround(turnaround)
	limits := sim.Limits{ReadRegisters: int(d.Config.MaxRegisters)}
	if d.Config.Silent {
		limits.TooLong, limits.Undefined = sim.Silence, sim.Silence
	}
	d.Unit.Limit(limits)
	if err := d.set(d.Config.Set); err != nil {
		return err
	}
	d.reported = d.values(func(profile.Point) bool { return true })
	return nil
}

// set gives points their first values, each as KEY=VALUE, and returns all that is wrong at once. Read-only points can
// be set too: it is the device that holds them.
func (d *Device) set(given []string) error {
	var wrong []error
	for _, text := range given {
		key, value, _ := strings.Cut(text, "=")
		i := slices.IndexFunc(d.Points, func(p profile.Point) bool { return p.Key == key && !p.Button() })
		if i < 0 {
			wrong = append(wrong, fmt.Errorf("set %s: there is no such value; solarhub devices %s lists them all", text,
				d.Config.Profile))
			continue
		}
		v, err := d.Points[i].Spec.Parse(value)
		if err == nil {
			err = store(d.Unit, d.Points[i], v)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("set %s: %w", text, err))
		}
	}
	return errors.Join(wrong...)
}

// store puts a value into the registers of a point and leaves the other bits as they are.
func store(u *sim.Unit, p profile.Point, v codec.Value) error {
	words, err := p.Spec.Encode(v, stored(u, p))
	if err != nil {
		return err
	}
	for _, r := range p.Ranges {
		u.Set(r.Table, r.Addr, words[:r.Count]...)
		words = words[r.Count:]
	}
	return nil
}

// stored returns the registers of a point as they are now; none where an address does not exist.
func stored(u *sim.Unit, p profile.Point) []uint16 {
	var words []uint16
	for _, r := range p.Ranges {
		held, _ := u.Get(r.Table, r.Addr, r.Count)
		words = append(words, held...)
	}
	return words
}

// values returns what the device holds now, of the points that are wanted.
func (d *Device) values(wanted func(profile.Point) bool) map[string]codec.Value {
	values := map[string]codec.Value{}
	for _, p := range d.Points {
		if p.Button() || !wanted(p) {
			continue
		}
		if words := stored(d.Unit, p); len(words) == p.Spec.Words() {
			values[p.Key] = p.Spec.Decode(words)
		}
	}
	return values
}

// madeUpSerialNumber returns a serial number that fills the field of the family.
func madeUpSerialNumber(field profile.Field, n int) string {
	length := 10
	if field.Spec.Length > 0 {
		length = 2 * field.Spec.Length
	}
	return fmt.Sprintf("SIM%0*d", max(length-3, 1), n)
}
