package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A long list is kept in several records, each of which the cache takes, and a shorter one leaves none of them behind.
func TestTheListOfDisabledIDsFitsIntoTheCache(t *testing.T) {
	s, _ := still(t, Memory{})
	var ids []string
	for n := range 60_000 {
		ids = append(ids, fmt.Sprintf("%s_point_<%05d>", serialNumber, n))
	}
	s.setDisabled(append(ids, strings.Repeat("x", maxID+1)), time.Now())
	if !s.disabled[ids[len(ids)-1]] {
		t.Error("what does not fit into the cache does not count in this run")
	}
	cached := map[string][]byte{}
	keep := func() Memory {
		for key, value := range s.pending {
			if cached[key] = value; value == nil {
				delete(cached, key)
			}
			if len(value) > 64<<10 {
				t.Errorf("%s has %d bytes", key, len(value))
			}
		}
		clear(s.pending)
		m, err := Recall(fakeKeeper{records: cached})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := keep(); len(m.disabled) < 30_000 || m.disabledRecords != maxDisabled {
		t.Errorf("%d ids of %d are kept in %d records", len(m.disabled), len(ids), m.disabledRecords)
	}
	s.setDisabled(ids[:1000], time.Now())
	m := keep()
	slices.Sort(m.disabled)
	if !slices.Equal(m.disabled, ids[:1000]) || m.disabledRecords != 3 {
		t.Errorf("%d ids are kept in %d records", len(m.disabled), m.disabledRecords)
	}
	s, _ = still(t, m)
	s.setDisabled(nil, time.Now())
	if m := keep(); len(m.disabled) != 0 || !m.listKnown || m.disabledRecords != 1 {
		t.Errorf("of an empty list %v, known %t, in %d records", m.disabled, m.listKnown, m.disabledRecords)
	}
}
