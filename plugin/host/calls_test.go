package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
)

func TestSetValueIsConfirmedBeforeItReturns(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		l.plugin.onCall(func(ctx context.Context, c host.Call) host.Result {
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left > 30*time.Second || left < 29*time.Second {
				t.Errorf("the call has %v left", left)
			}
			time.Sleep(70 * time.Millisecond)
			l.outbox.Put(host.States{Values: map[string]any{c.ID: c.Value}})
			return host.Result{Value: c.Value, Confirmed: []string{c.ID}}
		})
		before := l.log.count(`"SN1_grid_limit":250`)
		if _, err := l.host.Action(t.Context(), "number", "set_value", map[string]any{"value": 250.0},
			"number.inverter_grid_limit"); err != nil {
			t.Fatal(err)
		}
		l.is("SN1_grid_limit", "250")
		time.Sleep(time.Second)
		if n := l.log.count(`"SN1_grid_limit":250`) - before; n != 1 {
			t.Errorf("the confirmed value travelled %d times, want once", n)
		}
	})
}

func TestAFailedCallRaises(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		l.plugin.onCall(func(_ context.Context, c host.Call) host.Result {
			l.outbox.Put(host.States{Values: map[string]any{c.ID: 90}})
			return host.Result{Confirmed: []string{c.ID},
				Err: host.NewCallError(host.CodeNotVerified, "wanted 80, found 90",
					map[string]string{"wanted": "80", "found": "90"})}
		})
		err := l.host.SetValue(t.Context(), "SN1_grid_limit", 80)
		var e *devhost.Error
		if !errors.As(err, &e) || e.Code != "home_assistant_error" || e.Key != "not_verified" ||
			e.Placeholders["found"] != "90" ||
			e.Placeholders["name"] != "Inverter Grid limit" {
			t.Errorf("error is %#v", err)
		}
		l.is("SN1_grid_limit", "90") // what the device holds is shown all the same
		l.plugin.onCall(func(context.Context, host.Call) host.Result {
			return host.Result{Err: host.NewCallError(host.CodeOffStep, "85 is off step", nil)}
		})
		if err := l.host.SetValue(t.Context(), "SN1_grid_limit", 85); !errors.As(err, &e) ||
			e.Code != "service_validation_error" {
			t.Errorf("error is %#v", err)
		}
	})
}

func TestAReadCallHasAResponse(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		var response any = host.Reading{Value: 5.5, Unit: "V", ReadAt: time.Unix(1e9, 0).UTC(), Raw: []uint16{55},
			Registers: "holding 588+1"}
		l.plugin.onCall(func(context.Context, host.Call) host.Result { return host.Result{Response: response} })
		got, err := l.host.Action(t.Context(), "solarhub", "read_value",
			map[string]any{"entity_id": "sensor.inverter_pv_power"})
		text, _ := json.Marshal(got)
		const want = `{"age_ms":0,"raw":[55],"read_at":"2001-09-09T01:46:40Z","registers":"holding 588+1",` +
			`"unit":"V","value":5.5}`
		if err != nil || string(text) != want {
			t.Errorf("response is %s, %v", text, err)
		}
		response = func() {} // no JSON: the caller is told, and the session lives
		var e *devhost.Error
		_, err = l.host.Action(t.Context(), "solarhub", "read_value",
			map[string]any{"entity_id": "sensor.inverter_pv_power"})
		if !errors.As(err, &e) || e.Key != "failed" || !l.client.Status().Ready {
			t.Errorf("error is %v, status %+v", err, l.client.Status())
		}
	})
}

func TestWhyTheContextOfACallEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(l *lab)
		want error
		code string
	}{
		{"deadline", func(*lab) { time.Sleep(30 * time.Second) }, context.DeadlineExceeded, ""},
		{"session lost", func(l *lab) { l.host.Drop() }, host.ErrSessionLost, host.CodeLost},
		{"client stops", func(l *lab) { l.stopClient() }, host.ErrStopping, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			connected(t, func(t *testing.T, l *lab) {
				cause := make(chan error, 1)
				l.plugin.onCall(func(ctx context.Context, _ host.Call) host.Result {
					<-ctx.Done()
					cause <- context.Cause(ctx)
					return host.Result{Value: 1}
				})
				done := make(chan error, 1)
				go func() { done <- l.host.SetValue(context.Background(), "SN1_grid_limit", 1) }()
				synctest.Wait()
				c.end(l)
				if got := <-cause; !errors.Is(got, c.want) {
					t.Errorf("cause is %v, want %v", got, c.want)
				}
				err := <-done
				var e *devhost.Error
				if c.code == "" && err != nil || c.code != "" && (!errors.As(err, &e) || e.Key != c.code) {
					t.Errorf("the caller gets %v", err)
				}
			})
		})
	}
}

func TestACallerThatGivesUpCancels(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		cause := make(chan error, 1)
		l.plugin.onCall(func(ctx context.Context, _ host.Call) host.Result {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return host.Result{Err: host.NewCallError(host.CodeCancelled, "given up", nil)}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.host.SetValue(ctx, "SN1_grid_limit", 1); err == nil {
			t.Error("no error")
		}
		if got := <-cause; !errors.Is(got, host.ErrCancelled) {
			t.Errorf("cause is %v", got)
		}
		synctest.Wait() // the late answer disturbs nobody
		if !l.client.Status().Ready {
			t.Error("the session is lost")
		}
	})
}

func TestConfirmedValuesAreNeverOvertaken(t *testing.T) {
	connected(t, func(t *testing.T, l *lab) {
		var mu sync.Mutex
		newest := 0.0
		put := func(f func(float64) float64) {
			mu.Lock()
			defer mu.Unlock()
			newest = f(newest)
			l.outbox.Put(host.States{Values: map[string]any{"SN1_grid_limit": newest}})
		}
		l.plugin.onCall(func(_ context.Context, c host.Call) host.Result {
			time.Sleep(7 * time.Millisecond)
			put(func(float64) float64 { return c.Value.(float64) })
			return host.Result{Value: c.Value, Confirmed: []string{c.ID}}
		})
		var running sync.WaitGroup
		running.Go(func() { // a poll that never rests
			for range 500 {
				put(func(v float64) float64 { return v + 0.25 })
				time.Sleep(3 * time.Millisecond)
			}
		})
		for i := range 100 {
			if err := l.host.SetValue(t.Context(), "SN1_grid_limit", 10*i); err != nil {
				t.Fatal(err)
			}
		}
		running.Wait()
		time.Sleep(time.Second)
		l.is("SN1_grid_limit", fmt.Sprint(newest))
	})
}
