package config

import (
	"testing"
	"time"
)

func TestSolarman(t *testing.T) {
	c := parsed(t, withLines(`  - solarman: 192.168.1.52
    logger_serial: 2700000001
    devices: [{profile: powdrive}, {profile: powdrive, unit: 2, timeout: 800ms}]
  - {solarman: '192.168.1.53:8900', devices: [{profile: powdrive}]}
`))
	one, other := c.Lines[0], c.Lines[1]
	if one.Logger != 2700000001 || one.Address != "192.168.1.52:8899" || other.Logger != 0 ||
		other.Address != "192.168.1.53:8900" {
		t.Errorf("%+v, %+v", one, other)
	}
	if own := one.Devices[1].Line.Pace.Timeout; one.Devices[0].Line.Pace.Timeout != 5*time.Second ||
		own != 800*time.Millisecond {
		t.Errorf("%v, %v", one.Devices[0].Line.Pace.Timeout, own)
	}
	if keys := one.settings(other); len(keys) != 1 || keys[0] != "logger_serial" {
		t.Error(keys)
	}
}
