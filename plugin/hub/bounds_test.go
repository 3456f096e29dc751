package hub

import (
	"fmt"
	"testing"
	"time"
)

func TestTheListOfDisabledIDsFitsIntoTheCache(t *testing.T) {
	s, _ := still(t, Memory{})
	var ids []string
	for n := range 60_000 {
		ids = append(ids, fmt.Sprintf("%s_point_%05d", serialNumber, n))
	}
	s.setDisabled(ids, time.Now())
	if n := len(s.pending[disabledKey]); n == 0 || n > 1<<20 {
		t.Errorf("the list has %d bytes", n)
	}
	if !s.disabled[ids[len(ids)-1]] {
		t.Error("what does not fit into the cache does not count in this run")
	}
}
