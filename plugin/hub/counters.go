package hub

import (
	"strings"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// A counter of energy that reads 0 once, and then what it read before, makes the host book the whole count again. So a
// counter that falls is believed when it was read twice below the value before. A counter for life never falls to 0.

// keepsCount reports whether a reading is a fall that is not believed (yet), so that the value before stays.
func keepsCount(p profile.Point, v *latest, r devices.Reading) bool {
	if !strings.HasPrefix(p.Entity.StateClass, "total") || r.Value.Kind != codec.KindNumber {
		return false
	}
	if v.Value.Kind != codec.KindNumber || r.Value.Num >= v.Value.Num {
		v.fell = false
		return false
	}
	if forLife := p.Entity.StateClass == "total"; forLife && r.Value.Num == 0 {
		return true
	}
	again := v.fell
	v.fell = !again
	return !again
}
