package sim

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A request is in the journal even if its client has gone before the reply is out: a write has been carried out all the
// same.
func TestJournalOfAReplyThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUnit(1)
		u.Set(0, 7, 1)
		line := NewLine(Options{Turnaround: 20 * time.Millisecond}, u)
		line.Play(NewScript(1, Fault{Kind: Late, Delay: time.Second}))
		here, there := net.Pipe()
		done := make(chan error)
		go func() { done <- line.ServeConn(t.Context(), there, RTU) }()
		if _, err := here.Write(rtu(1, pdu(6, 7, 9)...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		here.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		got := line.Journal().Since(0)
		if len(got) != 1 || !got[0].CarriedOut || !got[0].Replied.IsZero() && got[0].Words[0] != 9 {
			t.Errorf("%+v", got)
		}
	})
}
