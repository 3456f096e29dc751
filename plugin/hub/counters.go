package hub

import (
	"strings"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// If an energy counter reads 0 once and then its old value, the host adds the whole count again. So a fall is believed
// only after two readings in a row below the old value. A lifetime counter never falls to 0.

// keepsCount reports whether a reading is a fall that is not believed, so that the old value stays.
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
