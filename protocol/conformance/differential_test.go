package conformance

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// roomy is a simulated unit that holds zeros everywhere, asked with bare PDUs.
func roomy(t *testing.T) func(pdu []byte) []byte {
	t.Helper()
	unit := sim.NewUnit(1)
	for table := range protocol.Table(4) {
		unit.Set(table, 0, make([]uint16, 1<<16)...)
	}
	here, there := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- sim.NewLine(sim.Options{}, unit).ServeConn(ctx, there, sim.TCP) }()
	t.Cleanup(func() {
		cancel()
		here.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return func(pdu []byte) []byte {
		t.Helper()
		adu := append(binary.BigEndian.AppendUint16([]byte{0, 1, 0, 0}, uint16(1+len(pdu))), 1)
		if _, err := here.Write(append(adu, pdu...)); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 7)
		if _, err := io.ReadFull(here, head); err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, binary.BigEndian.Uint16(head[4:])-1)
		if _, err := io.ReadFull(here, reply); err != nil {
			t.Fatal(err)
		}
		return reply
	}
}

// theirs is what pymodbus says; nil where it cannot decode the request.
func (p *process) theirs(pdu []byte) []byte {
	p.t.Helper()
	var said struct{ Reply, Error string }
	p.say(map[string]string{"pdu": hex.EncodeToString(pdu)})
	if err := json.Unmarshal([]byte(p.hear("{")), &said); err != nil || said.Error != "" {
		p.t.Fatalf("% x: %v %s", pdu, err, said.Error)
	}
	reply, err := hex.DecodeString(said.Reply)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply
}

// differences are the requests that pymodbus and our simulator answer differently, and why.
var differences = []struct {
	why          string
	ask          string
	ours, theirs string
	is           func(pdu []byte) bool
}{
	{"bytes behind the end of a request: the standard's length says that the request is another one, pymodbus " +
		"leaves them out",
		"030000000100", "8303", "03020000",
		func(pdu []byte) bool { return pdu[0] < 7 && len(pdu) > 5 }},
	{"a coil is set to FF00 or 0000 and nothing else (MODBUS Application Protocol V1.1b3, 6.5); to pymodbus all " +
		"else is on",
		"0500010001", "8503", "050001ff00",
		func(pdu []byte) bool {
			return pdu[0] == 5 && len(pdu) > 4 && (pdu[3] != 0 && pdu[3] != 0xFF || pdu[4] != 0)
		}},
	{"0x7B0 coils are the most of one write (6.11), 2000 to pymodbus",
		"0f000007b1f7" + fmt.Sprintf("%0494x", 0), "8f03", "0f000007b1",
		func(pdu []byte) bool {
			return pdu[0] == 15 && len(pdu) > 4 && binary.BigEndian.Uint16(pdu[3:]) > protocol.MaxWriteBits
		}},
	{"functions that no solar device needs are unknown to our simulator", "07", "8701", "0700",
		func(pdu []byte) bool { return pdu[0] == 0 || pdu[0] > 6 && pdu[0] != 15 && pdu[0] != 16 }},
}

func known(pdu []byte) bool {
	for _, d := range differences {
		if d.is(pdu) {
			return true
		}
	}
	return false
}

// randomPDU is a request, more often than not a sound one, with values at the limits.
func randomPDU(r *rand.Rand) []byte {
	pick := func(from ...uint16) uint16 { return from[r.IntN(len(from))] }
	addr := pick(0, 1, 7, 8, 300, 65408, 65534, 65535, uint16(r.Uint32()))
	count := pick(0, 1, 2, 8, 9, 122, 123, 124, 125, 126, 1968, 1969, 2000, 2001, 65535, uint16(r.IntN(200)),
		uint16(r.Uint32()))
	pdu := binary.BigEndian.AppendUint16([]byte{byte(pick(1, 2, 3, 4, 5, 6, 15, 16, uint16(r.IntN(128))))}, addr)
	switch pdu[0] {
	case 5:
		count = pick(0, 0xFF00, count)
	case 15, 16:
		size := 2 * int(min(count, 123))
		if pdu[0] == 15 {
			size = (int(min(count, 1968)) + 7) / 8
		}
		size = max(0, size+int(pick(0, 0, 0, 0, 1))*(r.IntN(5)-2))
		pdu = append(binary.BigEndian.AppendUint16(pdu, count), byte(size))
		for range max(0, size+int(pick(0, 0, 0, 0, 1))*(r.IntN(5)-2)) {
			pdu = append(pdu, byte(r.Uint32()))
		}
		return pdu[:min(len(pdu), 253)]
	}
	pdu = binary.BigEndian.AppendUint16(pdu, count)
	if r.IntN(20) == 0 {
		pdu = pdu[:1+r.IntN(len(pdu))]
	}
	return pdu
}

// Our simulator's request parser and pymodbus' decoder agree on what is a request and what it means: both carry out
// each request and the replies are the same, byte for byte, but for the known differences.
func TestRequestsAsPymodbus(t *testing.T) {
	pair(t, "random requests", "our simulator and pymodbus", "PDU", func(t *testing.T) string {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		ours, p := roomy(t), python(t, "testdata/pymodbus_decode.py")
		p.hear("ready")
		const requests = 20000
		carried, refused, left := 0, 0, 0
		for range requests {
			pdu := randomPDU(r)
			if known(pdu) {
				left++
				continue
			}
			mine, other := ours(pdu), p.theirs(pdu)
			if rejected := len(other) == 0; rejected && mine[0]&0x80 == 0 || !rejected &&
				string(mine) != string(other) {
				t.Fatalf("seed %d: % x: ours % x, pymodbus' % x", seed, pdu, mine, other)
			}
			if mine[0]&0x80 == 0 {
				carried++
			} else {
				refused++
			}
		}
		if carried < requests/5 || refused < requests/5 {
			t.Errorf("seed %d: %d carried out, %d refused: the requests are no good", seed, carried, refused)
		}
		return fmt.Sprintf("%d carried out, %d refused, %d known differences", carried, refused, left)
	})
}

// The known differences are there and are as described.
func TestDifferencesToPymodbus(t *testing.T) {
	pair(t, "known differences", "our simulator and pymodbus", "PDU", func(t *testing.T) string {
		ours, p := roomy(t), python(t, "testdata/pymodbus_decode.py")
		p.hear("ready")
		for _, d := range differences {
			pdu, err := hex.DecodeString(d.ask)
			if err != nil || !d.is(pdu) {
				t.Fatalf("%s: %v", d.ask, err)
			}
			if mine, other := hex.EncodeToString(ours(pdu)),
				hex.EncodeToString(p.theirs(pdu)); mine != d.ours || other != d.theirs {
				t.Errorf("%s: ours %s, pymodbus' %s, not %s and %s: %s", d.ask, mine, other, d.ours, d.theirs, d.why)
			}
		}
		return fmt.Sprintf("%d, as listed", len(differences))
	})
}
