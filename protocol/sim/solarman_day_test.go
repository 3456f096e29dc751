package sim_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

const logger = 2700000001

// A stick on a bad day, with every kind of fault and with all that sticks send beside: no value is taken for another.
func TestStickOnABadDay(t *testing.T) {
	for busy, word := range map[sim.Busy]string{sim.Queues: "queues", sim.Loses: "loses"} {
		for _, silent := range []time.Duration{0, 300 * time.Millisecond, 2030 * time.Millisecond} {
			t.Run(fmt.Sprint(word, " ", silent), func(t *testing.T) {
				stick := sim.Stick{Serial: logger, Banner: true, Odd: 0.1, Seed: 3, Silent: silent}
				got := live(t, sim.Solarman(stick), busy, 20)
				if slices.Min(got.happened) == 0 {
					t.Errorf("of %v happened %v", sim.Kinds(), got.happened)
				}
				if got.good < 1400 || len(got.wrong) > 0 {
					t.Errorf("%d of 2000 reads are good; wrong are:\n%s", got.good, strings.Join(got.wrong, "\n"))
				}
			})
		}
	}
}

// stickOver runs test with a stick in front of unit 1, whose registers hold their address plus 1000, and with a link to
// it for each serial number.
func stickOver(t *testing.T, stick sim.Stick, serials []uint32, test func(t *testing.T, line *sim.Line,
	links []*link.TCPLink)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		unit := sim.NewUnit(1)
		for a := range uint16(300) {
			unit.Set(protocol.HoldingRegister, a, 1000+a)
		}
		line, framing := sim.NewLine(sim.Options{Turnaround: 20 * time.Millisecond}, unit), sim.Solarman(stick)
		var serving sync.WaitGroup
		dial := func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			serving.Go(func() { _ = line.ServeConn(context.Background(), there, framing) }) // until here is closed
			return here, nil
		}
		var links []*link.TCPLink
		for _, serial := range serials {
			l := link.NewSolarman(link.SolarmanConfig{Serial: serial, Dial: dial})
			if _, err := l.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			links = append(links, l)
		}
		test(t, line, links)
		for _, l := range links {
			l.Close()
		}
		serving.Wait()
	})
}

func ask(l *link.TCPLink, unit protocol.UnitID, addr uint16) ([]uint16, error) {
	resp, err := l.Exchange(context.Background(),
		protocol.Request{Unit: unit, Range: protocol.Range{Addr: addr, Count: 1}})
	return resp.Words, err
}

// What a stick says by itself: that its inverter is silent, and its serial number to who has a wrong one.
func TestStickSpeaksForItself(t *testing.T) {
	stick := sim.Stick{Serial: logger, Silent: 2030 * time.Millisecond}
	stickOver(t, stick, []uint32{logger, 0, 5}, func(t *testing.T, line *sim.Line, links []*link.TCPLink) {
		began := time.Now()
		_, err := ask(links[0], 2, 7)
		took := time.Since(began)
		if !errors.Is(err, protocol.ErrTimeout) || took < stick.Silent || took > 3*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		if words, err := ask(links[1], 1, 7); err != nil || words[0] != 1007 {
			t.Errorf("without a serial number: %v, %v", words, err)
		}
		if _, err := ask(links[2], 1, 7); err == nil || !strings.Contains(err.Error(), "is 2700000001, not 5") {
			t.Error(err)
		}
		line.Off()
		if _, err := ask(links[0], 1, 7); err == nil || !strings.Contains(err.Error(), "from the inverter") {
			t.Error(err)
		}
	})
}

// Each client hears the answers to the other one, takes none of them for its own and counts them.
func TestStickAnswersAll(t *testing.T) {
	unit := sim.NewUnit(1)
	for a := range uint16(300) {
		unit.Set(protocol.HoldingRegister, a, 1000+a)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = sim.NewLine(sim.Options{}, unit).Serve(ctx, ln, sim.Solarman(sim.Stick{Serial: logger})) })
	defer serving.Wait()
	defer cancel()
	var links [2]*link.TCPLink
	for i := range links {
		links[i] = link.NewSolarman(link.SolarmanConfig{Address: ln.Addr().String(), Serial: logger})
		if _, err := links[i].Open(ctx); err != nil {
			t.Fatal(err)
		}
		defer links[i].Close()
	}
	for i := range uint16(20) {
		if words, err := ask(links[i%2], 1, i); err != nil || words[0] != 1000+i {
			t.Fatal(words, err)
		}
	}
	for _, l := range links {
		if f := l.Frames(); f.Foreign < 8 || f.Noise+f.Damaged+f.Late > 0 {
			t.Errorf("%+v", f)
		}
	}
}

// A stick that speaks Modbus TCP refuses the frames of a stick as such do, and never takes one for a request.
func TestStickPlain(t *testing.T) {
	stick := sim.Stick{Serial: logger, Plain: true}
	stickOver(t, stick, []uint32{logger}, func(t *testing.T, line *sim.Line, links []*link.TCPLink) {
		if words, err := ask(links[0], 1, 7); err != nil || words[0] != 1007 || !links[0].Condition().Plain {
			t.Error(words, err)
		}
		if c := line.Journal().Counts(); c.Noise > 0 || line.Journal().Last() != 1 {
			t.Errorf("%+v", c)
		}
	})
}

// The bytes of an exchange that was logged, but for the stick's clock: jmccrohan/pysolarmanv5 #19.
func TestStickFrames(t *testing.T) {
	unhex := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
	request := unhex("a517001045970001bbeea0020000000000000000000000000000010300aa0001a42acc15")
	answer := unhex("a51500101597")
	unit := sim.NewUnit(1)
	unit.Set(protocol.HoldingRegister, 0xAA, 266)
	here, there := net.Pipe()
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = sim.NewLine(sim.Options{}, unit).ServeConn(t.Context(), there, sim.Solarman(sim.Stick{Serial: logger}))
	})
	defer serving.Wait()
	defer here.Close()
	got := make([]byte, 512)
	for _, part := range [][]byte{[]byte("noise \xA5"), request[:7], request[7:]} {
		if _, err := here.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	n, err := here.Read(got)
	if got = got[:n]; err != nil || n != 34 || !bytes.HasPrefix(got, answer) ||
		!bytes.Contains(got, unhex("01bbeea00201b6a60f001b27000053760763010302010a39d3")) {
		t.Errorf("% x, %v", got, err)
	}
}
