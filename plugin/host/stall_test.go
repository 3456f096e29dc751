package host_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
)

// road is a way between plugin and host that can stall in each direction. What is sent meanwhile arrives later.
type road struct {
	mu         sync.Mutex
	toPlugin   time.Time // nothing arrives before
	toHost     time.Time
	hosts      []net.Conn // the host's ends of the connections
	cut        bool       // the first is closed at the host, and the plugin hears nothing of it
	connection sync.WaitGroup
}

// cutAtHost closes the connection at the host's end only.
func (r *road) cutAtHost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	_ = r.hosts[0].Close()
}

func (r *road) stall(toPlugin, toHost time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.toPlugin, r.toHost = time.Now().Add(toPlugin), time.Now().Add(toHost)
}

// over returns a client whose connections lead over the road.
func (r *road) over(board *switchboard) *http.Client {
	dial := board.client().Transport.(*http.Transport).DialContext
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			far, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			near, middle := net.Pipe()
			r.mu.Lock()
			r.hosts = append(r.hosts, far)
			r.mu.Unlock()
			r.carry(middle, far, &r.toHost)
			r.carry(far, middle, &r.toPlugin)
			return near, nil
		}}}
}

// carry takes bytes from one end to the other, as a socket with large buffers does.
func (r *road) carry(from, to net.Conn, until *time.Time) {
	chunks := make(chan []byte, 10000)
	r.connection.Go(func() {
		defer close(chunks)
		for {
			buffer := make([]byte, 64<<10)
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			chunks <- buffer[:n]
		}
	})
	r.connection.Go(func() {
		for chunk := range chunks {
			r.wait(until)
			_, _ = to.Write(chunk)
		}
		r.wait(until)
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.cut || from != r.hosts[0] {
			_ = to.Close()
		}
	})
}

func (r *road) wait(until *time.Time) {
	for {
		r.mu.Lock()
		left := time.Until(*until)
		r.mu.Unlock()
		if left <= 0 {
			return
		}
		time.Sleep(left)
	}
}

// slowDevice carries out one set-value after the other, 2 s each, and notes when each was sent to the device.
type slowDevice struct {
	turn chan struct{}
	mu   sync.Mutex
	sent map[any]time.Time // by value
}

func newSlowDevice() *slowDevice {
	return &slowDevice{turn: make(chan struct{}, 1), sent: map[any]time.Time{}}
}

func (d *slowDevice) call(ctx context.Context, c host.Call) host.Result {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return host.Result{Err: host.NewCallError(host.CodeExpired, "", nil)}
	}
	d.mu.Lock()
	d.sent[c.Value] = time.Now()
	d.mu.Unlock()
	time.Sleep(2 * time.Second)
	return host.Result{Value: c.Value}
}

// TestNothingIsWrittenAfterItsCallerWasTold stalls the way between plugin and host while a slow device works through 18
// set-values, or cuts it so that only the host knows, and looks for values that reach the device after their callers
// were told that they failed.
func TestNothingIsWrittenAfterItsCallerWasTold(t *testing.T) {
	for _, direction := range []string{"to the plugin", "to the host", "both", "cut at the host"} {
		for seconds := 1; seconds <= 15; seconds += 2 {
			for _, early := range []time.Duration{500 * time.Millisecond, 9 * time.Second} {
				name := fmt.Sprintf("%s %d s, %v before the calls", direction, seconds, early)
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						playStall(t, direction, time.Duration(seconds)*time.Second,
							early)
					})
				})
			}
		}
	}
}

func playStall(t *testing.T, direction string, d, early time.Duration) {
	r, device := &road{}, newSlowDevice()
	l := newLab(t)
	l.client = l.newClient(func(o *host.Options) { o.HTTPClient = r.over(l.board) })
	l.outbox.Put(known())
	l.plugin.onCall(device.call)
	l.serve(devhost.Options{})
	l.start()
	defer r.connection.Wait()
	defer l.stop()
	l.ready()
	time.Sleep(37 * time.Second) // some heartbeats
	switch direction {
	case "cut at the host":
	case "to the plugin":
		r.stall(d, 0)
	case "to the host":
		r.stall(0, d)
	case "both":
		r.stall(d, d)
	}
	time.Sleep(early)
	const calls = 18
	told := make([]time.Time, calls)
	errs := make([]error, calls)
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			errs[i] = l.host.SetValue(context.Background(), "SN1_grid_limit", 10*i)
			told[i] = time.Now()
		})
	}
	if direction == "cut at the host" {
		time.Sleep(d)
		r.cutAtHost()
	}
	callers.Wait()
	time.Sleep(time.Minute)
	device.mu.Lock()
	defer device.mu.Unlock()
	for i := range calls {
		sent, ok := device.sent[float64(10*i)]
		if ok && errs[i] != nil && sent.After(told[i]) {
			t.Errorf("value %d was sent to the device %v after its caller was told %v", 10*i, sent.Sub(told[i]),
				errs[i])
		}
		if !ok && errs[i] == nil {
			t.Errorf("value %d was never sent, though its caller was told that it was", 10*i)
		}
	}
}

// TestTheAgeOfACallIsNotGuessedTooHigh: after a stall the calls have their whole time again.
func TestTheAgeOfACallIsNotGuessedTooHigh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &road{}
		l := newLab(t)
		l.client = l.newClient(func(o *host.Options) { o.HTTPClient = r.over(l.board) })
		left := make(chan time.Duration, 1)
		l.plugin.onCall(func(ctx context.Context, _ host.Call) host.Result {
			deadline, _ := ctx.Deadline()
			left <- time.Until(deadline)
			return host.Result{}
		})
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		defer r.connection.Wait()
		defer l.stop()
		l.ready()
		for i := range 5 {
			r.stall(9*time.Second, 0)
			if err := l.host.SetValue(t.Context(), "SN1_grid_limit", 10*i); err != nil {
				t.Fatal(err)
			}
			if d := <-left; d > 21100*time.Millisecond || d < 20*time.Second {
				t.Errorf("a call that was 9 s on its way has %v left", d)
			}
			time.Sleep(30 * time.Second)
			if err := l.host.SetValue(t.Context(), "SN1_grid_limit", 10*i+5); err == nil {
				if d := <-left; d < 29*time.Second {
					t.Errorf("half a minute after a stall a call has %v left", d)
				}
			}
		}
	})
}

// stoppable is a clock of a process that can be stopped.
type stoppable struct {
	mu      sync.Mutex
	began   time.Time
	stopped time.Duration
}

func (s *stoppable) now() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.began) + s.stopped
}

func (s *stoppable) stop(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped += d
}

// TestAProcessThatWasStopped finds a call in its socket when it goes on. Its caller has been told long ago.
func TestAProcessThatWasStopped(t *testing.T) {
	for _, c := range []struct {
		stopped time.Duration
		unread  bool
	}{{2 * time.Second, false}, {11 * time.Second, true}, {40 * time.Second, true}, {24 * time.Hour, true}} {
		t.Run(c.stopped.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &stoppable{began: time.Now()}
				l := newLab(t, func(o *host.Options) { o.Clock = clock.now })
				carriedOut := make(chan any, 10)
				l.plugin.onCall(func(_ context.Context, c host.Call) host.Result {
					carriedOut <- c.Value
					return host.Result{Value: c.Value}
				})
				l.outbox.Put(known())
				l.serve(devhost.Options{})
				l.start()
				defer l.stop()
				l.ready()
				time.Sleep(time.Minute + 100*time.Millisecond)
				clock.stop(c.stopped) // and the call is the first that is read after it
				err := l.host.SetValue(t.Context(), "SN1_grid_limit", 50)
				if (err != nil) != c.unread || (len(carriedOut) == 0) != c.unread {
					t.Errorf("the caller was told %v, carried out %d times", err, len(carriedOut))
				}
				time.Sleep(5 * time.Second)
				if !l.client.Status().Ready || (l.log.count("was stopped for a while") == 1) != c.unread {
					t.Errorf("status %+v\n%s", l.client.Status(), tail(l.log.String()))
				}
				if err := l.host.SetValue(t.Context(), "SN1_grid_limit", 60); err != nil {
					t.Errorf("a call after that: %v", err)
				}
			})
		})
	}
}

func tail(text string) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// TestHowLongACallerCertainlyWaits: in a process that goes on after a stop the answer is right before anything else is.
func TestHowLongACallerCertainlyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &stoppable{began: time.Now()}
		l := newLab(t, func(o *host.Options) { o.Clock = clock.now })
		l.plugin.onCall(func(ctx context.Context, c host.Call) host.Result {
			for range 25 { // while the session lives the time grows
				time.Sleep(time.Second)
				if left := time.Until(c.Certain()); left < 9*time.Second || left > 20*time.Second {
					t.Errorf("%v are certain", left)
				}
			}
			clock.stop(21 * time.Second)
			if left := time.Until(c.Certain()); left >= 0 || ctx.Err() != nil {
				t.Errorf("after a stop of 21 s %v are certain, %v", left, ctx.Err())
			}
			return host.Result{}
		})
		l.outbox.Put(known())
		l.serve(devhost.Options{})
		l.start()
		defer l.stop()
		l.ready()
		time.Sleep(time.Minute)
		_ = l.host.SetValue(t.Context(), "SN1_grid_limit", 50)
	})
}

// TestTheSessionEndsBeforeTheCompanionGivesItUp: the companion tells its callers 25 s after the last heartbeat that it
// heard. Whenever the way to it stalls, the plugin's session is over by then.
func TestTheSessionEndsBeforeTheCompanionGivesItUp(t *testing.T) {
	for offset := time.Duration(0); offset < 10*time.Second; offset += 730 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			r := &road{}
			l := newLab(t)
			l.client = l.newClient(func(o *host.Options) { o.HTTPClient = r.over(l.board) })
			ended := make(chan time.Time, 1)
			l.plugin.onCall(func(ctx context.Context, _ host.Call) host.Result {
				<-ctx.Done()
				ended <- time.Now()
				return host.Result{Err: host.NewCallError(host.CodeCancelled, "", nil)}
			})
			l.outbox.Put(known())
			l.serve(devhost.Options{Write: 5 * time.Minute})
			l.start()
			defer r.connection.Wait()
			defer l.stop()
			l.ready()
			time.Sleep(time.Minute + offset)
			told := make(chan time.Time, 1)
			r.stall(0, time.Minute)
			go func() {
				_ = l.host.SetValue(context.Background(), "SN1_grid_limit", 50)
				told <- time.Now()
			}()
			if end, t0 := <-ended, <-told; !end.Before(t0) {
				t.Errorf("offset %v: the call ended %v after its caller was told", offset, end.Sub(t0))
			}
		})
	}
}
