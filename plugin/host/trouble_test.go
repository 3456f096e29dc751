package host_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
)

func TestWaitsBeforeTheNextTry(t *testing.T) {
	refuse := func(command, code string) func(*talk) {
		return func(c *talk) { c.greet(); c.serve("", map[string]string{command: code}) }
	}
	for _, c := range []struct {
		name     string
		play     func(c *talk)
		wait     time.Duration
		sentence string
	}{
		{"wrong token", func(c *talk) {
			c.say(`{"type":"auth_required","ha_version":"1"}`)
			c.hear()
			c.say(`{"type":"auth_invalid","message":"Invalid access token or password"}`)
		}, 5 * time.Minute, "get a new one with `solarhub login`"},
		{"no companion", refuse(host.CommandHello, "unknown_command"), 30 * time.Second, "solarhub install"},
		{"not loaded", refuse(host.CommandHello, "entry_not_loaded"), 10 * time.Second, "not set up"},
		{"another process of the same name", refuse(host.CommandHello, "installation_in_use"), 30 * time.Second,
			"same name"},
		{"starting, without the companion", func(c *talk) {
			c.greet()
			c.starting("unknown_command")
		}, 1500 * time.Millisecond, "Home Assistant is starting"},
		{"starting, not yet set up", func(c *talk) {
			c.greet()
			c.starting("entry_not_loaded")
		}, 1500 * time.Millisecond, "Home Assistant is starting"},
		{"incompatible", refuse(host.CommandHello, "incompatible_protocol"), 5 * time.Minute, "do not fit together"},
		{"no administrator", refuse(host.CommandHello, "unauthorized"), 5 * time.Minute, "not an administrator"},
		{"replaced", func(c *talk) {
			c.greet()
			c.serve(host.CommandStates, nil)
			c.say(`{"id":2,"type":"event","event":{"type":"replaced"}}`) // and hangs up at once
		}, time.Minute, "took over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s := scripted(t, c.play)
				defer l.stop()
				time.Sleep(5*c.wait + c.wait/2)
				for _, w := range s.waits() {
					if w < c.wait || w > c.wait+time.Second {
						t.Errorf("waited %v, want %v", w, c.wait)
					}
				}
				if n := s.count(); n != 6 {
					t.Errorf("%d dials, want 6", n)
				}
				if got := l.client.Status().Reason; !strings.Contains(got, c.sentence) {
					t.Errorf("reason is %q", got)
				}
				if n := l.log.count(c.sentence); c.name != "replaced" && n != 1 { // that one was ready in between
					t.Errorf("said %d times, want once:\n%s", n, l.log)
				}
			})
		})
	}
}

func TestReplacedIsNoticedThoughTheSocketIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t}
		l := newLab(t)
		l.plugin.slow = 10 * time.Millisecond
		l.listen(s.handler(func(c *talk) {
			c.greet()
			c.serve(host.CommandStates, nil)
			c.say(`{"id":2,"type":"event","event":{"type":"config","disabled":[]}}`)
			synctest.Wait() // the plugin is busy with that
			c.say(`{"id":2,"type":"event","event":{"type":"replaced"}}`)
		}))
		l.start()
		defer l.stop()
		time.Sleep(59 * time.Second)
		if n := s.count(); n != 1 {
			t.Errorf("%d dials in the first minute, want 1", n)
		}
	})
}

func TestARefusalThatIsFollowedByTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := scripted(t, func(c *talk) {
			c.greet()
			c.serve(host.CommandHello, map[string]string{host.CommandHello: "entry_not_loaded"})
		})
		defer l.stop()
		time.Sleep(5 * time.Minute)
		for _, w := range s.waits() {
			if w != 10*time.Second {
				t.Errorf("waited %v, want 10 s", w)
			}
		}
	})
}

func TestRecoveryModeIsExplained(t *testing.T) {
	for _, o := range []devhost.Options{
		{WithoutCompanion: true, SafeMode: true},
		{WithoutCompanion: true, RecoveryMode: true},
		{WithoutCompanion: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			l.serve(o)
			l.start()
			defer l.stop()
			synctest.Wait()
			got := l.client.Status().Reason
			if strings.Contains(got, "safe mode") != o.SafeMode ||
				strings.Contains(got, "recovery mode") != o.RecoveryMode {
				t.Errorf("reason is %q", got)
			}
		})
	}
}

func TestTheHostIsStarting(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusServiceUnavailable} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{t: t}
			l := newLab(t)
			l.listen(func(w http.ResponseWriter, _ *http.Request) {
				s.note()
				w.WriteHeader(status)
			})
			l.start()
			defer l.stop()
			time.Sleep(22 * time.Second)
			if n := s.count(); n != 15 {
				t.Errorf("%d dials in 22 s, want one in 1.5 s", n)
			}
			if n := l.log.count("is starting"); n != 1 {
				t.Errorf("said %d times, want once", n)
			}
		})
	}
}

func TestBackOffGrowsAndBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t}
		l := newLab(t)
		var healthy atomic.Bool
		l.listen(s.handler(func(c *talk) {
			if !healthy.Load() {
				return // hangs up
			}
			c.greet()
			cut := time.AfterFunc(31*time.Second, func() { _ = c.ws.CloseNow() })
			defer cut.Stop()
			c.serve("", nil)
		}))
		l.start()
		defer l.stop()
		time.Sleep(30 * time.Minute)
		waits := s.waits()
		if n := len(waits); n < 25 || n > 45 {
			t.Errorf("%d redials in 30 minutes", n)
		}
		for i, w := range waits {
			want := min(time.Second<<min(i, 6), time.Minute)
			if w < want*3/4-time.Millisecond || w > min(want*5/4, time.Minute)+time.Millisecond {
				t.Errorf("wait %d is %v, want about %v", i, w, want)
			}
		}
		healthy.Store(true)
		time.Sleep(10 * time.Minute)
		waits = s.waits()
		if last := waits[len(waits)-1]; last > 33*time.Second {
			t.Errorf("after 31 s of being ready the wait is still %v", last-31*time.Second)
		}
	})
}

func TestAFlappingHostIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t}
		l := newLab(t)
		l.outbox.Put(known())
		l.listen(s.handler(func(c *talk) {
			c.greet()
			c.serve(host.CommandStates, nil) // ready, and gone at once
		}))
		l.start()
		defer l.stop()
		time.Sleep(10 * time.Minute)
		if n := s.count(); n > 20 {
			t.Errorf("%d dials in 10 minutes", n)
		}
	})
}

func TestHandshakeThatNeverEnds(t *testing.T) {
	for name, play := range map[string]func(c *talk){
		"silence":            func(c *talk) { c.hear(); c.hear() },
		"silence after auth": func(c *talk) { c.say(`{"type":"auth_required"}`); c.hear(); c.hear() },
		"no JSON":            func(c *talk) { c.say(`hello`); c.hear() },
		"another protocol":   func(c *talk) { c.say(`{"type":"welcome"}`); c.hear() },
		"binary": func(c *talk) {
			_ = c.ws.Write(context.Background(), websocket.MessageBinary,
				[]byte{1, 2})
			c.hear()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s := scripted(t, play)
				defer l.stop()
				time.Sleep(11500 * time.Millisecond)
				if n := s.count(); n < 2 {
					t.Errorf("%d dials in 11.5 s: it hangs", n)
				}
			})
		})
	}
}

func TestASilentHostIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := scripted(t, func(c *talk) {
			c.greet()
			for {
				id, name := c.hear()
				if name == "" {
					return
				}
				if name != "ping" && name != host.CommandHeartbeat {
					c.reply(id, name, nil)
				}
			}
		})
		defer l.stop()
		time.Sleep(19 * time.Second)
		if !l.client.Status().Ready || s.count() != 1 {
			t.Fatalf("status after 19 s is %+v", l.client.Status())
		}
		time.Sleep(1100 * time.Millisecond)
		if st := l.client.Status(); st.Ready || !strings.Contains(st.Reason, "has stopped answering") {
			t.Errorf("status after 20 s is %+v", st)
		}
	})
}

func TestCommandsThatAreRefused(t *testing.T) {
	for _, command := range []string{host.CommandRegister, host.CommandStates, host.CommandHeartbeat} {
		t.Run(command, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s := scripted(t, func(c *talk) {
					c.greet()
					c.serve("",
						map[string]string{command: "stale_session"})
				})
				defer l.stop()
				time.Sleep(12 * time.Second)
				if s.count() < 2 || !strings.Contains(l.log.String(), "ended this session") {
					t.Errorf("%d dials:\n%s", s.count(), l.log)
				}
			})
		})
	}
}

func TestFramesWithSeveralMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t}
		l := newLab(t)
		l.outbox.Put(known())
		called := make(chan host.Call, 2)
		l.plugin.onCall(func(_ context.Context, c host.Call) host.Result {
			called <- c
			return host.Result{}
		})
		l.listen(s.handler(func(c *talk) {
			c.greet()
			c.serve("supported_features", nil)
			id, _ := c.hear() // hello: its answer and two events in one frame
			c.say(fmt.Sprintf(`[{"id":%d,"type":"result","success":true,"result":%s},
				{"id":%d,"type":"event","event":{"type":"call","call_id":"a","action":"set","id":"SN1_mode",
					"value":"full","remaining_ms":1000}},
				{"id":%d,"type":"event","event":{"type":"something new","call_id":5}},
				{"id":%d,"type":"event","event":{"type":"call","call_id":"b","action":"press","id":"SN1_b",
					"remaining_ms":1000}},
				{"id":999,"type":"event","event":{}},{"id":998,"type":"result","success":true}]`,
				id, helloResult, id, id, id))
			c.serve("", nil)
		}))
		l.start()
		defer l.stop()
		got := map[string]host.Call{}
		for range 2 {
			c := <-called
			got[c.CallID] = c
		}
		if got["a"].Value != "full" || got["b"].Action != host.ActionPress {
			t.Errorf("calls are %+v", got)
		}
		synctest.Wait()
		if n := l.log.count(`"type":"solarhub/result"`); n != 2 || !l.client.Status().Ready {
			t.Errorf("%d results, status %+v", n, l.client.Status())
		}
	})
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes int
		alive bool
	}{{"large", 900 << 10, true}, {"too large", 1 << 20, false}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{t: t}
				l := newLab(t, func(o *host.Options) { o.ReadLimit, o.Log = 1<<20, zerolog.Nop() })
				l.listen(s.handler(func(k *talk) {
					k.greet()
					k.serve(host.CommandStates, nil)
					k.say(`{"id":5000,"type":"result","success":true,"result":"` + strings.Repeat("x", c.bytes) + `"}`)
					k.serve("", nil)
				}))
				l.start()
				defer l.stop()
				time.Sleep(15 * time.Second) // a close that the other side does not read takes 5 s
				if n := s.count(); (n == 1) != c.alive {
					t.Errorf("%d dials", n)
				}
			})
		})
	}
}

func TestTheHostLeavesInTheMiddleOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t}
		l := newLab(t)
		l.outbox.Put(known())
		ended := make(chan error, 1)
		l.plugin.onCall(func(ctx context.Context, _ host.Call) host.Result {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return host.Result{Value: 5}
		})
		l.listen(s.handler(func(c *talk) {
			c.greet()
			c.serve(host.CommandStates, nil)
			if s.count() == 1 {
				c.say(`{"id":2,"type":"event","event":{"type":"call","call_id":"a","action":"set","id":"SN1_mode",` +
					`"remaining_ms":60000}}`)
				time.Sleep(time.Second)
				_ = c.ws.Close(websocket.StatusNormalClosure, "") // as a restart does
				return
			}
			c.serve("", nil)
		}))
		began := time.Now()
		l.start()
		defer l.stop()
		if err := <-ended; err != host.ErrSessionLost || time.Since(began) > 1100*time.Millisecond {
			t.Errorf("the call ended with %v after %v", err, time.Since(began))
		}
		time.Sleep(2 * time.Second)
		if !l.client.Status().Ready || l.log.count(`"type":"solarhub/result"`) != 0 {
			t.Errorf("status %+v; a result of the old session was sent into the new one", l.client.Status())
		}
	})
}

func TestStoppingWhileTheHostHangs(t *testing.T) {
	for name, play := range map[string]func(c *talk){
		"before the hand-shake": func(c *talk) { c.hear() },
		"at hello":              func(c *talk) { c.greet(); c.serve("supported_features", nil); c.hear(); c.hear() },
		"at register": func(c *talk) {
			c.greet()
			c.serve(host.CommandHello,
				nil)
			c.hear()
			time.Sleep(time.Minute)
		},
		"at bye": func(c *talk) {
			c.greet()
			c.serve(host.CommandStates,
				nil)
			c.hear()
			time.Sleep(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{t: t}
				l := newLab(t)
				l.listen(s.handler(play))
				l.start()
				time.Sleep(time.Second)
				began := time.Now()
				l.stopClient()
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("stopping took %v", took)
				}
				time.Sleep(2 * time.Minute) // the script ends
				l.stop()
			})
		})
	}
}

func TestAnIdleSessionSendsLittle(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		before := l.log.count("to the host")
		time.Sleep(100*time.Second + time.Millisecond)
		if n := l.log.count("to the host") - before; n != 20 { // 10 pings, 10 heartbeats
			t.Errorf("%d frames in 100 s, want 20", n)
		}
	})
}
