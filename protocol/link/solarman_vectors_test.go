package link

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// vector is an exchange of which the frames are known. Those without a source are built by the layout.
type vector struct {
	name            string
	serial          uint32 // that the request names
	req             protocol.Request
	request, answer string
	words           []uint16
	err             string // a part of it
}

// heartbeat is what a stick sends every two minutes (jmccrohan/pysolarmanv5 #81), and heartbeatAnswer what a client may
// say to it. threeFrames are those of one read: short, heartbeat, short (StephanJoubert/home_assistant_solarman #80).
const (
	heartbeat       = "a50100104702d701bbeea0007b15"
	heartbeatAnswer = "a50a00101703d701bbeea00001fe2b6567000000004b15"
	threeFrames     = "a51000101500ef01bbeea00201ce1e0000b81c0000265ff26205000f15" +
		"a50100104700f001bbeea0009215" +
		"a51000101500f101bbeea00201d01e0000ba1c0000265ff26205001515"
)

func inputs(addr, count uint16) protocol.Request {
	return protocol.Request{Unit: 1, Range: protocol.Range{Table: protocol.InputRegister, Addr: addr, Count: count}}
}

var vectors = []vector{
	{"a register, jmccrohan/pysolarmanv5 #19", testLogger, readOf(0xAA, 1),
		"a517001045970001bbeea0020000000000000000000000000000010300aa0001a42acc15",
		"a515001015976c01bbeea00201b6a60f001b27000053760763010302010a39d38715", []uint16{266},
		""},
	{"100 registers of a Solis, jmccrohan/pysolarmanv5 #19", testLogger, inputs(33000, 100),
		"a517001045190001bbeea0020000000000000000000000000000010480e8006458150f15",
		"a5db00101519c401bbeea00201baef3638751900003bc7dd2b0104c800f5002500350001303030303030303030303030" +
			"3030300000000000000000000000000000000000000000000017000300110012003400230000000018b0000000ee0000" +
			"00eb00a90069000002bd000015f300000000000000000000000000000000038c000003e9000000000000000000000000" +
			"00000000000000000000000000000000000000000000000500000e740000091300000000000e00000000000001540000" +
			"00000000014a00000000000000000000000000000034013f138d0003f82f0000000800000a645415", []uint16{
			0x00F5, 0x0025, 0x0035, 0x0001, 0x3030, 0x3030, 0x3030, 0x3030, 0x3030, 0x3030, 0x3030, 0x3000,
			0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0017, 0x0003,
			0x0011, 0x0012, 0x0034, 0x0023, 0x0000, 0x0000, 0x18B0, 0x0000, 0x00EE, 0x0000, 0x00EB, 0x00A9,
			0x0069, 0x0000, 0x02BD, 0x0000, 0x15F3, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
			0x0000, 0x038C, 0x0000, 0x03E9, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000,
			0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0005, 0x0000, 0x0E74,
			0x0000, 0x0913, 0x0000, 0x0000, 0x000E, 0x0000, 0x0000, 0x0000, 0x0154, 0x0000, 0x0000, 0x0000,
			0x014A, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0034, 0x013F, 0x138D, 0x0003,
			0xF82F, 0x0000, 0x0008, 0x0000},
		""},
	{"a write", testLogger, writeOf(43110, 35),
		"a5170010452a0001bbeea00200000000000000000000000000000106a8660023086c8e15",
		"a5160010152a6d01bbeea00201b6a60f001b270000537607630106a8660023086cab15", nil,
		""},
	{"a write of two", testLogger, protocol.Request{Unit: 1, Op: protocol.WriteMultiple, Words: []uint16{2800, 1},
		Range: protocol.Range{Addr: 0x125, Count: 2}},
		"a51c001045ff0001bbeea0020000000000000000000000000000011001250002040af00001fe332515",
		"a516001015ff6e01bbeea00201b6a60f001b2700005376076301100125000251ff5e15", nil,
		""},
	{"a refusal", testLogger, readOf(50000, 4),
		"a517001045000001bbeea00200000000000000000000000000000103c3500004785ca715",
		"a513001015006f01bbeea00201b6a60f001b27000053760763018302c0f10b15", nil,
		"exception 2"},
	{"a checksum over a checksum, after jmccrohan/pysolarmanv5 #62", testLogger, readOf(0xAA, 1),
		"a517001045970001bbeea0020000000000000000000000000000010300aa0001a42acc15",
		"a517001015976c01bbeea00201b6a60f001b27000053760763010302010a39d300008915", []uint16{266},
		""},
	{"the inverter is silent, jmccrohan/pysolarmanv5 #48", testLogger, inputs(33022, 6),
		"a5170010450b0001bbeea0020000000000000000000000000000010480fe00063838bc15",
		"a5100010150b1e01bbeea00201c20f010058130000bbed846505007e15", nil,
		"no answer from the inverter, says the stick"},
	{"another serial number, jmccrohan/pysolarmanv5 #14", 2100000009, inputs(33022, 6),
		"a517001045000009752b7d020000000000000000000000000000010480fe000638388d15",
		"a510001015000401bbeea00201f36d0400640000000000000006005415", nil,
		"the stick's serial number is 2700000001, not 2100000009"},
}

// What goes out is that of the vectors to the byte, and what comes in is read as what it is: whole, byte by byte, and
// behind what sticks send unasked.
func TestSolarmanVectors(t *testing.T) {
	for _, v := range vectors {
		request := unhex(v.request)
		if got := solarmanRequest(request[5], v.serial, requestIn(request)); !bytes.Equal(got, request) {
			t.Errorf("%s: % x, not % x", v.name, got, request)
		}
		for name, send := range map[string]func(b []byte) []part{
			"whole":        func(b []byte) []part { return after(turnaround, b) },
			"byte by byte": func(b []byte) []part { return inPieces(time.Millisecond, b, upTo(len(b))...) },
			"behind others": func(b []byte) []part {
				return after(turnaround, append(unhex(heartbeat+threeFrames), b...))
			},
			"behind answers":  func(b []byte) []part { return after(turnaround, append(unhex(heartbeatAnswer), b...)) },
			"before a beat":   func(b []byte) []part { return after(turnaround, append(b, unhex(heartbeat)...)) },
			"behind a banner": func(b []byte) []part { return after(turnaround, append([]byte(banner), b...)) },
		} {
			t.Run(v.name+", "+name, func(t *testing.T) { v.check(t, send) })
		}
	}
}

// banner is what a micro inverter's stick begins with (StephanJoubert/home_assistant_solarman #367, #391).
const banner = "AT+YZCMPVER=MW3_16U_5406_2.27\r\n\r\n\xAA\x03\x0A\x00\x00\xBE\x9C"

func upTo(n int) (all []int) {
	for i := 1; i < n; i++ {
		all = append(all, i)
	}
	return all
}

func (v vector) check(t *testing.T, send func([]byte) []part) {
	f := solarmanFraming
	f.link = func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewSolarman(SolarmanConfig{Address: "stick:8899", Serial: v.serial, Dial: by})
	}
	script := func(n int, adu []byte) []part {
		answer := unhex(v.answer)
		answer[5] = adu[5] // which the link chooses
		if want := unhex(v.request); n == 0 && !bytes.Equal(adu[6:len(adu)-2], want[6:len(want)-2]) {
			t.Errorf("sent % x, not % x", adu, want)
		}
		return send(sealed(answer[:len(answer)-2]))
	}
	f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		resp, err := l.Exchange(t.Context(), v.req)
		if v.err == "" && (err != nil || !slices.Equal(resp.Words, v.words)) {
			t.Errorf("%04X, %v", resp.Words, err)
		}
		if v.err != "" && (err == nil || !strings.Contains(err.Error(), v.err)) {
			t.Error(err)
		}
		silent := strings.Contains(v.err, "says the stick")
		if silent != errors.Is(err, protocol.ErrTimeout) || silent && fatal(err) {
			t.Error(err)
		}
		if frames := l.Frames(); frames.Foreign+frames.Damaged+frames.Late != 0 {
			t.Errorf("%+v", frames)
		}
	})
}
