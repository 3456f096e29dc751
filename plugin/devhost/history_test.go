package devhost

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestHistoryTellsHowPowersWere(t *testing.T) {
	h, open := listen(t, Options{})
	c := open("token")
	began := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	show := func(id, class, state string, after time.Duration) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remember(State{EntityID: id, State: state, Attributes: map[string]any{"device_class": class}, LastUpdated: began.Add(after)})
	}
	for i, state := range []string{"10", "10", "20", Unavailable, "30"} {
		show("sensor.power", "power", state, time.Duration(i)*time.Minute)
		show("sensor.voltage", "voltage", state, time.Duration(i)*time.Minute)
	}
	ask := func(start, end time.Duration) string {
		return c.ok("history/history_during_period", object{"start_time": began.Add(start).Format(time.RFC3339), "end_time": began.Add(end).Format(time.RFC3339),
			"entity_ids": []string{"sensor.power", "sensor.voltage", "sensor.none"}, "no_attributes": true, "minimal_response": true})
	}
	at := func(after time.Duration) string { n, _ := json.Marshal(seconds(began.Add(after))); return string(n) }
	for _, test := range []struct {
		start, end time.Duration
		want       string
	}{
		{-time.Minute, time.Hour, fmt.Sprintf(`{"sensor.power":[{"lu":%s,"s":"10"},{"lu":%s,"s":"20"},{"lu":%s,"s":"unavailable"},{"lu":%s,"s":"30"}]}`,
			at(0), at(2*time.Minute), at(3*time.Minute), at(4*time.Minute))},
		{150 * time.Second, 200 * time.Second, fmt.Sprintf(`{"sensor.power":[{"lu":%s,"s":"20"},{"lu":%s,"s":"unavailable"}]}`, at(150*time.Second), at(3*time.Minute))},
		{-time.Hour, -time.Minute, `{}`},
	} {
		if got := ask(test.start, test.end); got != test.want {
			t.Errorf("from %s to %s:\n%s, want\n%s", test.start, test.end, got, test.want)
		}
	}
	c.refused("invalid_start_time", "history/history_during_period", object{"start_time": "noon", "entity_ids": []string{"sensor.power"}})

	for i := range 10 * historyMost {
		show("sensor.power", "power", fmt.Sprint(i), time.Hour+time.Duration(i)*time.Second)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.history["sensor.power"]
	if len(p) > historyMost || p[len(p)-1].state != fmt.Sprint(10*historyMost-1) {
		t.Errorf("%d points, the last %v", len(p), p[len(p)-1])
	}
	for i := range p[1:] {
		if !p[i+1].at.After(p[i].at) {
			t.Fatalf("point %d is not behind the one before", i+1)
		}
	}
}
