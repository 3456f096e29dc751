package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

func TestAValueThatDoesNotStay(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("charge_end_soc", "50")
	h.unit.Behave(protocol.Range{Addr: chargeEnd, Count: 1}, sim.RevertAfter(150*time.Millisecond))
	if err := h.host().SetValue(h.ctx, id("charge_end_soc"), 60.0); err != nil {
		t.Fatal(err)
	}
	var e ledger.Entry
	h.poll("the ledger knows", func() bool {
		h.inHub(func(s *state) { e = s.ledger.Last(ledger.Size)[0] })
		return e.Reverted != nil
	})
	if e.Outcome != ledger.Written || e.Found != "60" || e.Reverted.Found != "50" {
		t.Errorf("entry %+v %+v", e, e.Reverted)
	}
}

func TestWhoIsToldThatAValueDoesNotStay(t *testing.T) {
	now := time.Now()
	s, u := still(t, memory{})
	var told []host.Notice
	var logged strings.Builder
	s.notify = func(n host.Notice) { told = append(told, n) }
	s.log = zerolog.New(&logged)
	s.describe(now)
	revert := func(key string, wanted, found codec.Value) {
		s.reverted(u.device, devices.Reverted{Key: key, Wanted: devices.Reading{Value: wanted}, Confirmed: now,
			Found: devices.Reading{Value: found, ReadAt: now.Add(41500 * time.Millisecond)}})
	}
	set := func(key string, outcome string) {
		n := s.ledger.Begin(host.Call{ID: id(key), Action: host.ActionSet}, now)
		s.ledger.End(n, outcome, "", "", now)
	}
	set("charge_start_time_1_text", ledger.Written) // the twin was set, so it is named
	set("charge_start_time_1", ledger.Unchanged)
	s.ledger.Flush(map[string][]byte{})
	revert("charge_start_time_1", codec.TimeOf(62), codec.TimeOf(63))
	if e := s.ledger.Last(ledger.Size)[0]; e.Reverted == nil || *e.Reverted != (ledger.Reversal{Found: "01:03", Seconds: 41.5}) {
		t.Errorf("entry %+v", e)
	}
	revert("charge_end_soc", codec.Number(60), codec.Number(50)) // not in the ledger any more
	want := []host.Notice{
		{Kind: host.NoticeReverted, ID: id("charge_start_time_1_text"), Wanted: "01:02", Found: "01:03", Seconds: 41.5},
		{Kind: host.NoticeReverted, ID: id("charge_end_soc"), Wanted: 60.0, Found: 50.0, Seconds: 41.5},
	}
	if len(told) != 2 || told[0] != want[0] || told[1] != want[1] {
		t.Errorf("told %+v", told)
	}
	if n := strings.Count(logged.String(), `"level":"warn"`); n != 2 {
		t.Errorf("logged %s", logged.String())
	}
}

func TestLessonsOfOldRecords(t *testing.T) {
	const place = "tcp h#1"
	hole := protocol.Range{Addr: 7, Count: 2}
	m, err := recall(fakeKeeper{records: map[string][]byte{
		knownPrefix + place: []byte(`{"profile":"p","identity":{"Serial":"S"},"holes":[{"Table":0,"Addr":7,"Count":2}]}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if l := m.known[place].learnt(); len(l.Holes) != 1 || l.Holes[0].Range != hole || !l.Holes[0].At.IsZero() {
		t.Errorf("lessons %+v", l)
	}
	now := time.Now().Truncate(0)
	kept := known{Profile: "p", Learnt: devices.Lessons{Holes: []devices.Hole{{Range: hole, At: now}}, Most: 48, MostAt: now}}
	m, err = recall(fakeKeeper{records: map[string][]byte{knownPrefix + place: encode(kept)}})
	if l := m.known[place].learnt(); err != nil || len(l.Holes) != 1 || !l.Holes[0].At.Equal(now) || l.Most != 48 || !l.MostAt.Equal(now) {
		t.Errorf("lessons %+v, %v", l, err)
	}
}
