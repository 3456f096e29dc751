package hub

import (
	"strings"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// fakeKeeper is a cache in memory that may fail.
type fakeKeeper struct {
	records map[string][]byte
	put     func(batch map[string][]byte) error
}

func (k fakeKeeper) Each(prefix string, f func(string, []byte) error) error {
	for key, value := range k.records {
		if strings.HasPrefix(key, prefix) {
			if err := f(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k fakeKeeper) Put(batch map[string][]byte) error { return k.put(batch) }

func TestRecallLeavesOutWhatItDoesNotUnderstand(t *testing.T) {
	at := time.Now().Truncate(0)
	good := keptValue{Value: codec.Number(5), ReadAt: at}
	m, err := Recall(fakeKeeper{records: map[string][]byte{
		valueKey("SN/1", "soc"): encode(good),
		valueKey("SN/1", "bad"): []byte("{"),
		"value/nothing":         []byte("{}"),
		"new/thing":             []byte("{}"),
		disabledPrefix + "00":   []byte(`["a"]`),
		knownPrefix + "tcp h#1": encode(knownDevice{Profile: "p", Identity: devices.Identity{Serial: "SN/1"}}),
	}})
	if got := m.values["SN/1"]["soc"]; got.Value != good.Value || !got.ReadAt.Equal(at) || len(m.values["SN/1"]) != 1 {
		t.Errorf("values %v", m.values)
	}
	if !m.listKnown || len(m.disabled) != 1 || m.known["tcp h#1"].Profile != "p" {
		t.Errorf("memory %+v", m)
	}
	for _, want := range []string{"value/SN/1/bad", "value/nothing: names no point", "new/thing: is of no kind"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestLearnedOutlivesARestart(t *testing.T) {
	const place = "tcp h#1"
	hole := protocol.Range{Addr: 7, Count: 2}
	now := time.Now().Truncate(0)
	kept := knownDevice{Profile: "p", Learned: devices.Learned{Holes: []devices.Hole{{Range: hole, At: now}}}}
	m, err := Recall(fakeKeeper{records: map[string][]byte{knownPrefix + place: encode(kept)}})
	if _, l, ok := m.Known(place, "p"); err != nil || !ok || len(l.Holes) != 1 || l.Holes[0].Range != hole ||
		!l.Holes[0].At.Equal(now) {
		t.Errorf("learned %+v, %v", l, err)
	}
}
