package scan

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"solarhub/devices"
	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// halfSure is the surprise, in bits, that makes a score of 50.
const halfSure = 8

// fit says why a family takes the unit for a device of its own.
func (a *asker) fit(s *suspect, who devices.Identity) Fit {
	f := Fit{Profile: s.family, Identity: who}
	bits := s.bits()
	for _, n := range s.held {
		_, at := n.judge(a.seen)
		if n.what == serialNumber {
			continue
		}
		f.Reasons = append(f.Reasons, reason(n.what, at, a.seen, s.family))
	}
	if f.Identity.Serial == noSerial {
		f.Identity.Serial, f.Identity.As = "", ""
	} else {
		f.Reasons = append(f.Reasons, "it gives the serial number "+who.Serial)
	}
	traits, _ := s.family.NamedTraits(who.Traits)
	for _, e := range s.family.Identify.Expect {
		if !slices.ContainsFunc(s.held, func(n need) bool { return n.what == e.Name }) {
			bits += surpriseOfText(e.Model) // told by a model of SunSpec
			f.Reasons = append(f.Reasons, fmt.Sprintf("its %s is %s", e.Name, who.Model))
		}
	}
	for _, t := range s.family.Traits {
		if t.From == profile.FromOwner && s.family.Applies(t, traits) {
			f.Choices = append(f.Choices, t)
		}
	}
	f.Score = int(math.Round(100 * (1 - math.Exp2(-bits/halfSure))))
	return f
}

// reason says what a register holds that speaks for a family: "holding 0: 5 (kind), as a Deye hybrid inverter has".
func reason(what string, at profile.Field, e evidence, p *profile.Profile) string {
	v, _ := e.value(at)
	return fmt.Sprintf("%s: %s (%s), as %s has", addresses(at.Ranges), shown(v), what, withArticle(p.Name))
}

// withArticle returns "a Deye hybrid inverter", "an Eastron energy meter", "an SMA inverter": a word in capitals is
// spelt.
func withArticle(name string) string {
	word, _, _ := strings.Cut(name, " ")
	vowels := "AEIOUaeiou"
	if strings.ToUpper(word) == word {
		vowels = "AEFHILMNORSX"
	}
	if strings.ContainsAny(name[:1], vowels) {
		return "an " + name
	}
	return "a " + name
}

func shown(v codec.Value) string {
	if v.Kind == codec.KindText {
		return fmt.Sprintf("%q", v.Str)
	}
	return v.String()
}

// isOther reports whether an identification ended because somebody else answers.
func isOther(err error) (*ask.WrongDeviceError, bool) {
	return errors.AsType[*ask.WrongDeviceError](err)
}
