package write

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings is a family with neighbours that may leave together, and two groups.
const settings = `
profile: settings
name: Settings
manufacturer: Test
sources: {maker: paper}
line: {join_writes: true, source: maker}
identify: {serial: {at: 0, type: text, length: 5}, source: maker}
defaults: {source: maker}
write_groups:
  pair: {name: Pair, together: [first, last], fill: [100..103], constants: {102: 7}}
  hidden: {name: Hidden, together: [seen, unseen, mirrored]}
points:
  - {key: aa, name: A, at: 10, write: {min: 0, max: 9}, source: maker}
  - {key: bb, name: B, at: 11, write: {min: 0, max: 9}, source: maker}
  - {key: cc, name: C, at: 12, write: {min: 0, max: 9, settle: 1s}, source: maker}
  - {key: dd, name: D, at: 13, write: {min: 0, max: 9}, source: maker}
  - {key: ee, name: E, at: 14, mask: 0x00F0, write: {min: 0, max: 9}, source: maker}
  - {key: locked, name: Locked, at: 9, options: {0: A}, write: {arm: true}}
  - {key: alone, name: Alone, at: 20, write: {min: 0, max: 9}, source: maker}
  - {key: first, name: First, at: 100, mask: 0x00FF, write: {min: 0, max: 9}, source: maker}
  - {key: last, name: Last, at: 103, write: {min: 0, max: 9}, source: maker}
  - {key: seen, name: Seen, at: 200, write: {min: 0, max: 9}, source: maker}
  - {key: unseen, name: Unseen, at: 201, write: {min: 0, max: 9, readback: false}, source: maker}
  - {key: mirrored, name: Mirrored, at: 300, scale: 0.1, write: {at: 202, scale: 1, min: 0, max: 9, step: 1},
     source: maker}
`

// holder is a device whose registers are a map; it answers without a line.
type holder struct {
	t      *testing.T
	points []profile.Point
	words  map[uint16]uint16
	asked  []string
}

func (h *holder) Points() []profile.Point                 { return h.points }
func (h *holder) Known() (id, reason string)              { return "SN1", "" }
func (h *holder) Connection() uint64                      { return 1 }
func (h *holder) Begin(profile.Point)                     {}
func (h *holder) End(context.Context, profile.Point, End) {}

func (h *holder) Fresh(string, time.Duration) (ask.Reading, bool) { return ask.Reading{}, false }

func (h *holder) Hold(ctx context.Context, _ protocol.Request,
	f func(ctx context.Context, x protocol.Exchanger) error) error {
	return f(ctx, h)
}

func (h *holder) Exchange(_ context.Context, req protocol.Request) (protocol.Response, error) {
	if err := req.Check(); err != nil {
		h.t.Errorf("%v: %v", req, err)
	}
	resp := protocol.Response{Sent: time.Now()}
	for i := range req.Range.Count {
		if req.Op == protocol.Read {
			resp.Words = append(resp.Words, h.words[req.Range.Addr+i])
		} else {
			h.words[req.Range.Addr+i] = req.Words[i]
		}
	}
	h.asked = append(h.asked, fmt.Sprint(req.Op == protocol.Read, " ", req.Range, " ", req.Words))
	return resp, nil
}

// writing runs a writer in a bubble of time.
func writing(t *testing.T, f func(ctx context.Context, w *Writer, h *holder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := profile.Load("settings.yaml", []byte(settings))
		if err != nil {
			t.Fatal(err)
		}
		h := &holder{t: t, words: map[uint16]uint16{}}
		if h.points, err = p.Resolve(nil); err != nil {
			t.Fatal(err)
		}
		w := New(Config{Name: "Roof"}, ask.Client{Line: p.Line}, h, h, zerolog.Nop())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = w.Run(ctx) }()
		f(ctx, w, h)
		cancel()
		<-done
	})
}

func TestCompanions(t *testing.T) {
	writing(t, func(_ context.Context, w *Writer, _ *holder) {
		for key, want := range map[string]string{
			"aa": "[bb]", "bb": "[aa]", "cc": "[]", "dd": "[ee]", "ee": "[dd]", "alone": "[]",
			"first": "[last]", "seen": "[unseen mirrored]", "locked": "[]",
		} {
			p, _ := w.find(key)
			if got := fmt.Sprint(w.companions(p)); got != want {
				t.Errorf("%s leaves with %s, want %s", key, got, want)
			}
		}
	})
}

// The wait grows with each that arrives and has an end; when all are there it is over.
func TestHowLongIsGathered(t *testing.T) {
	now := time.Now()
	q := newQueue()
	add := func(key string, after time.Duration, companions ...string) {
		c := &call{set: Set{Key: key}, called: now.Add(after), done: make(chan struct{})}
		if !q.add(companions, c) {
			t.Fatal("closed")
		}
	}
	until := func() time.Duration { return q.gathering(func(*entry) bool { return true }).Sub(now) }
	add("a", 0, "b", "c", "d")
	for i, want := range []time.Duration{30, 55, 80, 100} {
		if got := until(); got != want*time.Millisecond {
			t.Errorf("%d: until %v, want %v ms", i, got, want)
		}
		add(string("bbca"[i]), time.Duration(25*(i+1))*time.Millisecond,
			slices.DeleteFunc([]string{"a", "b", "c", "d"}, func(k string) bool { return k == string("bbca"[i]) })...)
	}
	add("d", 99*time.Millisecond, "a", "b", "c")
	if q.gathering(func(*entry) bool { return true }).After(now) {
		t.Error("all are there, and it waits")
	}
}

// A group is filled: constants, what is read, a part of a register, and the registers of another place.
func TestAGroupIsFilled(t *testing.T) {
	writing(t, func(ctx context.Context, w *Writer, h *holder) {
		h.words[100], h.words[101], h.words[102], h.words[103] = 0xAA05, 0xBEEF, 1, 4
		if _, err := w.Write(ctx, Set{Key: "first", Value: 6.0}); err != nil {
			t.Fatal(err)
		}
		want := "[true holding 100+2 [] true holding 103+1 [] " +
			"false holding 100+4 [43526 48879 7 4] true holding 100+1 []]"
		if got := fmt.Sprint(h.asked); got != want {
			t.Errorf("have %s\nwant %s", got, want)
		}
		h.asked = nil
		h.words[300] = 30
		set := SetGroup{Group: "hidden", Values: map[string]any{"unseen": 2.0, "seen": 1.0}}
		if out, err := w.WriteGroup(ctx, set); err != nil ||
			out["unseen"].Reading.Value.Kind != codec.KindNone {
			t.Fatalf("%+v, %v", out, err)
		}
		want = "[true holding 200+1 [] true holding 300+1 [] false holding 200+3 [1 2 3] true holding 200+1 []]"
		if got := fmt.Sprint(h.asked); got != want {
			t.Errorf("have %s\nwant %s", got, want)
		}
	})
}

// Nobody knows what a register holds that cannot be read, so it cannot be written as it is.
func TestAGroupThatCannotBeFilled(t *testing.T) {
	writing(t, func(ctx context.Context, w *Writer, h *holder) {
		_, err := w.Write(ctx, Set{Key: "seen", Value: 1.0})
		want := "Seen was not written: it is written together with Unseen, and what that holds cannot be read, so " +
			"both must be set together"
		if err == nil || err.Error() != want || len(h.asked) != 0 {
			t.Errorf("%v, asked %v", err, h.asked)
		}
	})
}
