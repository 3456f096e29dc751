package demo

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// readDumps puts the registers of raw dumps into a unit; of two words for one address the later counts.
func readDumps(files []string, into *sim.Unit) error {
	var wrong []error
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("dump: %w", err))
			continue
		}
		if err := errors.Join(sim.LoadDump(f, into), f.Close()); err != nil {
			wrong = append(wrong, fmt.Errorf("dump %s:\n%w", name, err))
		}
	}
	return errors.Join(wrong...)
}

// takeTraits takes the traits that the registers of a dump show. What they do not show is as the scenario says.
func (d *Device) takeTraits(dumped *sim.Unit, p *profile.Profile) error {
	for _, t := range p.Traits {
		if !t.Field.Present() {
			continue
		}
		at := t.Field.Ranges[0]
		words, present := fieldWords(dumped, t.Field)
		if !present {
			if d.Config.Traits == "" && len(t.Words) > 1 {
				return fmt.Errorf("the dump lacks %s, which shows its traits: name one of %s", at,
					strings.Join(t.Words, ", "))
			}
			continue
		}
		raw := t.Field.Spec.Decode(words)
		word, ok := t.Word(raw)
		switch {
		case !ok:
			return fmt.Errorf("the dump is of another device: its %s holds %v, which is no %s of %s", at, raw, t.Name,
				p.Name)
		case d.Config.Traits != "" && d.Traits[t.Name] != word:
			return fmt.Errorf("the dump is of %s, not %s: its %s says so", word, d.Traits[t.Name], at)
		}
		d.Traits[t.Name] = word
	}
	return nil
}

// holdDump has the device hold the registers of a dump and no others. What identifies the device stays where the dump
// lacks it, or where the scenario names a serial number.
func (d *Device) holdDump(dumped *sim.Unit) {
	d.Unit.Still() // its clock too
	id := d.Profile.Identify
	made := map[protocol.Range][]uint16{}
	for _, field := range d.Profile.IdentityFields(nil) {
		_, dumpHasIt := fieldWords(dumped, field.Field)
		for _, r := range field.Ranges {
			named := d.Config.SerialNumber != "" && r == id.Serial().Ranges[0]
			if words, there := d.Unit.Get(r.Table, r.Addr, r.Count); there && (!dumpHasIt || named) {
				made[r] = words
			}
		}
	}
	for _, t := range []protocol.Table{protocol.HoldingRegister, protocol.InputRegister, protocol.Coil,
		protocol.DiscreteInput} {
		for addr := range math.MaxUint16 + 1 {
			one := protocol.Range{Table: t, Addr: uint16(addr), Count: 1}
			if words, there := dumped.Get(t, one.Addr, 1); there {
				d.Unit.Set(t, one.Addr, words...)
			} else {
				d.Unit.Remove(one)
			}
		}
	}
	for r, words := range made {
		d.Unit.Set(r.Table, r.Addr, words...)
	}
	if words, known := fieldWords(d.Unit, id.Serial()); known {
		d.SerialNumber = id.Serial().Spec.Decode(words).String()
	}
}

// fieldWords returns the registers of a field of identification; false where it has none or one of them is not there.
func fieldWords(from *sim.Unit, f profile.Field) ([]uint16, bool) {
	var all []uint16
	for _, r := range f.Ranges {
		words, there := from.Get(r.Table, r.Addr, r.Count)
		if !there {
			return nil, false
		}
		all = append(all, words...)
	}
	return all, f.Present()
}
