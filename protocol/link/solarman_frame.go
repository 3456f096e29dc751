package link

import (
	"bytes"
	"encoding/binary"
)

// A Solarman V5 frame, all of it little endian but the RTU frame inside. Source: jmccrohan/pysolarmanv5
// (docs/solarmanv5_protocol.rst and 12 logged frames).
//
//	A5, length of the payload (2), control code (2), sequence (2), serial number of the stick (4),
//	payload, sum of all bytes behind A5, 15
//
// The low byte of the sequence is the client's and comes back; the high byte counts what the stick sends to anybody.
const (
	solarmanStart = 0xA5
	solarmanEnd   = 0x15
	solarmanHead  = 11 // in front of the payload
	solarmanTail  = 2  // behind it

	solarmanAsks    = 0x4510
	solarmanAnswers = 0x1510

	solarmanOfRequest = 15 // payload in front of the RTU frame of a request
	solarmanOfAnswer  = 14 // and of an answer, which has a byte less
	solarmanInverter  = 2  // the first byte of both: it is for the inverter, from the inverter

	// solarmanMax bounds a payload. The longest answer has 270 bytes; what sticks report to their cloud may be longer.
	solarmanMax = 1024
)

// solarmanFrame is a sound frame, as it lies in the receive buffer.
type solarmanFrame struct {
	control  uint16
	sequence byte // the low one
	serial   uint32
	payload  []byte
}

// solarmanRequest wraps an RTU frame.
func solarmanRequest(sequence byte, serial uint32, rtu []byte) []byte {
	b := binary.LittleEndian.AppendUint16([]byte{solarmanStart}, uint16(solarmanOfRequest+len(rtu)))
	b = binary.LittleEndian.AppendUint16(b, solarmanAsks)
	b = binary.LittleEndian.AppendUint16(b, uint16(sequence))
	b = binary.LittleEndian.AppendUint32(b, serial)
	b = append(b, solarmanInverter)
	b = append(b, make([]byte, solarmanOfRequest-1)...)
	b = append(b, rtu...)
	return append(b, solarmanSum(b[1:]), solarmanEnd)
}

func solarmanSum(b []byte) (sum byte) {
	for _, c := range b {
		sum += c
	}
	return sum
}

// parseSolarman reads the frame that b begins with. size is its length, 0 while it is not known.
func parseSolarman(b []byte) (f solarmanFrame, size int, looks parseResult) {
	if len(b) > 0 && b[0] != solarmanStart || len(b) > 3 && b[3] != 0x10 || len(b) > 4 && !isControl(b[4]) {
		return f, 0, nothing
	}
	if len(b) < 5 {
		return f, 0, partial
	}
	payload := int(binary.LittleEndian.Uint16(b[1:]))
	if payload == 0 || payload > solarmanMax {
		return f, 0, nothing
	}
	size = solarmanHead + payload + solarmanTail
	if len(b) < size {
		return f, size, partial
	}
	f = solarmanFrame{
		control: binary.LittleEndian.Uint16(b[3:]), sequence: b[5], serial: binary.LittleEndian.Uint32(b[7:]),
		payload: b[solarmanHead : size-solarmanTail],
	}
	switch {
	case b[size-1] != solarmanEnd:
		return f, size, nothing
	case solarmanSum(b[1:size-2]) != b[size-2]:
		return f, size, damaged
	}
	return f, size, whole
}

// isControl reports whether there is a control code with this high byte: hello, data, Wi-Fi, request, heartbeat,
// report, and their answers.
func isControl(b byte) bool {
	kind, low := b>>4, b&0x0F
	return (kind == 1 || kind == 4) && low >= 1 && low <= 8
}

// modbus returns the RTU frame in an answer. Without one, which is how sticks say why they have none, code is what they
// say, of which two are known.
func (f solarmanFrame) modbus() (rtu []byte, code uint16) {
	rtu = f.payload[solarmanOfAnswer:]
	switch {
	case len(rtu) >= rtuException:
		return rtu, 0
	case len(rtu) >= 2:
		return nil, binary.LittleEndian.Uint16(rtu)
	}
	return nil, 0
}

// The codes of sticks. Source of the first: jmccrohan/pysolarmanv5 #6, #48, davidrapan/ha-solarman #46; it comes 2.03 s
// behind the request. Source of the other: jmccrohan/pysolarmanv5 #14, #87; the answer has the right serial number.
const (
	solarmanSilent = 5 // the inverter does not answer the stick
	solarmanSerial = 6 // the request is for a stick with another serial number
)

// isAnswer reports whether a frame is what a stick sends for an inverter.
func (f solarmanFrame) isAnswer() bool {
	return f.control == solarmanAnswers && len(f.payload) >= solarmanOfAnswer && f.payload[0] == solarmanInverter
}

// soundRTU returns the reply in the RTU frame of an answer, nil if it is none: a right sum says nothing about what is
// inside (MichaluxPL/Sofar_LSW3 #20). Some sticks put a checksum over the one that is there, which gives two bytes 0
// (jmccrohan/pysolarmanv5 #62, davidrapan/ha-solarman #43), and not on each frame (kbialek/deye-inverter-mqtt PR #39).
func soundRTU(b []byte) []byte {
	r, size, looks := parseReply(b)
	if looks != whole || len(b) != size && !bytes.Equal(b[size:], []byte{0, 0}) {
		return nil
	}
	return r.adu
}
