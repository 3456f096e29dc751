package doctor

import (
	"errors"
	"strconv"
	"syscall"

	"solarhub/plugin/config"
	"solarhub/protocol"
)

// stickFailure returns what a line through a Solarman stick cannot be used for.
func stickFailure(s Symptoms) (a Advice, ill bool) {
	err := s.Stats.LastError
	if other, ok := errors.AsType[protocol.LoggerError](err); ok {
		a := mend(IllLogger, "%s: %v", s.Line.Address, other)
		if other.Is != 0 {
			a = a.withLine("logger_serial", strconv.FormatUint(uint64(other.Is), 10))
		}
		return a, true
	}
	// Reported of LSW-3 and many others after an update: kbialek/deye-inverter-mqtt #206, davidrapan/ha-solarman #762.
	if s.Line.Transport == config.Solarman && errors.Is(err, syscall.ECONNREFUSED) && !s.Stats.DownSince.IsZero() {
		return mend(IllUnreachable, "%s refuses the connection: is this the stick's address? New firmware of many "+
			"sticks has the port closed for good; the inverter's RS485 port stays open", s.Line.Address), true
	}
	return Advice{}, false
}

// plain is about a stick that speaks another language, which is spoken by now.
func plain(s Symptoms) Advice {
	return note(IllPlain, "the stick at %s speaks Modbus TCP, and SolarHub does so too: put `tcp: %s` in the place of "+
		"`solarman:`, and the first request need not find it out", s.Line.Address, s.Line.Address)
}

// otherClients is about answers of a stick to others, which it sends to all.
func otherClients(s Symptoms) Advice {
	return note(IllForeign, "another client asks the stick at %s, too (%s): both wait for each other, and a stick may "+
		"lose its cloud over it. Stop one if requests get no answer", s.Line.Address, times(s.Stats.Frames.Foreign))
}
