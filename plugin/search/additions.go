package search

import (
	"fmt"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/scan"
	"solarhub/plugin/config"
)

// Additions returns what a configuration says of the devices that were found: of each the family that fits best. What
// no family takes for its own is left out, and so is a device that was found at another place already.
func (r Report) Additions() (all []config.Addition) {
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if len(f.Unit.Fits) == 0 {
			continue
		}
		best := f.Unit.Fits[0]
		key := best.Profile.ID + " " + best.Identity.Serial
		if best.Identity.Serial != "" && seen[key] {
			continue
		}
		seen[key] = true
		all = append(all, config.Addition{Line: f.Line, Device: device(f.Unit, best), Comment: comment(f.Unit)})
	}
	return all
}

// device returns a device as a configuration has it.
func device(u scan.Unit, fit scan.Fit) config.NewDevice {
	d := config.NewDevice{Profile: fit.Profile, Unit: u.ID, Gap: u.Gap, Traits: profile.Traits{}}
	if fit.Identity.Serial == "" {
		d.ID = fmt.Sprintf("%s-%d", fit.Profile.ID, u.ID)
	}
	for _, t := range fit.Choices {
		if t.Otherwise == "" {
			d.Traits[t.Name] = t.Typical
		}
		d.Asks = append(d.Asks, t)
	}
	return d
}

// comment says what was found at a unit id.
func comment(u scan.Unit) string {
	best := u.Fits[0]
	text := best.Profile.Name
	if best.Identity.Model != "" {
		text += ", " + best.Identity.Model
	}
	if best.Identity.Serial != "" {
		text += ", serial number " + best.Identity.Serial
	}
	var others []string
	for _, f := range u.Fits[1:] {
		if f.Score == best.Score {
			others = append(others, f.Profile.ID)
		}
	}
	if len(others) > 0 {
		text += "; it may as well be " + strings.Join(others, " or ")
	}
	return text
}
