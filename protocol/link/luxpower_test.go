package link

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// Frames of celsworth/lxp-bridge's own tests, test_packet_tcp_frames.rs; the serial numbers are 2222222222 and
// 5555555555.
var luxPowerVectors = []struct {
	name              string
	rtu, sent         string // a request
	received, replied string // and its answer
}{
	{"FC3, 3 registers from 12", "01 03 000c 0003",
		"a11a 0100 2000 01 c2 32323232323232323232 1200 00 03 35353535353535353535 0c00 0300 7026",
		"a11a 0200 2500 01 c2 32323232323232323232 1700 01 03 35353535353535353535 0c00 06 1606 1405 1039 5d87",
		"01 03 06 0616 0514 3910"},
	{"FC4, 40 registers from 0", "01 04 0000 0028",
		"a11a 0100 2000 01 c2 32323232323232323232 1200 00 04 35353535353535353535 0000 2800 2a84", "", ""},
	{"FC6, 66 := 100", "01 06 0042 0064",
		"a11a 0100 2000 01 c2 32323232323232323232 1200 00 06 35353535353535353535 4200 6400 883d",
		"a11a 0200 2000 01 c2 32323232323232323232 1200 01 06 35353535353535353535 4200 6400 49ad",
		"01 06 0042 0064"},
	{"FC16, 3 registers from 12", "01 10 000c 0003 06 0616 1413 2117",
		"a11a 0200 2700 01 c2 32323232323232323232 1900 00 10 35353535353535353535 0c00 0300 06 1606 1314 1721 7347",
		"a11a 0200 2000 01 c2 32323232323232323232 1200 01 10 35353535353535353535 0c00 0300 e2bb",
		"01 10 000c 0003"},
}

// knownLuxPower is the dongle of the vectors.
func knownLuxPower() *luxPower {
	l := new(luxPower)
	copy(l.dongle[:], "2222222222")
	copy(l.inverter[:], "5555555555")
	return l
}

func TestLuxPowerVectors(t *testing.T) {
	for _, v := range luxPowerVectors {
		t.Run(v.name, func(t *testing.T) {
			request := rtu(unhex(v.rtu)...)
			if got := knownLuxPower().wrap(request); !bytes.Equal(got, unhex(v.sent)) {
				t.Errorf("sent % x\nwant % x", got, unhex(v.sent))
			}
			if v.received == "" {
				return
			}
			received, d := unhex(v.received), dongle{frames: new(frameCounter), by: knownLuxPower()}
			d.asked = []asked{askedIn(request)}
			d.in = append(unhex("a11a 0200 0d00 01 c1 32323232323232323232 00"), received...) // behind a sign of life
			b := make([]byte, 300)
			n, err := d.next(b)
			if want := rtu(unhex(v.replied)...); err != nil || !bytes.Equal(b[:n], want) {
				t.Errorf("got % x, %v\nwant % x", b[:n], err, want)
			}
		})
	}
}

// luxPowerReply answers a request to a dongle as a healthy one does, with the serial numbers of the request unless
// others are given.
func luxPowerReply(request []byte, change func(frame []byte)) []byte {
	inner := bytes.Clone(request[20:34])
	inner[0] = 1
	asked := append([]byte{1, request[21], request[33], request[32]}, swapped(request[34:36])...)
	reply := pdu(asked[1:])
	if function := reply[0]; function <= 4 {
		inner = append(append(inner, reply[1]), swapped(reply[2:])...)
	} else {
		inner = append(inner, request[34:36]...)
	}
	return luxPowerFrame(request[8:18], inner, change)
}

func luxPowerFrame(dongle, inner []byte, change func(frame []byte)) []byte {
	b := append([]byte{0xA1, 0x1A, 2, 0}, byte(14+len(inner)+2), 0, 1, 0xC2)
	b = append(append(b, dongle...), byte(len(inner)+2), 0)
	b = append(b, inner...)
	if change != nil {
		change(b)
	}
	return binary.LittleEndian.AppendUint16(b, crc16(b[20:]))
}

// A dongle tells what is its own business between the answers, and answers for others.
func TestLuxPower(t *testing.T) {
	const beat = "a11a 0200 0d00 01 c1 32323232323232323232 00"
	right := func(request []byte) []byte { return luxPowerReply(request, nil) }
	for _, tt := range []struct {
		name, dongle, inverter string
		answer                 func(request []byte) []byte
		wrong                  string
	}{
		{"as it should be", "2222222222", "5555555555", right, ""},
		{"behind a sign of life", "2222222222", "5555555555",
			func(r []byte) []byte { return append(unhex(beat), right(r)...) }, ""},
		{"behind noise", "2222222222", "5555555555",
			func(r []byte) []byte { return append([]byte{0xA1, 0, 0xA1, 0x1A, 9}, right(r)...) }, ""},
		{"behind the cloud's block", "2222222222", "5555555555", func(r []byte) []byte {
			return append(luxPowerReply(r, func(b []byte) { b[32] += 40 }), right(r)...)
		}, ""},
		{"behind that of another inverter", "2222222222", "5555555555", func(r []byte) []byte {
			return append(luxPowerReply(r, func(b []byte) { b[22]++; b[36]++ }), right(r)...)
		}, ""},
		{"behind a damaged one", "2222222222", "5555555555", func(r []byte) []byte {
			b := right(r)
			b[36] ^= 1
			return append(b, right(r)...)
		}, ""},
		{"no serial numbers given", "", "", func(r []byte) []byte {
			return luxPowerReply(r, func(b []byte) { copy(b[8:], "2222222222"); copy(b[22:], "5555555555") })
		}, ""},
		{"its own told by its sign of life", "", "5555555555", func(r []byte) []byte {
			return append(unhex(beat), luxPowerReply(r, func(b []byte) { copy(b[8:], "2222222222") })...)
		}, ""},
		{"another one told so", "3333333333", "5555555555", func([]byte) []byte { return unhex(beat) },
			"the dongle's serial number is 2222222222, not 3333333333"},
		{"none given, none told", "", "", func([]byte) []byte { return nil }, "give both, as `dongle` and `inverter`"},
		{"another dongle", "3333333333", "5555555555", func(r []byte) []byte {
			return luxPowerReply(r, func(b []byte) { copy(b[8:], "2222222222") })
		}, "the dongle's serial number is 2222222222, not 3333333333"},
		{"another inverter", "2222222222", "6666666666", func(r []byte) []byte {
			return luxPowerReply(r, func(b []byte) { copy(b[22:], "5555555555") })
		}, "the inverter's serial number is 5555555555, not 6666666666"},
		{"fewer registers", "2222222222", "5555555555", func(r []byte) []byte {
			return luxPowerReply(append(bytes.Clone(r[:34]), 1, 0), nil)
		}, "does not fit of another size"},
		{"refused", "2222222222", "5555555555", func(r []byte) []byte {
			inner := append(bytes.Clone(r[20:34]), 2)
			inner[1] |= 0x80
			return luxPowerFrame(r[8:18], inner, nil)
		}, "exception 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				by, _, wait := pipeTo(t, luxPowerSize, func(_ int, adu []byte) []part {
					if b := tt.answer(adu); b != nil {
						return after(turnaround, b)
					}
					return nil
				})
				l := NewLuxPower(LuxPowerConfig{Address: "dongle:8000", Dongle: tt.dongle, Inverter: tt.inverter,
					Dial: by, Timeout: time.Second})
				defer wait()
				defer l.Close()
				if _, err := l.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				resp, err := l.Exchange(t.Context(), readOf(12, 3))
				switch {
				case tt.wrong == "" && err != nil,
					tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
					t.Fatalf("%v, want %q", err, tt.wrong)
				case tt.wrong == "":
					rightWords(t, resp)
				}
			})
		})
	}
}

func luxPowerSize(b []byte) int {
	if len(b) < 6 {
		return 0
	}
	return 6 + int(binary.LittleEndian.Uint16(b[4:]))
}

func rightWords(t *testing.T, resp protocol.Response) {
	t.Helper()
	right(t, readOf(12, 3), resp)
}

// A frame whose checksum is right may still have nothing in it.
func TestLuxPowerEmpty(t *testing.T) {
	for _, function := range []byte{3, 4, 6, 16, 0x83, 0x86} {
		for _, data := range [][]byte{{0}, {0, 0}, {0, 0, 0}, {1, 0}, {2, 0}, {2, 0, 0}} {
			inner := append([]byte{1, function}, "5555555555\x0c\x00"...)
			frame := luxPowerFrame([]byte("2222222222"), append(inner, data...), nil)
			if _, err := knownLuxPower().open(frame); err != nil {
				t.Errorf("% x: %v", frame, err)
			}
		}
	}
}

// soundly returns what a dongle sends with the right checksum behind its first frame, which no chance would put there.
func soundly(by envelope, in []byte) []byte {
	in = bytes.Clone(in)
	inner := givEnergyInner
	if _, lux := by.(*luxPower); lux {
		inner = luxPowerInner
	}
	if len(in) == 0 {
		return in
	}
	if n := by.size(in); n >= inner+4 && n <= len(in) {
		binary.LittleEndian.PutUint16(in[n-2:], crc16(in[inner:n-2]))
	}
	return in
}

// Whatever a dongle sends, in whatever pieces, it neither panics nor hangs, and gives only what was sent soundly.
func FuzzDongle(f *testing.F) {
	for _, v := range luxPowerVectors {
		f.Add(unhex(v.received), true)
	}
	f.Add(givEnergyReply1(givEnergy{}.wrap(rtu(0x11, 3, 0, 0, 0, 60))), false)
	f.Add(unhex("59590001 000d 01 01 41423132333447353637 01"), false)
	f.Fuzz(func(t *testing.T, in []byte, lux bool) {
		var by envelope = givEnergy{}
		if lux {
			by = knownLuxPower()
		}
		here, there := net.Pipe()
		defer here.Close()
		go func() {
			defer there.Close()
			_ = there.SetDeadline(time.Now().Add(time.Second))
			b := make([]byte, 300)
			for {
				if _, err := there.Read(b); err != nil {
					return
				}
			}
		}()
		d := dongle{conn: newPeekConn(here), frames: new(frameCounter), by: by, in: soundly(by, in)}
		d.asked = []asked{askedIn(rtu(1, 3, 0, 12, 0, 3)), askedIn(rtu(0x11, 3, 0, 0, 0, 60))}
		b := make([]byte, 1024)
		for range len(in) + 1 {
			n, err := d.next(b)
			if n == 0 || err != nil {
				return
			}
			if _, size, looks := parseReply(b[:n]); looks != whole || size != n {
				t.Fatalf("% x", b[:n])
			}
		}
		t.Fatal("there is no end of it")
	})
}
