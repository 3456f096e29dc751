package config

import (
	"math"

	"solarhub/devices/profile/strict"
)

// readSolarman reads which stick a line goes through. Any number may be one: 17, 21, 23, 27, 38, 40 and 41 are all seen
// at its beginning (davidrapan/ha-solarman #310, jmccrohan/pysolarmanv5 #5).
func readSolarman(_ *parser, l *Line, f strict.Fields) {
	if n := f.Get("logger_serial"); n != nil {
		serial, _ := n.Int(1, math.MaxUint32)
		l.Logger = uint32(serial)
	}
}
