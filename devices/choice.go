package devices

import (
	"cmp"
	"fmt"
	"maps"

	"solarhub/devices/profile"
)

// A trait that no register tells is the owner's choice. The configuration settles it, and then nobody can choose it
// elsewhere. Where it says nothing the host asks, and the answer is kept with what was learned of the device.

// Choice is a trait that the owner chooses.
type Choice struct {
	Trait profile.Trait
	Word  string // that counts: the owner's, or Trait.Otherwise; empty: the device waits for it
}

// Choices returns what the owner can choose of the device, as far as it is known what applies to it.
func (d *Device) Choices() (all []Choice) {
	known, err := d.cfg.Profile.NamedTraits(d.Identity().Traits)
	seen := d.ID() != "" && err == nil
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.cfg.Profile.Traits {
		_, fixed := d.cfg.Traits[t.Name]
		if t.From == profile.FromOwner && !fixed && (!seen || d.cfg.Profile.Applies(t, known)) {
			all = append(all, Choice{t, cmp.Or(d.chosen[t.Name], t.Otherwise)})
		}
	}
	return all
}

// Choose settles a choice for a word of the trait, or for nothing again if the word is empty. The device is identified
// anew with it.
func (d *Device) Choose(trait, word string) error {
	t, ok := d.cfg.Profile.Trait(trait)
	if !ok || t.From != profile.FromOwner {
		return fmt.Errorf("choose %s of %s: there is no such choice", trait, d.Name())
	}
	if err := t.Check(word); err != nil && word != "" {
		return fmt.Errorf("choose %s of %s: %w", trait, d.Name(), err)
	}
	d.mu.Lock()
	chosen := profile.Traits{}
	maps.Copy(chosen, d.chosen)
	chosen[trait] = word
	d.chosen, d.admitted = chosen, false
	d.choices++
	d.mu.Unlock()
	d.poller.Wake()
	return nil
}

// choice returns the word that the owner has chosen, or what counts without.
func (d *Device) choice(t profile.Trait) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cmp.Or(d.chosen[t.Name], t.Otherwise)
}

// chosenTimes counts the choices in this run.
func (d *Device) chosenTimes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.choices
}

// valid returns the choices of a former run that the profile still has.
func valid(chosen profile.Traits, family *profile.Profile) profile.Traits {
	still := profile.Traits{}
	for name, word := range chosen {
		if t, ok := family.Trait(name); ok && t.From == profile.FromOwner && t.Check(word) == nil {
			still[name] = word
		}
	}
	return still
}
