package link

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// unhex reads bytes as threads post them.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// captured is a reply as a device sent it, and what it says: words, or a part of the error.
type captured struct {
	name, request, reply string
	words                []uint16
	err                  string
}

// Replies of real devices, from public threads; addresses and serial numbers are others. The transaction id is that of
// the request, unless a reply is to show that it is not.
var capturedTCP = []captured{
	{"length 4 of a refusal, modbus-proxy PR 62", "1858 0000 0006 01 03 9858 0001", "1858 0000 0004 01 83 03", nil,
		"exception 3"},
	{"length 4 of a refusal, tmodbus PR 146", "1FC8 0000 0006 01 03 AFC8 0001", "1FC8 0000 0004 01 83 02", nil,
		"exception 2"},
	{"length 4 of a refusal, Omnibattery 501", "1B0C 0000 0006 01 03 7B0C 0001", "1B0C 0000 0004 01 83 02", nil,
		"exception 2"},
	{"refusal as long as its request, grid-x 46", "0001 0000 0006 01 04 1388 0001", "0001 0000 0006 01 84 04 00 01 00",
		nil, "exception 4"},
	{"refusal with code 0", "0001 0000 0006 01 04 1388 0001", "0001 0000 0003 01 84 00", nil, "exception 0"},
	{"refusal with code 255", "0001 0000 0006 01 04 1388 0001", "0001 0000 0003 01 84 FF", nil, "exception 255"},
	{"refusal with length 2", "0001 0000 0006 01 04 1388 0001", "0001 0000 0002 01 84 02", nil, "exception 2"},
	{"a byte too many, grid-x 52", "0039 0000 0006 01 03 9F66 0002", "0039 0000 0008 01 03 04 4D89 8610 5F",
		[]uint16{0x4D89, 0x8610}, ""},
	{"length of the request, node-red-contrib-modbus 146", "0001 0000 0006 01 03 0000 0003",
		"0001 0000 0006 01 03 06 0100 0000 0034", []uint16{256, 0, 52}, ""},
	{"length 0", "0001 0000 0006 01 03 0000 0001", "0001 0000 0000 01 03 02 0100", []uint16{256}, ""},
	{"a good one, solis_modbus 326", "2952 0000 0006 01 03 A9DF 0002", "2952 0000 0007 01 03 04 0046 001E",
		[]uint16{70, 30}, ""},
	{"garbled, solis_modbus 326", "2953 0000 0006 01 03 A8F1 0001", "2953 0000 0004 C0 60 60 00", nil, "from unit 192"},
	{"garbled, longer", "2953 0000 0006 01 03 A8F1 0001", "2953 0000 0008 C0 30 30 00 00 00 00 00", nil,
		"from unit 192"},
	{"garbled, another unit", "2953 0000 0006 01 03 A8F1 0001", "2953 0000 0004 1B 02 FF E2", nil, "from unit 27"},
	{"discharging, evcc 18838", "4AF5 0000 0006 01 04 32DD 0001", "4AF5 0000 0005 01 04 02 00B8", []uint16{184}, ""},
	{"swapped words, evcc 82", "0001 0000 0006 01 03 9C89 0002", "0001 0000 0007 01 03 04 FC2D FFFF",
		[]uint16{0xFC2D, 0xFFFF}, ""},
	{"a byte short, goodwe GW10K-MS-30", "8103 0000 0006 7F 03 75E4 0003", "8103 0000 0009 7F 03 06 1806 0209 07", nil,
		"no answer within 1s, only its first 14 bytes"},
	{"odd byte count", "0001 0000 0006 F7 03 88B8 0002", "0001 0000 0008 F7 03 05 01 02 03 04 05", nil,
		"with a byte count of 5, not 4"},
	{"too few registers", "0001 0000 0006 01 03 0000 0003", "0001 0000 0007 01 03 04 0001 0002", nil,
		"with a byte count of 4, not 6"},
	{"a short length and fewer registers than the byte count, another reply behind",
		"0001 0000 0006 01 03 0000 0003", "0001 0000 0007 01 03 06 0001 0002 9E37 0000 0005 01 03 02 0007", nil,
		"cut short, with another reply behind it"},
	{"thirteenth byte, arduino-Tools40 7", "3626 0000 0006 02 06 0000 0000", "3626 0000 0007 02 06 0000 0000 06",
		[]uint16{}, ""},
	{"more behind the reply to a write of several", "3626 0000 000B 02 10 0003 0002 04 0001 0002",
		"3626 0000 0009 02 10 0003 0002 04 0001", []uint16{}, ""},
	{"wrong echo with more behind", "3626 0000 0006 02 06 0000 0001", "3626 0000 0007 02 06 0000 0000 06", nil,
		"echoing 00 00 00 00, not 00 00 00 01, outcome unknown"},
	{"negative powers, Growatt_ModbusTCP 222", "0F41 0000 0006 01 04 0106 0003",
		"0F41 0000 0009 01 04 06 FCFA FFFF 0000", []uint16{0xFCFA, 0xFFFF, 0}, ""},
}

var capturedRTU = []captured{
	{"exception 4", "01 04 1388 0030 74B0", "01 84 04 42 C3", nil, "exception 4"},
	{"refusal, canadianSolar-pvoutput 11", "01 04 0100 0012 703B", "01 84 02 C2 C1", nil, "exception 2"},
	{"AA 55 in front, goodwe eco_mode_v1", "F7 03 B798 0004", "AA 55 F7 03 08 0000 173B 0014 007F 6F5A",
		[]uint16{0, 0x173B, 20, 0x7F}, ""},
	{"odd byte count, goodwe", "F7 03 88B8 0021 3AC1", "AA 55 F7 03 05 01 02 03 04 05 33 47 FF FF FF", nil,
		"a reply that does not fit of another size, and no answer within 1s"},
	{"a prefix with a right checksum, FluentModbus PR 75", "01 04 0000 0001", "01 04 02 0301 7800", []uint16{769}, ""},
	{"a byte count of 16 bits, pymodbus 1542", "01 03 0000 0001", "01 03 00 02 17 81 2B 9A", nil, "no answer"},
	{"a meter, ha-must-inverter 112", "01 04 0156 0002 9027", "01 04 04 46E2 BEC5 FF 09", []uint16{0x46E2, 0xBEC5}, ""},
	{"a byte count that is not that of the request, esphome 2893", "F7 03 500A 0005 A05D",
		"F7 03 4A 5D DA 01 02 03 04 05 06 07 08 4C 11", nil, "no answer"},
}

// padded are refusals with more than their code, and a right checksum behind all of it.
func padded() (all []captured) {
	for n := range 12 {
		b := append([]byte{1, 0x84, 4}, make([]byte, n)...)
		all = append(all, captured{"padded refusal", "01 04 1388 0030", hex.EncodeToString(rtu(b...)), nil,
			"exception 4"})
	}
	b := rtu(1, 0x84, 0xFF)
	return append(all, captured{"code 255 and stray bytes", "01 04 1388 0030", hex.EncodeToString(append(b, 0, 1, 0)),
		nil, "exception 255"})
}

// requestOf is the request of an ADU from the unit id on.
func requestOf(adu []byte) protocol.Request {
	at, count := binary.BigEndian.Uint16(adu[2:]), binary.BigEndian.Uint16(adu[4:])
	req := protocol.Request{Unit: protocol.UnitID(adu[0]), Range: protocol.Range{Addr: at, Count: count}}
	switch adu[1] {
	case 4:
		req.Range.Table = protocol.InputRegister
	case 6:
		req.Op, req.Range.Count, req.Words = protocol.WriteSingle, 1, []uint16{count}
	case 16:
		req.Op = protocol.WriteMultiple
		for i := range int(count) {
			req.Words = append(req.Words, binary.BigEndian.Uint16(adu[7+2*i:]))
		}
	}
	return req
}

// What real devices answer is read as what it is. Whatever is behind it, whole or in pieces: the connection stays, and
// the next reply is found.
func TestCapturedFrames(t *testing.T) {
	rubbish := make([]byte, 512)
	for i := range rubbish {
		rubbish[i] = byte(i * i >> 3)
	}
	for _, f := range []framing{tcpFraming, rtuFraming} {
		cases, head := slices.Concat(capturedRTU, padded()), 0
		if f.name == tcpFraming.name {
			cases, head = capturedTCP, mbapHeader-1
		}
		for _, c := range cases {
			for name, send := range map[string]func(b []byte) []part{
				"whole":     func(b []byte) []part { return after(turnaround, b) },
				"in pieces": func(b []byte) []part { return inPieces(2*time.Millisecond, b, 3, 5) },
				"rubbish behind": func(b []byte) []part {
					return []part{{turnaround, b}, {time.Millisecond, rubbish}, {40 * time.Millisecond, rubbish}}
				},
			} {
				if name == "rubbish behind" && (head == 0 || strings.Contains(c.err, "no answer")) {
					continue // what is missing of a reply is taken from what is behind it
				}
				t.Run(f.name+" "+c.name+", "+name, func(t *testing.T) {
					request := unhex(c.request)
					f.on(t, protocol.Quirks{}, 0, func(n int, adu []byte) []part {
						if n > 0 {
							return f.soundly(n, adu)
						}
						b := unhex(c.reply)
						if head > 0 {
							copy(b, adu[:2])
						}
						return send(b)
					}, func(t *testing.T, l tested, p *peer) {
						if link, ok := l.(*TCPLink); ok { // an earlier request is not answered
							link.transactions.next(time.Now())
							link.transactions.sent[0].id = 0x9E37
						}
						c.check(t, l, requestOf(request[head:]))
					})
				})
			}
		}
	}
}

func (c captured) check(t *testing.T, l tested, req protocol.Request) {
	resp, err := l.Exchange(t.Context(), req)
	switch {
	case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
		t.Errorf("%v, not %s", err, c.err)
	case c.err == "" && err != nil:
		t.Error(err)
	case c.err == "" && !slices.Equal(resp.Words, c.words):
		t.Errorf("%04X, not %04X", resp.Words, c.words)
	}
	for range 3 {
		next := readOf(300, 7)
		if connection, err := l.Open(t.Context()); err != nil || connection != 1 {
			t.Fatalf("connection %d: %v", connection, err)
		}
		resp, err := l.Exchange(t.Context(), next)
		if err != nil {
			t.Fatalf("behind it: %v", err)
		}
		right(t, next, resp)
	}
}
