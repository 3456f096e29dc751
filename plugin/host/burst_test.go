package host_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
)

// TestABurstEndsWithTheNewestValue sends far more set-values than are carried out at the same time. Nobody is refused,
// nobody waits for ever, at most MaxCalls run at once, and each entity ends with the value that was sent last.
func TestABurstEndsWithTheNewestValue(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		var mu sync.Mutex
		running, most := 0, 0
		holds := map[string]any{}
		l.plugin.onCall(func(ctx context.Context, c host.Call) host.Result {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			running--
			if ctx.Err() != nil {
				return host.Result{Err: host.NewCallError(host.CodeExpired, "", nil)}
			}
			holds[c.ID] = c.Value
			return host.Result{Value: c.Value}
		})
		const callers = 3000
		ids := []string{"SN1_grid_limit", "SN1_mode"}
		values := map[string][]any{ids[0]: {10.0, 20.0}, ids[1]: {"eco", "full"}}
		errs := make(chan error, callers)
		for i := range callers {
			id := ids[i%2]
			value := values[id][i/2%2]
			go func() { errs <- l.host.SetValue(context.Background(), id, value) }()
			synctest.Wait() // one after the other, so that the last is known
		}
		for range callers {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if most != host.MaxCalls || holds[ids[0]] != 20.0 || holds[ids[1]] != "full" {
			t.Errorf("%d calls ran at once; the device holds %v", most, holds)
		}
	})
}

// TestTooManyCallsAreRefused: what cannot even wait is refused, and what waits is told when its time is over.
func TestTooManyCallsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var mu sync.Mutex
		results := map[string]int{}
		const callers = host.MaxCalls + 4096 + 10
		answered := make(chan struct{})
		s := &script{t: t}
		l.plugin.onCall(func(ctx context.Context, _ host.Call) host.Result {
			<-ctx.Done()
			return host.Result{Err: host.NewCallError(host.CodeNoAnswer, "", nil)}
		})
		l.listen(s.handler(func(c *talk) {
			c.greet()
			c.serve(host.CommandStates, nil)
			go func() {
				for i := range callers {
					c.say(fmt.Sprintf(`{"id":2,"type":"event","event":{"type":"call","call_id":"c%d",`+
						`"action":"read","id":"SN1_%d",`+
						`"remaining_ms":30000}}`, i, i))
				}
			}()
			for n := 0; n < callers; {
				id, name, text := c.hearAll()
				if name == "" {
					return
				}
				if name == host.CommandResult {
					n++
					_, code, _ := strings.Cut(text, `"code":"`)
					code, _, _ = strings.Cut(code, `"`)
					mu.Lock()
					results[code]++
					mu.Unlock()
				}
				c.reply(id, name, nil)
			}
			close(answered)
			c.serve("", nil)
		}))
		l.start()
		defer l.stop()
		<-answered
		if results["queue_full"] != 10 || results["no_answer"] != host.MaxCalls || results["expired"] != 4096 ||
			s.count() != 1 {
			t.Errorf("results are %v in %d sessions", results, s.count())
		}
	})
}

func TestACallThatArrivesTwiceIsCarriedOutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		var mu sync.Mutex
		carriedOut := 0
		l.plugin.onCall(func(context.Context, host.Call) host.Result {
			mu.Lock()
			carriedOut++
			mu.Unlock()
			time.Sleep(time.Second)
			return host.Result{}
		})
		results := l.play(
			`{"type":"call","call_id":"c1","action":"press","id":"SN1_b","remaining_ms":30000}`,
			`{"type":"call","call_id":"c1","action":"press","id":"SN1_b","remaining_ms":30000}`)
		l.start()
		defer l.stop()
		time.Sleep(5 * time.Second)
		if n := len(results()); n != 1 || carriedOut != 1 {
			t.Errorf("%d results, carried out %d times: %v", n, carriedOut, results())
		}
	})
}

// TestTheConnectedProcessKeepsItsPlace: a second installation of the same name is refused, and told why, until the
// first one is gone.
func TestTheConnectedProcessKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newLab(t, func(o *host.Options) { o.Epoch = 1000 })
		first.outbox.Put(known())
		first.serve(devhost.Options{})
		first.start()
		defer first.stop()
		first.ready()
		for _, epoch := range []int64{500, 2000} {
			second := newLab(t, func(o *host.Options) { o.Epoch = epoch; o.HTTPClient = first.board.client() })
			second.start()
			time.Sleep(5 * time.Minute)
			if s := second.client.Status(); s.Ready || !strings.Contains(s.Reason, "same name") {
				t.Errorf("the second is %+v", s)
			}
			if n := second.log.count("same name is connected"); n != 1 {
				t.Errorf("said %d times, want once", n)
			}
			second.stopClient()
		}
		if s := first.client.Status(); !s.Ready || first.log.count(`"solarhub/hello"`) != 1 {
			t.Errorf("the first is %+v after %d hellos", s, first.log.count(`"solarhub/hello"`))
		}
		first.is("SN1_mode", "eco")

		second := newLab(t, func(o *host.Options) { o.Epoch = 2000; o.HTTPClient = first.board.client() })
		second.start()
		defer func() { second.stopClient() }()
		time.Sleep(time.Second)
		first.stopClient()
		time.Sleep(31 * time.Second)
		if s := second.client.Status(); !s.Ready {
			t.Errorf("half a minute after the first is gone the second is %+v", s)
		}
	})
}

// TestTheSameProcessTakesItsPlaceAgain: the host still holds a session whose socket is dead on the plugin's side only.
func TestTheSameProcessTakesItsPlaceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(o *host.Options) { o.Epoch = 1000 })
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		again := newLab(t, func(o *host.Options) { o.Epoch = 1000; o.HTTPClient = l.board.client() })
		again.start()
		defer func() { again.stopClient() }()
		synctest.Wait()
		if !again.client.Status().Ready || l.client.Status().Ready {
			t.Errorf("old %+v, new %+v", l.client.Status(), again.client.Status())
		}
	})
}

func TestMalformedCallsAreAnswered(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, c := range []struct{ name, call, code, reason string }{
		{"force is a text", `"action":"set","id":"SN1_mode","value":"eco","force":"yes","remaining_ms":30000`, "failed",
			"malformed"},
		{"remaining_ms is a text", `"action":"set","id":"SN1_mode","value":"eco","remaining_ms":"30"`, "failed",
			"malformed"},
		{"the id is a number", `"action":"set","id":5,"value":"eco","remaining_ms":30000`, "failed", "malformed"},
		{"remaining_ms overflows", `"action":"set","id":"a","value":1,"remaining_ms":9223372036854775`, "failed",
			"at most 600000"},
		{"remaining_ms is too large for int64", `"action":"set","id":"a","value":1,"remaining_ms":1e30`, "failed",
			"malformed"},
		{"no time", `"action":"set","id":"a","value":1`, "expired", "no time"},
		{"negative time", `"action":"set","id":"a","value":1,"remaining_ms":-9223372036854775808`, "expired",
			"no time"},
		{"a long value", `"action":"set","id":"a","value":"` + long + `","remaining_ms":30000`, "wrong_type",
			"256 characters"},
		{"a list", `"action":"set","id":"a","value":[1],"remaining_ms":30000`, "wrong_type", "list"},
		{"an object", `"action":"set","id":"a","value":{"a":1},"remaining_ms":30000`, "wrong_type", "object"},
		{"a long id", `"action":"set","id":"` + long + `","value":1,"remaining_ms":30000`, "failed", "id has 256"},
		{"a long action", `"action":"` + long + `","id":"a","value":1,"remaining_ms":30000`, "failed",
			"action has 256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.plugin.onCall(func(context.Context, host.Call) host.Result {
					t.Error("it is carried out")
					return host.Result{}
				})
				results := l.play(`{"type":"call","call_id":"c1",` + c.call + `}`)
				l.start()
				defer l.stop()
				time.Sleep(time.Second)
				got := results()
				if len(got) != 1 || !strings.Contains(got[0], `"call_id":"c1"`) ||
					!strings.Contains(got[0], `"code":"`+c.code) ||
					!strings.Contains(got[0], c.reason) || len(got[0]) > 1000 || !l.client.Status().Ready {
					t.Errorf("answered %.300q, ready %t", got, l.client.Status().Ready)
				}
			})
		})
	}
}

// TestCallsThatCannotBeAnswered have no usable id: they are dropped, and the session goes on.
func TestCallsThatCannotBeAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		carriedOut := make(chan string, 10)
		l.plugin.onCall(func(_ context.Context, c host.Call) host.Result {
			carriedOut <- c.CallID
			return host.Result{}
		})
		results := l.play(
			`{"type":"call","action":"press","id":"a","remaining_ms":30000}`,
			`{"type":"call","call_id":5,"action":"press","id":"a","remaining_ms":30000}`,
			`{"type":"call","call_id":"`+strings.Repeat("x", 65)+`","action":"press","id":"a","remaining_ms":30000}`,
			`{"type":"call","call_id":"good","action":"press","id":"a","remaining_ms":30000}`)
		l.start()
		defer l.stop()
		time.Sleep(time.Second)
		if got := <-carriedOut; got != "good" || len(carriedOut) > 0 || len(results()) != 1 {
			t.Errorf("carried out %q and more, results %q", got, results())
		}
	})
}

// TestDiagnosticsDoNotDelaySetValues: neither does a host that answers nothing to a refusal.
func TestDiagnosticsDoNotDelaySetValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(o *host.Options) {
			o.Diagnostics = func(ctx context.Context) (any, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		called := make(chan time.Time, 1)
		l.plugin.onCall(func(context.Context, host.Call) host.Result {
			called <- time.Now()
			return host.Result{}
		})
		events := slices.Repeat([]string{`{"type":"diagnostics","request_id":"r"}`}, 20)
		events = append(events, slices.Repeat([]string{`{"type":"call","call_id":"bad","action":"set","value":[],` +
			`"remaining_ms":1}`}, 20)...)
		l.play(append(events, `{"type":"call","call_id":"a","action":"press","id":"a","remaining_ms":30000}`)...)
		began := time.Now()
		l.start()
		defer l.stop()
		if at := <-called; at.Sub(began) > 100*time.Millisecond {
			t.Errorf("the call began after %v", at.Sub(began))
		}
	})
}

func TestDiagnosticsThatAreTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, func(o *host.Options) {
			o.Diagnostics = func(context.Context) (any,
				error) {
				return map[string]string{"x": strings.Repeat("x", 5<<20)}, nil
			}
		})
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		data, err := l.host.Diagnostics(t.Context(), "house")
		if text := fmt.Sprint(data); err != nil || !strings.Contains(text, "too large") || !l.client.Status().Ready {
			t.Errorf("diagnostics are %.200s, %v, ready %t", text, err, l.client.Status().Ready)
		}
	})
}

// TestARefusedFrameIsDropped: the session goes on without it. Only a refusal of the session itself ends it.
func TestARefusedFrameIsDropped(t *testing.T) {
	for _, command := range []string{host.CommandRegister, host.CommandStates, host.CommandHeartbeat,
		host.CommandResult} {
		for _, code := range []string{"invalid_format", "unknown_error", "home_assistant_error"} {
			t.Run(command+" "+code, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, s := scripted(t, func(c *talk) {
						c.greet()
						c.serve("supported_features", nil)
						id, name := c.hear()
						c.reply(id, name, nil)
						c.say(fmt.Sprintf(`{"id":%d,"type":"event","event":{"type":"call","call_id":"a",`+
							`"action":"press","id":"b",`+
							`"remaining_ms":1000}}`, id))
						c.serve("", map[string]string{command: code})
					})
					defer l.stop()
					for i := range 60 {
						time.Sleep(time.Second)
						l.outbox.Put(host.States{Values: map[string]any{"SN1_pv_power": i}})
					}
					if n := s.count(); n != 1 || !l.client.Status().Ready {
						t.Errorf("%d sessions, %+v", n, l.client.Status())
					}
					if n := l.log.count("which is dropped"); n != 1 {
						t.Errorf("said %d times, want once", n)
					}
				})
			})
		}
	}
}

func TestAMessageThatIsTooLarge(t *testing.T) {
	for name, event := range map[string]string{
		"one":  `{"type":"call","call_id":"a","value":"` + strings.Repeat("x", 4<<20) + `"}`,
		"many": "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				events := []string{event}
				if event == "" { // none too large, but more than may wait while Config does not return
					l.plugin.slow = 5 * time.Second
					part := `{"type":"config","disabled":["` + strings.Repeat("x", 1<<20) + `"]}`
					events = slices.Repeat([]string{part}, 10)
				}
				l.play(events...)
				l.start()
				defer l.stop()
				time.Sleep(200 * time.Second)
				if !strings.Contains(l.log.String(), "sent more than SolarHub accepts") {
					t.Errorf("the log does not say why:\n%.2000s", l.log)
				}
			})
		})
	}
}

// TestAHeartbeatThatMakesNoSense is not obeyed: 1 ms would cost a fifth of a processor.
func TestAHeartbeatThatMakesNoSense(t *testing.T) {
	for _, ms := range []string{"1", "-5", "0", "9223372036854775807", "86400000"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			beats := 0
			s := &script{t: t}
			l.listen(s.handler(func(c *talk) {
				c.greet()
				c.serve("supported_features", nil)
				id, _ := c.hear()
				c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":%s}`, id,
					strings.Replace(helloResult, `"heartbeat_ms":10000`, `"heartbeat_ms":`+ms, 1)))
				for {
					id, name := c.hear()
					if name == "" {
						return
					}
					if name == host.CommandHeartbeat {
						beats++
					}
					c.reply(id, name, nil)
				}
			}))
			l.start()
			time.Sleep(101 * time.Second)
			l.stop()
			if beats != 10 {
				t.Errorf("heartbeat_ms %s: %d heartbeats in 100 s, want 10", ms, beats)
			}
		})
	}
}

func TestTheErrorOfACallIsShort(t *testing.T) {
	long := strings.Repeat("\u00e4", 1<<20)
	e := host.NewCallError(host.CodeFailed, long, map[string]string{"value": long})
	for name, text := range e.Placeholders {
		if n := len([]rune(text)); n != 255 || !strings.HasSuffix(text, "\u2026") {
			t.Errorf("%s has %d characters", name, n)
		}
	}
}
