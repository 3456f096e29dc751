package conformance

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// givEnergyWrites are registers that givenergy-modbus writes to; it refuses others.
var givEnergyWrites = []uint16{20, 96, 59, 116, 110, 111, 112, 114, 94, 95, 31, 32}

func TestGivEnergy(t *testing.T) {
	pair(t, "givenergy-modbus", "our simulator", "GivEnergy dongle", func(t *testing.T) string {
		m := newMemory(0x11)
		line := sim.NewLine(sim.Options{}, m.simulated())
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		framing := sim.GivEnergy(sim.Dongle{Serial: "WD00000001", Inverter: "SA00000001"})
		served(t, func(ctx context.Context) error { return line.Serve(ctx, ln, framing) })
		p := python(t, "testdata/givenergy_client.py", fmt.Sprint(ln.Addr().(*net.TCPAddr).Port), fmt.Sprint(m.unit))
		p.hear("ready")
		done := exercise(t, m, 300, p.ask, func(req protocol.Request) bool {
			return req.Range.Table.Bits() || req.Range.Count > 60 || req.Op == protocol.WriteMultiple ||
				req.Op == protocol.WriteSingle && !slices.Contains(givEnergyWrites, req.Range.Addr) ||
				req.Range.Count == 13 // the length of such a reply is a comma, which it takes for a text of the dongle
		})
		for _, addr := range givEnergyWrites {
			for _, req := range []protocol.Request{m.write(protocol.HoldingRegister, int(addr), 0),
				m.read(protocol.HoldingRegister, int(addr), 1)} {
				words, err := p.ask(req)
				if want, refusal := m.carryOut(req); err != nil || refusal != nil || !slices.Equal(words, want) {
					t.Fatalf("%v: %v, %v; want %v, %v", req, words, err, want, refusal)
				}
			}
		}
		return done
	})
}

func TestGoodWe(t *testing.T) {
	pair(t, "goodwe", "our simulator", "GoodWe UDP", func(t *testing.T) string {
		m := newMemory(0xF7)
		line := sim.NewLine(sim.Options{}, m.simulated())
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served(t, func(ctx context.Context) error { return line.ServeUDP(ctx, pc, sim.GoodWe) })
		p := python(t, "testdata/goodwe_client.py", fmt.Sprint(pc.LocalAddr().(*net.UDPAddr).Port), fmt.Sprint(m.unit))
		p.hear("ready")
		return exercise(t, m, 300, p.ask, func(req protocol.Request) bool {
			// It expects a large value to be confirmed as one below 0.
			signed := req.Op == protocol.WriteSingle && req.Words[0] > 1<<15-1
			return req.Range.Table != protocol.HoldingRegister || signed
		})
	})
}

// served runs a server until the test ends.
func served(t *testing.T, serve func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := serve(ctx); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
}
