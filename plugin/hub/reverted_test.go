package hub

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol/codec"
)

func TestWhoIsToldThatAValueDoesNotStay(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{})
	var told []host.Notice
	var logged strings.Builder
	s.hub.asks.Notify = func(n host.Notice) { told = append(told, n) }
	s.hub.log = zerolog.New(&logged)
	s.describe(now)
	revert := func(key string, wanted, found codec.Value) {
		s.reverted(u, devices.Changed{Key: key, Wanted: wanted, Ended: now,
			Found: devices.Reading{Value: found, ReadAt: now.Add(41500 * time.Millisecond)}})
	}
	set := func(key string, outcome string) {
		n := s.ledger.Begin(host.Call{ID: id(key), Action: host.ActionSet}, now)
		s.ledger.End(n, outcome, "", "", now)
	}
	set("charge_window_1_start_text", ledger.Written) // the twin was set, so it is named
	set("charge_window_1_start", ledger.Unchanged)
	s.ledger.Flush(map[string][]byte{})
	revert("charge_window_1_start", codec.TimeOf(62), codec.TimeOf(63))
	if e := s.ledger.Last(ledger.Size)[0]; e.Reverted == nil ||
		*e.Reverted != (ledger.Reversal{Found: "01:03", Seconds: 41.5}) {
		t.Errorf("entry %+v", e)
	}
	revert("battery_grid_charge_soc", codec.Number(60), codec.Number(50)) // not in the ledger any more
	want := []host.Notice{
		{Kind: host.NoticeReverted, ID: id("charge_window_1_start_text"), Wanted: "01:02", Found: "01:03",
			Seconds: 41.5},
		{Kind: host.NoticeReverted, ID: id("battery_grid_charge_soc"), Wanted: 60.0, Found: 50.0, Seconds: 41.5},
	}
	if len(told) != 2 || told[0] != want[0] || told[1] != want[1] {
		t.Errorf("told %+v", told)
	}
	if n := strings.Count(logged.String(), `"level":"warn"`); n != 2 {
		t.Errorf("logged %s", logged.String())
	}
}
