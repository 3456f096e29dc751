package link

import (
	"testing"
	"time"

	"solarhub/protocol"
)

func TestSoonest(t *testing.T) {
	for _, tt := range []struct {
		s              protocol.Serial
		request, reply int
		want           time.Duration
	}{
		{protocol.DefaultSerial, 8, 205, 215219 * time.Microsecond}, // 213 characters less 3 %
		{protocol.Serial{Baud: 115200, DataBits: 8, Parity: protocol.NoParity, StopBits: 1}, 8, 5, 1095 * time.Microsecond},
	} {
		if got := soonest(tt.s, tt.request, tt.reply).Round(time.Microsecond); got != tt.want {
			t.Errorf("%v, %d and %d characters: %v, want %v", tt.s, tt.request, tt.reply, got, tt.want)
		}
	}
}

func TestPace(t *testing.T) {
	const soonest, soon, fine = 10 * time.Millisecond, 9 * time.Millisecond, 10 * time.Millisecond
	var p pace
	for i, step := range []struct {
		took    time.Duration
		suspect bool
		none    bool
		hasty   bool
	}{
		{fine, false, false, false},
		{fine, true, false, false},
		{soon, true, true, false},  // a copy
		{soon, false, false, true}, // nothing else can have caused it: the line does not keep its time
		{soon, true, false, true},
	} {
		if got := p.tooSoon(step.took, soonest, step.suspect); got != step.none || p.hasty != step.hasty {
			t.Errorf("step %d: none is %v, hasty %v", i, got, p.hasty)
		}
	}
	p = pace{}
	p.inVain()
	if p.hasty {
		t.Error("one reply that came too soon, and a lost one, make a line hasty")
	}
	if p.inVain(); !p.hasty {
		t.Error("replies that come too soon each time, and nothing behind them, do not make a line hasty")
	}
}

func TestPaceKeeps(t *testing.T) {
	var p pace
	for i, took := range []time.Duration{10, 11, 9, 10, 10, 10} {
		if p.keeps() {
			t.Errorf("believed to keep its time before reply %d", i)
		}
		p.believed(took, 10)
	}
	if !p.keeps() {
		t.Error("not believed to keep its time")
	}
}

func TestEchoLearn(t *testing.T) {
	read, write := shape{function: 3, size: 2}, shape{function: 6}
	for _, tt := range []struct {
		name    string
		told    protocol.Echo
		learn   func(e *echo)
		unknown bool
		want    protocol.Echo
	}{
		{"at first", protocol.DetectEcho, func(*echo) {}, true, protocol.DetectEcho},
		{"a single write says nothing", protocol.DetectEcho, func(e *echo) { e.learn(write, true) }, true, protocol.DetectEcho},
		{"a read without", protocol.DetectEcho, func(e *echo) { e.learn(read, false) }, false, protocol.DetectEcho},
		{"a read with", protocol.DetectEcho, func(e *echo) { e.learn(read, true) }, false, protocol.WithEcho},
		{"lost once", protocol.DetectEcho, func(e *echo) { e.learn(read, true); e.learn(read, false) }, false, protocol.WithEcho},
		{"told there is none", protocol.NoEcho, func(e *echo) { e.learn(read, true) }, false, protocol.NoEcho},
		{"told there is one", protocol.WithEcho, func(*echo) {}, false, protocol.WithEcho},
	} {
		e := echo{told: tt.told}
		tt.learn(&e)
		if e.unknown() != tt.unknown || e.mode() != tt.want {
			t.Errorf("%s: unknown is %v, mode %d", tt.name, e.unknown(), e.mode())
		}
	}
}
