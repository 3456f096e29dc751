package search

import (
	"slices"
	"time"

	"solarhub/plugin/config"
)

// language is a transport that is tried at a TCP port, and how.
type language struct {
	key      string        // of the transport in a configuration
	patience time.Duration // with a unit id; 0: scan.DefaultPatience
	hello    int           // unit ids that are asked where nobody answers in any way; 0: all likely ones
	delay    time.Duration // behind the opening of a connection
}

// A stick says 2.05 s after a request that its inverter is silent (davidrapan/ha-solarman #46), and the dongles of
// LuxPower and GivEnergy are as slow. A dongle of Huawei is deaf for 1 to 2 s at first (grid-x/modbus #44); one that
// needs no delay may hang up meanwhile (wlcrs/huawei_solar #1436).
const (
	ofStick    = 2500 * time.Millisecond
	deafDongle = 2 * time.Second
)

var (
	modbusTCP  = language{key: "tcp", hello: 8}
	patientTCP = language{key: "tcp"}
	waking     = language{key: "tcp", hello: 2, delay: deafDongle, patience: time.Second}
	rtuOverTCP = language{key: "rtu_over_tcp", hello: 3}
	solarman   = language{key: "solarman", hello: 1, patience: ofStick}
	givenergy  = language{key: "givenergy", hello: 1, patience: ofStick}
	luxpower   = language{key: "luxpower", hello: 1, patience: ofStick}
	overTLS    = language{key: "tls", hello: 2, patience: time.Second}
)

// ofGateway is what is spoken where the port says nothing of the maker.
var ofGateway = []language{modbusTCP, rtuOverTCP, waking, patientTCP}

// spoken is what devices are known to speak at a TCP port, the likeliest first.
type spoken struct {
	port      uint16
	languages []language
}

// known are the ports, the likeliest first. 502 and 802 are the standard's. Sticks of Solarman, dongles of GivEnergy
// and gateways listen at 8899 (jmccrohan/pysolarmanv5, dewet22/givenergy-modbus), dongles of LuxPower and EG4 at 8000
// (celsworth/lxp-bridge), sticks of Solis at 30003 (StephanJoubert/home_assistant_solarman #87, #136), SolarEdge at
// 1502 (binsentsu/home-assistant-solaredge-modbus).
var known = []spoken{
	{502, ofGateway},
	{8899, []language{solarman, rtuOverTCP, givenergy, modbusTCP}},
	{8000, []language{luxpower}},
	{1502, ofGateway},
	{30003, ofGateway},
	{802, []language{overTLS}},
}

// languagesAt returns what is tried at a port.
func languagesAt(port uint16) []language {
	if i := slices.IndexFunc(known, func(s spoken) bool { return s.port == port }); i >= 0 {
		return known[i].languages
	}
	return []language{modbusTCP, rtuOverTCP, solarman, givenergy, luxpower, patientTCP}
}

// transport returns the transport of the language; not ok if a configuration cannot say it.
func (l language) transport() (t config.Transport, ok bool) {
	for _, t := range config.Transports() {
		if t.String() == l.key {
			return t, true
		}
	}
	return 0, false
}
