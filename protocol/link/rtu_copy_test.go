package link

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"solarhub/protocol"
)

// numbering is a device whose registers all hold the number of the request that reads them, so that a reply tells which request it
// answers. It queues requests, and loses, delays, refuses and repeats by chance.
type numbering struct {
	rand    *rand.Rand
	serial  *protocol.Serial // it keeps the time of this line; nil: it answers at once
	applied map[int]bool
}

func (d *numbering) script(n int, adu []byte) []part {
	chance := d.rand.IntN(100)
	if chance < 3 {
		return nil
	}
	reply := rtu(adu[:6]...)
	switch {
	case chance < 6:
		reply = rtu(adu[0], adu[1]|0x80, 6)
	case adu[1] < 5:
		count := binary.BigEndian.Uint16(adu[4:])
		b := []byte{adu[0], adu[1], byte(2 * count)}
		for range count {
			b = binary.BigEndian.AppendUint16(b, uint16(n))
		}
		reply = rtu(b...)
	default:
		d.applied[n] = true
	}
	wait := time.Duration(d.rand.IntN(40)) * time.Millisecond
	if chance < 10 {
		wait = time.Duration(d.rand.IntN(2500)) * time.Millisecond
	}
	again := time.Duration(d.rand.IntN(5)) * time.Millisecond
	if d.serial != nil {
		wait += d.serial.Chars(len(adu)+len(reply)) + d.serial.Silence()
		again = d.serial.Silence() + d.serial.Chars(len(reply))
	}
	parts := after(wait, reply)
	for d.rand.IntN(10) == 0 {
		parts = append(parts, part{again, reply})
	}
	return parts
}

// Whatever comes twice, late or not at all: no reply is taken for that to another request, and no write is taken for confirmed that was not
// carried out.
func TestRTUCopiesNeverWrong(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	fast := protocol.Serial{Baud: 115200, DataBits: 8, Parity: protocol.NoParity, StopBits: 1}
	for _, line := range []struct {
		name   string
		serial protocol.Serial
		port   bool
		keeps  bool // the time of its baud
	}{
		{"port", protocol.DefaultSerial, true, true}, {"fast port", fast, true, true}, {"network", protocol.DefaultSerial, false, true},
		{"hasty port", protocol.DefaultSerial, true, false}, {"hasty network", protocol.DefaultSerial, false, false},
	} {
		t.Run(line.name, func(t *testing.T) {
			for round := range uint64(10) {
				d := numbering{rand: rand.New(rand.NewPCG(seed, 2*round)), applied: make(map[int]bool)}
				ask := rand.New(rand.NewPCG(seed, 2*round+1))
				if line.keeps {
					d.serial = &line.serial
				}
				onPipe(t, d.script, func(t *testing.T, l *RTULink, p *peer) {
					l.cfg.Serial, l.cfg.Gap, l.port = line.serial, line.serial.Silence(), true // one line all the time
					if !line.port {
						l.condition.latencyTimer.Store(&line.name) // what comes may have been held back
					}
					good := 0
					for range 400 {
						req := copyRequest(ask)
						before := len(p.requests())
						if _, err := l.Open(t.Context()); err != nil {
							t.Fatal(err)
						}
						resp, err := l.Exchange(t.Context(), req)
						sent := p.requests()[before:]
						n := before + len(sent) - 1
						writes := 0
						for _, adu := range sent {
							if adu[1] > 4 {
								writes++
							}
						}
						if writes > 1 {
							t.Fatalf("%v was sent %d times", req, writes)
						}
						refusal, refused := errors.AsType[protocol.ExceptionError](err)
						switch {
						case refused && refusal.Code == 6 && d.applied[n]:
							t.Fatalf("%v is taken for refused, and was carried out", req)
						case err != nil && !refused && !errors.Is(err, protocol.ErrTimeout):
							t.Fatal(err)
						case err != nil:
							continue
						case req.Op != protocol.Read && !d.applied[n]:
							t.Fatalf("%v is taken for carried out", req)
						case req.Op == protocol.Read && int(resp.Words[0]) != n:
							t.Fatalf("%v: the reply to request %d, not %d", req, resp.Words[0], n)
						}
						good++
						if ask.IntN(3) == 0 {
							time.Sleep(time.Duration(ask.IntN(200)) * time.Millisecond)
						}
					}
					if good < 250 {
						t.Errorf("only %d of 400 were answered", good)
					}
				})
			}
		})
	}
}

// Two equal writes in a row are both confirmed, by a reply each.
func TestRTUEqualWrites(t *testing.T) {
	onQuirkyPipe(t, protocol.Quirks{Echo: protocol.NoEcho}, soundly, func(t *testing.T, l *RTULink, p *peer) {
		var last time.Time
		for range 3 {
			resp, err := l.Exchange(t.Context(), writeOf(1, 2))
			if err != nil {
				t.Fatal(err)
			}
			if quiet := resp.Sent.Sub(last); quiet < copyWithin {
				t.Errorf("sent %v behind a reply that looks like its own", quiet)
			}
			last = resp.Done
		}
		if n := len(p.requests()); n != 3 {
			t.Errorf("%d requests", n)
		}
	})
}

// copyRequest draws requests whose replies often look alike.
func copyRequest(ask *rand.Rand) protocol.Request {
	addr := uint16(100 * ask.IntN(3))
	switch ask.IntN(8) {
	case 0:
		return writeOf(addr, uint16(ask.IntN(2)))
	case 1:
		return protocol.Request{Unit: 1, Op: protocol.WriteMultiple, Range: protocol.Range{Addr: addr, Count: 2}, Words: []uint16{uint16(ask.IntN(2)), 0}}
	case 2:
		return readOf(addr, 1)
	}
	return readOf(addr, 10)
}
