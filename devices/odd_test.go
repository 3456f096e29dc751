package devices

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// asks returns whether a request is for a register.
func asks(adu []byte, register uint16) bool {
	at, count := binary.BigEndian.Uint16(adu[8:]), binary.BigEndian.Uint16(adu[10:])
	return at <= register && register < at+max(count, 1)
}

// A refusal that is no frame of the standard takes nothing with it: the others come at each poll, the connection stays,
// a neighbour at the same gateway does not notice, and the refused register is left alone for a while.
func TestOddRefusals(t *testing.T) {
	for name, refuse := range map[string][]byte{
		"length one too many":         {0, 4, 1, 0x83, 2},
		"padded to the request":       {0, 6, 1, 0x83, 2, 0, 1, 0},
		"padded to the request, code": {0, 6, 1, 0x83, 4, 0, 1, 0},
		"code 0":                      {0, 3, 1, 0x83, 0},
		"code 1":                      {0, 3, 1, 0x83, 1},
		"code 9":                      {0, 3, 1, 0x83, 9},
		"code 255":                    {0, 3, 1, 0x83, 255},
	} {
		o := &odd{reply: func(_ int, adu, sound []byte) []byte {
			if adu[6] == 1 && asks(adu, 1000) {
				return append([]byte{adu[0], adu[1], 0, 0}, refuse...)
			}
			return sound
		}}
		o.run(t, oddBlock(t, "holding", 5000, 1), func() {
			time.Sleep(3 * time.Minute)
			_, sink := o.last()
			polls := len(sink.of("cc"))
			opened, _, _ := o.seen()
			if b := sink.last("bb"); polls < 85 || b.Key == "" || b.Value.Kind != codec.KindNone || opened != 1 {
				t.Errorf("%s: c came %d times, b is %+v, %d connections", name, polls, b, opened)
			}
			for i := range o.devices {
				if away, unknown := o.lost(i, "bb"); away > 0 || unknown > 0 {
					t.Errorf("%s: device %d was unavailable %d times, %d values unknown", name, i, away, unknown)
				}
			}
			if n := o.count("3 1000+1"); n > 90+30 {
				t.Errorf("%s: the refused register was asked %d times", name, n)
			}
			if s := o.bus.Stats(); s.Timeouts > 0 {
				t.Errorf("%s: %d timeouts", name, s.Timeouts)
			}
		}, 2)
	}
}

// One register of a block is refused, or the block is too long, with whatever code: all others have their values.
func TestOneRegisterOfABlock(t *testing.T) {
	for _, code := range []byte{0, 1, 2, 3, 4, 6, 8, 10, 255} {
		for name, refused := range map[string]func(adu []byte) bool{
			"one register": func(adu []byte) bool { return asks(adu, 120) },
			"too long":     func(adu []byte) bool { return binary.BigEndian.Uint16(adu[10:]) > 30 },
		} {
			o := &odd{reply: func(_ int, adu, sound []byte) []byte {
				if adu[7] == 4 && refused(adu) {
					return mbap(adu, 0x84, code)
				}
				return sound
			}}
			o.run(t, oddBlock(t, "input", 100, 48), func() {
				time.Sleep(4 * time.Minute)
				device, sink := o.last()
				missing := 0
				for i := range 48 {
					if v := sink.last(fmt.Sprint("r", i)).Value; v.Kind == codec.KindNone {
						missing++
					}
				}
				if want := map[string]int{"one register": 1}[name]; missing != want {
					t.Errorf("code %d, %s: %d values are missing, refused %v", code, name, missing, device.Refused())
				}
				learned := device.Learned()
				most, least := learned.Longest.Registers, uint16(30)
				if code == 10 { // each try may cost a timeout
					least = 24
				}
				if long := name == "too long"; long && (most < least || most > 30) || !long && most != 0 {
					t.Errorf("code %d, %s: learned %+v", code, name, learned)
				}
				_, before, _ := o.seen()
				time.Sleep(time.Minute)
				if _, asked, _ := o.seen(); asked-before > 30*6 {
					t.Errorf("code %d, %s: %d requests in a minute", code, name, asked-before)
				}
			})
		}
	}
}

// 191 entities; whatever goes wrong with the replies, none is unavailable, and at most 2 % of the polls are late.
func TestNothingIsLost(t *testing.T) {
	rubbish := make([]byte, 512)
	for i := range rubbish {
		rubbish[i] = byte(i * 7)
	}
	for name, o := range map[string]*odd{
		"one bad frame in seven": {reply: func(n int, adu, sound []byte) []byte {
			if n%7 != 6 {
				return sound
			}
			return [][]byte{
				{adu[0], adu[1], 0, 0, 0, 4, 0xC0, 0x60, 0x60, 0},
				{adu[0], adu[1], 0, 0, 0, 8, 0xC0, 0x30, 0x30, 0, 0, 0, 0, 0},
				{adu[0], adu[1], 0, 0, 0, 4, 0x1B, 2, 0xFF, 0xE2},
			}[n/7%3]
		}},
		"closes after each reply": {closes: true},
		"rubbish behind each reply": {reply: func(_ int, _, sound []byte) []byte {
			return append(sound, rubbish...)
		}},
		"length fields that are wrong": {reply: func(n int, adu, sound []byte) []byte {
			sound[5] = []byte{6, sound[5] + 1, sound[5] - 1, 0}[n%4]
			return append(sound, rubbish[:n%3]...)
		}},
	} {
		o.run(t, oddBlock(t, "holding", 4000, 187), func() {
			time.Sleep(10 * time.Second)
			device, sink := o.last()
			if n := len(device.Entities()); n != 191 {
				t.Errorf("%d entities", n)
			}
			sink.forget()
			begun, _, _ := o.seen()
			time.Sleep(10 * time.Minute)
			if away, unknown := o.lost(0); away > 0 || unknown > 0 {
				t.Errorf("%s: unavailable %d times, %d values unknown", name, away, unknown)
			}
			_, err := device.Write(o.ctx, Set{Key: "nn", Value: 77.0, Deadline: time.Now().Add(10 * time.Second)})
			opened, _, holds := o.seen()
			if err != nil || holds != 77 {
				t.Errorf("%s: a write: %v, the device holds %v", name, err, holds)
			}
			if !o.closes && opened > begun {
				t.Errorf("%s: %d connections", name, opened-begun)
			}
			late := 0
			for _, key := range []string{"aa", "bb", "cc", "r0", "r100", "r186"} {
				all := sink.at(key)
				for i := range all[min(1, len(all)):] {
					if all[i+1].Sub(all[i]) > 2500*time.Millisecond {
						late++
					}
				}
				if len(all) < 290 {
					t.Errorf("%s: %s came %d times in ten minutes", name, key, len(all))
				}
			}
			if late > 6*300/50 {
				t.Errorf("%s: %d polls were late", name, late)
			}
		})
	}
}

// at returns when the values of a point were read.
func (r *recorder) at(key string) (all []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.readings {
		if one.Key == key {
			all = append(all, one.ReadAt)
		}
	}
	return all
}

// A server that closes behind each reply is found out at once; writes go through, and the slow class is not read anew.
func TestClosesAfterEachReply(t *testing.T) {
	p, err := profile.Load("odd.yaml", []byte(oddProfile))
	if err != nil {
		t.Fatal(err)
	}
	o := &odd{closes: true}
	o.run(t, p, func() {
		device, sink := o.last()
		time.Sleep(5 * time.Second)
		if !device.Status().Online || len(sink.of("cc")) == 0 || !o.bus.Stats().Link.Closes {
			t.Errorf("%+v, c %v, %+v", device.Status(), sink.of("cc"), o.bus.Stats().Link)
		}
		for i := range 20 {
			value := float64(100 + i)
			begun := time.Now()
			_, err := device.Write(o.ctx, Set{Key: "nn", Value: value, Deadline: begun.Add(10 * time.Second)})
			_, _, holds := o.seen()
			if took := time.Since(begun); err != nil || took > time.Second || holds != value {
				t.Errorf("%v after %v", err, took)
			}
			time.Sleep(3 * time.Second)
		}
		if n := o.count("3 3000+1"); n > 60 {
			t.Errorf("the setting was read %d times", n)
		}
		if n := o.count("3 0+5"); n > 4 {
			t.Errorf("identified %d times", n)
		}
		time.Sleep(10 * time.Minute)
		if n := o.count("3 0+5"); n < 3 || n > 8 {
			t.Errorf("identified %d times in ten minutes", n)
		}
	})
}

// The device behind a closing server is looked at again every few minutes, and where it is another one nothing of it is
// believed from then on.
func TestAnotherDeviceBehindAClosingServer(t *testing.T) {
	p, err := profile.Load("odd.yaml", []byte(oddProfile))
	if err != nil {
		t.Fatal(err)
	}
	o := &odd{closes: true}
	o.run(t, p, func() {
		time.Sleep(time.Minute)
		o.mu.Lock()
		o.words[4] = 0x3032
		o.mu.Unlock()
		time.Sleep(6 * time.Minute)
		device, sink := o.last()
		if s := device.Status(); s.Online || device.ID() != "TEST000001" {
			t.Errorf("%+v", s)
		}
		sink.forget()
		time.Sleep(time.Minute)
		if n := len(sink.of("aa")); n > 0 {
			t.Errorf("%d values of another device", n)
		}
	})
}

// A register about which the other end hangs up takes no other with it.
func TestHangsUpAboutARegister(t *testing.T) {
	o := &odd{}
	o.reply = func(_ int, adu, sound []byte) []byte {
		if adu[6] == 1 && asks(adu, 1000) {
			o.closes = true
			return nil
		}
		o.closes = false
		return sound
	}
	o.run(t, oddBlock(t, "holding", 5000, 1), func() {
		time.Sleep(5 * time.Minute)
		for i, sink := range o.sinks {
			if away, unknown := o.lost(i, "bb"); away > 0 || unknown > 0 || len(sink.of("cc")) < 140 {
				t.Errorf("device %d was unavailable %d times, %d values unknown, c came %d times", i, away, unknown,
					len(sink.of("cc")))
			}
		}
		before, _, _ := o.seen()
		time.Sleep(10 * time.Minute)
		if opened, _, _ := o.seen(); opened-before > 5 {
			t.Errorf("%d connections in ten minutes", opened-before)
		}
	}, 2)
}

// What a family forbids is never asked: not before it is known what answers, not in a search, and not by a write.
func TestForbiddenIsNeverAsked(t *testing.T) {
	family := strings.Replace(oddProfile, "max_registers: 125,", "max_registers: 125, never: [input 110..119],", 1)
	family = strings.Replace(family, "length: 5}, source", "length: 5}, never: [holding 900..3100], source", 1)
	for i := range 30 {
		if at := 100 + i; at < 110 || at > 119 {
			family += fmt.Sprintf("  - {key: r%d, name: R %d, at: input %d, type: u16, every: now, show: true, "+
				"source: x}\n", i, i, at)
		}
	}
	p, err := profile.Load("odd.yaml", []byte(family))
	if err != nil {
		t.Fatal(err)
	}
	identified := false
	o := &odd{}
	o.reply = func(n int, adu, sound []byte) []byte {
		for at := uint16(110); adu[7] == 4 && at < 120; at++ {
			if asks(adu, at) {
				t.Errorf("input %d was asked", at)
			}
		}
		if !identified && binary.BigEndian.Uint16(adu[8:]) >= 900 {
			t.Errorf("% x was asked of who knows what", adu)
		}
		if adu[7] == 4 && asks(adu, 105) {
			return mbap(adu, 0x84, 4)
		}
		if n < 5 {
			return mbap(adu, adu[7]|0x80, 6)
		}
		identified = true
		return sound
	}
	o.run(t, p, func() {
		time.Sleep(3 * time.Minute)
		device, sink := o.last()
		if len(sink.of("bb")) == 0 || len(sink.of("r29")) == 0 || device.Refused()[0] != "r5" {
			t.Errorf("bb %v, r29 %v, refused %v", len(sink.of("bb")), len(sink.of("r29")), device.Refused())
		}
		_, before, _ := o.seen()
		_, err := device.client.Bus.Do(o.ctx, protocol.Request{Unit: 1, Op: protocol.Read,
			Range: protocol.Range{Table: protocol.InputRegister, Addr: 100, Count: 20}})
		_, asked, _ := o.seen()
		if _, ok := errors.AsType[protocol.ForbiddenError](err); !ok || asked > before+1 {
			t.Error(err)
		}
	})
}
