package link

import (
	"testing"

	"solarhub/protocol"
)

func TestPackUnpack(t *testing.T) {
	bits := []uint16{1, 0, 1, 1, 0, 0, 0, 0, 1}
	if got := pack(bits, protocol.Coil); len(got) != 2 || got[0] != 0x0d || got[1] != 1 {
		t.Errorf("% x", got)
	}
	for _, r := range []protocol.Range{{Table: protocol.Coil, Addr: 0, Count: 9},
		{Table: protocol.HoldingRegister, Addr: 0, Count: 9}} {
		for i, w := range unpack(pack(bits, r.Table), r) {
			if w != bits[i] {
				t.Errorf("%v: word %d is %d", r, i, w)
			}
		}
	}
}
