package host_test

import (
	"testing"
	"testing/synctest"
	"time"

	"solarhub/plugin/host"
)

func TestNoticesWaitForASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		heard := make(chan string, 10)
		s := &script{t: t}
		l.listen(s.handler(func(c *talk) {
			c.greet()
			for {
				id, name := c.hear()
				if name == "" {
					return
				}
				if name == host.CommandNotice {
					heard <- name
					if s.count() == 1 { // lost before it is answered
						return
					}
				}
				c.reply(id, name, nil)
			}
		}))
		l.start()
		defer l.stop()
		for _, found := range []float64{1, 2} { // before there is a session: only the newest of one entity
			l.client.Notify(host.Notice{Kind: host.NoticeReverted, ID: "SN1_grid_limit", Wanted: 5.0, Found: found,
				Seconds: 7})
		}
		time.Sleep(time.Minute)
		if n := len(heard); n != 2 {
			t.Errorf("told %d times, not once in each session until it was answered", n)
		}
		if !l.client.Status().Ready {
			t.Error("there is no session")
		}
	})
}

func TestACompanionThatTakesNoNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := scripted(t, func(c *talk) {
			c.greet()
			c.serve("", map[string]string{host.CommandNotice: host.RefusedUnknownCommand})
		})
		defer l.stop()
		time.Sleep(time.Minute)
		l.client.Notify(host.Notice{Kind: host.NoticeReverted, ID: "SN1_grid_limit", Wanted: 5.0, Found: true})
		time.Sleep(time.Minute)
		if n := s.count(); n != 1 || !l.client.Status().Ready {
			t.Errorf("%d sessions, ready %t: a notice ends the session", n, l.client.Status().Ready)
		}
	})
}
