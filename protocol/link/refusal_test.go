package link

import (
	"errors"
	"testing"
	"time"

	"solarhub/protocol"
)

// Refusals by one function are equal to the last byte, and each is the answer to its own request: none costs a second
// request or the timeout, however soon they follow one another.
func TestRTURefusals(t *testing.T) {
	refuse := func(_ int, adu []byte) []part { return after(turnaround, refusal(adu)) }
	onPipe(t, refuse, func(t *testing.T, l *RTULink, p *peer) {
		for i := range uint16(6) {
			begun := time.Now()
			_, err := l.Exchange(t.Context(), readOf(100*i, 1+i/2))
			if no, refused := errors.AsType[protocol.ExceptionError](err); !refused || no.Code != 2 {
				t.Errorf("read %d: %v", i, err)
			}
			if took, n := time.Since(begun), len(p.requests()); took > 200*time.Millisecond || n != int(i)+1 {
				t.Errorf("read %d took %v; %d requests", i, took, n)
			}
		}
	})
}

// A device of another family refuses all input registers: each refusal is told as one, also between replies that are no
// refusals.
func TestRTUWrongFamily(t *testing.T) {
	script := func(_ int, adu []byte) []part {
		if adu[1] == 4 {
			return after(turnaround, refusal(adu))
		}
		return after(turnaround, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		tables := []protocol.Table{protocol.HoldingRegister, protocol.InputRegister, protocol.InputRegister}
		for i := range uint16(9) {
			table := tables[i%3]
			req := protocol.Request{Unit: 1, Range: protocol.Range{Table: table, Addr: 10 * i, Count: 4}}
			_, err := l.Exchange(t.Context(), req)
			if _, refused := errors.AsType[protocol.ExceptionError](err); refused != (table == protocol.InputRegister) {
				t.Errorf("%v: %v", req, err)
			}
		}
		if n := len(p.requests()); n != 9 {
			t.Errorf("%d requests for 9 reads", n)
		}
	})
}
