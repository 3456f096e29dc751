package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// readDumps puts the registers of raw dumps into a unit; of two words for one address the later counts.
func readDumps(files []string, into *sim.Unit) error {
	var wrong []error
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("--dump: %w", err))
			continue
		}
		if err := errors.Join(sim.LoadDump(f, into), f.Close()); err != nil {
			wrong = append(wrong, fmt.Errorf("--dump %s:\n%w", name, err))
		}
	}
	return errors.Join(wrong...)
}

// dumped returns the variant that the registers of a dump tell. What they do not tell is as the flags say.
func (s *simulated) dumped(p *profile.Profile, held *sim.Unit) (variant string, err error) {
	kind := p.Identify.Kind
	words, known := fieldWords(held, kind)
	if !known {
		if s.variant == "" && len(p.Variants) > 1 {
			return "", fmt.Errorf("the dump lacks %s, which tells the variant: name it with --variant (%s)", kind.Ranges[0], strings.Join(p.Variants, ", "))
		}
		return s.variant, nil
	}
	raw := kind.Spec.Decode(words)
	variant, accepted := p.Identify.Accept[uint64(raw.Num)]
	switch {
	case raw.Kind != codec.KindNumber || !accepted:
		return "", fmt.Errorf("the dump is of another device: its %s holds %v, which is no kind of %s", kind.Ranges[0], raw, p.Name)
	case s.variant != "" && s.variant != variant:
		return "", fmt.Errorf("--variant %s: the dump is of variant %s, by its %s", s.variant, variant, kind.Ranges[0])
	}
	return variant, nil
}

// play has the unit hold the registers of a dump and no others, but for what identifies it, where the dump lacks it or a flag names it.
func (u *unit) play(held *sim.Unit) {
	id := u.profile.Identify
	made := map[protocol.Range][]uint16{}
	for _, field := range []profile.Field{id.Serial, id.Model, id.Kind, id.Version} {
		_, known := fieldWords(held, field)
		for _, r := range field.Ranges {
			if words, there := u.memory.Get(r.Table, r.Addr, r.Count); there && (!known || u.args.serial != "" && r == id.Serial.Ranges[0]) {
				made[r] = words
			}
		}
	}
	for _, t := range []protocol.Table{protocol.HoldingRegister, protocol.InputRegister, protocol.Coil, protocol.DiscreteInput} {
		for addr := range math.MaxUint16 + 1 {
			one := protocol.Range{Table: t, Addr: uint16(addr), Count: 1}
			if words, there := held.Get(t, one.Addr, 1); there {
				u.memory.Set(t, one.Addr, words...)
			} else {
				u.memory.Remove(one)
			}
		}
	}
	for r, words := range made {
		u.memory.Set(r.Table, r.Addr, words...)
	}
	if words, known := fieldWords(u.memory, id.Serial); known {
		u.serial = id.Serial.Spec.Decode(words).String()
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
