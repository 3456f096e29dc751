package devices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

var errSilence = &protocol.LinkError{Op: "receive", Link: "house", Err: protocol.ErrTimeout}

// moody is a device that does not give some registers, or long reads.
type moody struct {
	hole  protocol.Range
	most  uint16 // 0: no limit
	err   error  // what it answers instead
	once  bool   // only the first time
	asked int
}

func (m *moody) ask(_ context.Context, req protocol.Request) (protocol.Response, error) {
	m.asked++
	long := m.most > 0 && req.Range.Count > m.most
	if (long || req.Range.Overlaps(m.hole)) && !(m.once && m.asked > 1) {
		return protocol.Response{}, m.err
	}
	return protocol.Response{Words: make([]uint16, req.Range.Count), Sent: time.Now()}, nil
}

// each makes a point of each register from one address to another.
func each(from, to uint16) (points []profile.Point) {
	for addr := from; addr <= to; addr++ {
		points = append(points, profile.Point{Key: fmt.Sprint(addr), Ranges: []protocol.Range{{Addr: addr, Count: 1}}, Spec: codec.Spec{}})
	}
	return points
}

// What keeps registers from being read in one go: what lies between them, or how many they are.
func TestWhatIsToBlame(t *testing.T) {
	hole := protocol.Range{Addr: 110, Count: 5}
	both := append(each(100, 109), each(115, 124)...)
	ends := append(each(109, 109), each(115, 115)...)
	refusal := func(code byte) error { return protocol.ExceptionError{Function: 3, Code: code} }
	for name, c := range map[string]struct {
		points  []profile.Point
		device  moody
		holes   []protocol.Range
		most    uint16
		refused []string
		err     bool
	}{
		"a hole, exception 2":              {points: both, device: moody{hole: hole, err: refusal(2)}, holes: []protocol.Range{hole}},
		"a hole, exception 3":              {points: both, device: moody{hole: hole, err: refusal(3)}, holes: []protocol.Range{hole}},
		"a hole, silence":                  {points: both, device: moody{hole: hole, err: errSilence}, holes: []protocol.Range{hole}},
		"a hole, silence of a gateway":     {points: both, device: moody{hole: hole, err: refusal(11)}, holes: []protocol.Range{hole}},
		"a hole between two, exception 2":  {points: ends, device: moody{hole: hole, err: refusal(2)}, holes: []protocol.Range{hole}},
		"too long, exception 2":            {points: both, device: moody{most: 15, err: refusal(2)}, most: 15},
		"too long, exception 3":            {points: both, device: moody{most: 15, err: refusal(3)}, most: 15},
		"too long, silence":                {points: both, device: moody{most: 15, err: errSilence}, most: 15},
		"too long without a gap":           {points: each(100, 124), device: moody{most: 15, err: refusal(2)}, most: 15},
		"too long between two":             {points: ends, device: moody{most: 6, err: refusal(2)}, most: 6},
		"too long between two, it is said": {points: ends, device: moody{most: 3, err: refusal(3)}, most: 3},
		"a point that is refused":          {points: each(100, 109), device: moody{hole: protocol.Range{Addr: 104, Count: 1}, err: refusal(2)}, refused: []string{"104"}},
		"a point of silence":               {points: each(100, 109), device: moody{hole: protocol.Range{Addr: 104, Count: 1}, err: errSilence}, refused: []string{"104"}},
		"a bad moment":                     {points: both, device: moody{hole: hole, err: refusal(2), once: true}},
		"a silent moment":                  {points: both, device: moody{hole: hole, err: errSilence, once: true}},
		"no function at all":               {points: each(100, 102), device: moody{most: 1, err: refusal(1)}, refused: []string{"100", "101", "102"}},
		"another error":                    {points: both, device: moody{hole: hole, err: refusal(4)}, err: true},
		"nobody there":                     {points: each(100, 200), device: moody{hole: protocol.Range{Addr: 1, Count: 60000}, err: errSilence}, err: true},
	} {
		l, err := newLayout(c.points, limitsOf(profile.LineSettings{}), protocol.Timing{Turnaround: time.Second})
		if err != nil || len(l.reads) != 1 {
			t.Fatalf("%s: %v, %v", name, l.reads, err)
		}
		f := newFetch(c.device.ask, protocol.Request{Unit: 1}, time.Second, l)
		f.alive = func(context.Context) error { return nil }
		err = f.read(t.Context(), l.reads[0])
		if (err != nil) != c.err || !slices.Equal(f.learnt.holes, c.holes) || f.learnt.most != c.most {
			t.Errorf("%s: learnt %+v, %v", name, f.learnt, err)
		}
		var refused []string
		for i, p := range c.points {
			r, no, complete := f.reading(i)
			if no != nil {
				refused = append(refused, p.Key)
			}
			if !complete && !c.err || no == nil && complete && r.Value.Kind != codec.KindNumber {
				t.Errorf("%s: %s is %+v, complete: %v", name, p.Key, r, complete)
			}
		}
		if !c.err && !slices.Equal(refused, c.refused) {
			t.Errorf("%s: refused %v", name, refused)
		}
	}
}

// Silence is an error of the line unless somebody hunts for its cause, and says nothing if the device is away.
func TestSilenceIsNoRefusal(t *testing.T) {
	l, err := newLayout(each(100, 109), limitsOf(profile.LineSettings{}), protocol.Timing{Turnaround: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, alive := range []func(context.Context) error{nil, func(context.Context) error { return errSilence }} {
		device := moody{hole: protocol.Range{Addr: 104, Count: 1}, err: errSilence}
		f := newFetch(device.ask, protocol.Request{Unit: 1}, time.Second, l)
		f.alive = alive
		if err := f.read(t.Context(), l.reads[0]); err == nil || device.asked != 1 || alive != nil && !errors.Is(err, errAbsent) {
			t.Errorf("asked %d times: %v", device.asked, err)
		}
	}
}

func TestSuspicion(t *testing.T) {
	l, err := newLayout(each(100, 109), limitsOf(profile.LineSettings{}), protocol.Timing{Turnaround: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	read := l.reads[0]
	for name, c := range map[string]struct {
		happens string // at 15 s each: a the device answers another read, r this read, - silence for it
		guilty  bool
	}{
		"again and again":          {"-a-a-a-a-", true},
		"too rarely":               {"-a-a-aaaaaaaa", false},
		"nothing else is answered": {"a---------------", false},
		"away in between":          {"-a-a---a-a", false},
		"it came once":             {"-a-ra-a-a-a-a-a-a-", false},
		"it came long ago":         {"r" + string(slices.Repeat([]byte("a"), 250)) + "-a-a-a-a-", true},
	} {
		s, now := newSilence(), time.Unix(0, 0)
		for _, what := range c.happens {
			now = now.Add(15 * time.Second)
			switch what {
			case 'a':
				s.answered(protocol.Range{Addr: 1, Count: 1}, true, now)
			case 'r':
				s.answered(read.Range, true, now)
			case '-':
				s.silent(read, l, now)
			}
		}
		if guilty := s.guilty(now) != nil; guilty != c.guilty {
			t.Errorf("%s: guilty: %v", name, guilty)
		}
	}
	s, now := newSilence(), time.Unix(0, 0)
	for range silences { // all at once
		s.silent(read, l, now)
		s.alive(now)
	}
	if s.guilty(now.Add(time.Second)) != nil || s.guilty(now.Add(suspectFor)) == nil {
		t.Error("what is suspected counts after a minute, and not before")
	}
}
