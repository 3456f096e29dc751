package link

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"solarhub/protocol"
)

// LuxPowerConfig is a link through a dongle of LuxPower or EG4. Only Address is needed.
type LuxPowerConfig struct {
	Address string // host:port; the dongles' port is 8000
	// Dongle and Inverter are serial numbers, of 10 characters, as the labels have them. "": as what comes in says.
	Dongle, Inverter string

	Name        string          // what errors call the link. Defaults to Address
	Timeout     time.Duration   // of a reply, where Pace has none. Defaults to DefaultLuxPowerTimeout
	Gap         time.Duration   // silence behind a reply. Defaults to DefaultLuxPowerGap
	DialTimeout time.Duration   // of opening the connection. Defaults to DefaultDialTimeout
	Quirks      protocol.Quirks // the ConnectDelay defaults to 1 s
	Dial        DialFunc        // makes the connection. Defaults to net.Dialer
	Never       map[protocol.UnitID][]protocol.Range
	Trace       func(sent bool, frame []byte) // as in TCPConfig, with what is around the ADUs
}

// A dongle takes 0.3 s for 125 registers, and with a second client up to 3.9 s (joyfulhouse/pylxpweb #329,
// ant0nkr/luxpower-ha-integration #136). pylxpweb leaves 0.5 s between requests and 1 s behind the opening.
const (
	DefaultLuxPowerTimeout = 5 * time.Second
	DefaultLuxPowerGap     = 200 * time.Millisecond
	luxPowerConnectDelay   = time.Second
)

// NewLuxPower returns a closed link. A dongle serves one inverter, whatever its unit id.
func NewLuxPower(cfg LuxPowerConfig) *RTULink {
	by := new(luxPower)
	copy(by.dongle[:], cfg.Dongle)
	copy(by.inverter[:], cfg.Inverter)
	l := newRTULink(RTUConfig{
		Name: cfg.Name, Timeout: cmp.Or(cfg.Timeout, DefaultLuxPowerTimeout),
		Gap: cmp.Or(cfg.Gap, DefaultLuxPowerGap), Quirks: cfg.Quirks, Never: cfg.Never,
	}, cfg.Address)
	l.delay = max(cmp.Or(cfg.Quirks.ConnectDelay, luxPowerConnectDelay), cfg.Gap)
	l.throughDongle(cfg.Address, dongle{by: by, trace: cfg.Trace}, cfg.Dial, cfg.DialTimeout)
	return l
}

// A frame of a LuxPower dongle, all of it little endian, the registers too. Source: celsworth/lxp-bridge (packet.rs),
// joyfulhouse/pylxpweb (dongle.py).
//
//	A1 1A, protocol (2), length of what follows (2), 01, kind (1), serial number of the dongle (10),
//	and of kind C2: length of what follows (2), 00 or 01, function (1), serial number of the inverter (10),
//	first register (2), data, CRC of all behind the second length
const (
	luxPowerKinds  = 18 // bytes of a frame of any kind that its length does not count, and the serial number
	luxPowerHead   = 34 // in front of the data
	luxPowerInner  = 20 // where begins what the checksum is of
	luxPowerCount  = 6  // bytes that the length does not count
	luxPowerLife   = 19 // a sign of life
	luxPowerAlive  = 0xC1
	luxPowerModbus = 0xC2

	luxPowerMost = luxPowerHead + 1 + 254 + 2 // 127 registers, which some firmwares send unasked (pylxpweb)
)

// luxPower is what is known of a dongle.
type luxPower struct {
	dongle, inverter [10]byte
	another          [10]byte // an inverter whose answers have come
	heard            bool     // ours has answered
}

// nobody is the serial number where none is known: some dongles answer it (celsworth/lxp-bridge).
var nobody [10]byte

func (l *luxPower) wrap(rtu []byte) []byte {
	b := []byte{0, rtu[1]} // a request
	b = append(b, l.inverter[:]...)
	b = append(b, rtu[3], rtu[2])
	data := rtu[4 : len(rtu)-2]
	b = append(b, data[1], data[0]) // the count, or the value of a single write
	if len(data) > 2 {
		b = append(b, data[2])
		b = append(b, swapped(data[3:])...)
	}
	b = binary.LittleEndian.AppendUint16(b, crc16(b))

	frame := []byte{0xA1, 0x1A, 1, 0}
	if rtu[1] == 16 {
		frame[2] = 2 // celsworth/lxp-bridge
	}
	frame = binary.LittleEndian.AppendUint16(frame, uint16(luxPowerInner-luxPowerCount+len(b)))
	frame = append(frame, 1, luxPowerModbus)
	frame = append(frame, l.dongle[:]...)
	frame = binary.LittleEndian.AppendUint16(frame, uint16(len(b)))
	return append(frame, b...)
}

// swapped returns the registers of data with their bytes the other way round.
func swapped(data []byte) []byte {
	b := make([]byte, len(data)&^1)
	for i := 0; i < len(b); i += 2 {
		b[i], b[i+1] = data[i+1], data[i]
	}
	return b
}

func (l *luxPower) size(b []byte) int {
	switch {
	case b[0] != 0xA1 || len(b) > 1 && b[1] != 0x1A:
		return 0
	case len(b) < luxPowerCount:
		return luxPowerCount
	}
	size := luxPowerCount + int(binary.LittleEndian.Uint16(b[4:]))
	if size < luxPowerKinds || size > luxPowerMost {
		return 0
	}
	return size
}

func (l *luxPower) open(frame []byte) (told, error) {
	switch kind := frame[7]; {
	case kind == luxPowerAlive && len(frame) == luxPowerLife: // nobody has to answer it
		return told{}, l.from(frame)
	case kind != luxPowerModbus || len(frame) < luxPowerHead+1+2:
		return told{}, nil // the dongle's own settings
	}
	inner, end := frame[luxPowerInner:], len(frame)-2
	if crc16(inner[:len(inner)-2]) != binary.LittleEndian.Uint16(frame[end:]) {
		return told{damaged: true}, nil
	}
	if err := l.from(frame); err != nil {
		return told{}, err
	}
	inverter := [10]byte(frame[22:])
	if l.inverter == nobody {
		l.inverter = inverter
	}
	if inverter != l.inverter {
		l.another = inverter
		return told{}, nil
	}
	l.heard = true
	says := told{function: frame[21], reply: asked{function: frame[21] &^ 0x80,
		addr: binary.LittleEndian.Uint16(frame[32:])}}
	data := frame[luxPowerHead:end]
	if says.function&0x80 != 0 {
		says.data = data[:1]
		return says, nil
	}
	// Protocol 1 has a single register without its byte count, and so have most answers to writes. So has a request,
	// which begins with 0; longer answers may do so too (ant0nkr/luxpower-ha-integration #136).
	if len(data) != 2 || says.reply.function <= 4 && inner[0] == 0 {
		if int(data[0]) != len(data)-1 || len(data)%2 == 0 || len(data) == 1 {
			return told{damaged: true}, nil
		}
		data = data[1:]
	}
	values := swapped(data)
	if says.reply.function <= 4 {
		says.reply.count, says.data = uint16(len(values)/2), registers(values)
		return says, nil
	}
	says.reply.count = binary.BigEndian.Uint16(values)
	says.data = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, says.reply.addr), says.reply.count)
	return says, nil
}

// from learns the serial number of the dongle that a frame is from, or compares it.
func (l *luxPower) from(frame []byte) error {
	dongle := [10]byte(frame[8:])
	if l.dongle == nobody {
		l.dongle = dongle
	}
	if dongle != l.dongle {
		return fmt.Errorf("the dongle's serial number is %s, not %s: give the right one, or none", dongle, l.dongle)
	}
	return nil
}

var errNoSerials = errors.New("the dongle does not say its serial number, nor that of its inverter: give both, as " +
	"`dongle` and `inverter`; they are on the labels")

func (l *luxPower) unheard() error {
	switch {
	case l.dongle == nobody || l.inverter == nobody:
		return errNoSerials
	case !l.heard && l.another != nobody:
		return fmt.Errorf("the inverter's serial number is %s, not %s: give the right one, or none", l.another,
			l.inverter)
	}
	return nil
}
