package search

import (
	"slices"
	"time"

	"solarhub/plugin/config"
	"solarhub/protocol"
)

// language is a transport that is tried at a port, and how.
type language struct {
	way      config.Transport
	patience time.Duration     // with a unit id; 0: scan.DefaultPatience
	hello    int               // unit ids that are asked where nobody answers in any way; 0: all
	units    []protocol.UnitID // that are asked; nil: the likely ones
	delay    time.Duration     // behind the opening of a connection
}

// A stick says 2.05 s after a request that its inverter is silent (davidrapan/ha-solarman #46), and dongles of LuxPower
// and GivEnergy take as long at times. A dongle of Huawei is deaf for 1 to 2 s at first (grid-x/modbus #44); one that
// needs no delay may hang up meanwhile (wlcrs/huawei_solar #1436).
const (
	ofStick    = 2500 * time.Millisecond
	deafDongle = 2 * time.Second
)

var (
	modbusTCP  = language{way: config.TCP, hello: 8}
	patientTCP = language{way: config.TCP}
	waking     = language{way: config.TCP, hello: 2, delay: deafDongle, patience: time.Second}
	rtuOverTCP = language{way: config.RTUOverTCP, hello: 3}
	// Behind a stick there is one inverter, or a few that count from 1.
	solarman = language{way: config.Solarman, hello: 1, patience: ofStick, units: []protocol.UnitID{1, 2, 3}}
	// A dongle of LuxPower has one inverter, whatever its unit id; one of GivEnergy has it at 17, or at 50 with its
	// batteries (dewet22/givenergy-modbus).
	luxPower  = language{way: config.LuxPower, hello: 1, patience: ofStick, units: []protocol.UnitID{1}}
	givEnergy = language{way: config.GivEnergy, hello: 1, patience: ofStick, units: []protocol.UnitID{17, 50}}
	// Hybrid inverters of GoodWe answer at 247, others at 127 (marcelblijleven/goodwe).
	goodWe = language{way: config.GoodWeUDP, hello: 2, patience: time.Second, units: []protocol.UnitID{247, 127}}
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
	{8899, []language{solarman, rtuOverTCP, givEnergy, modbusTCP}},
	{8000, []language{luxPower}},
	{1502, ofGateway},
	{30003, ofGateway},
	{portTLS, nil},
}

// portTLS is that of Modbus TCP inside TLS, which nobody speaks without a certificate.
const portTLS = 802

// languagesAt returns what is tried at a port.
func languagesAt(port uint16) []language {
	if i := slices.IndexFunc(known, func(s spoken) bool { return s.port == port }); i >= 0 {
		return known[i].languages
	}
	return []language{modbusTCP, rtuOverTCP, solarman, givEnergy, luxPower, patientTCP}
}
