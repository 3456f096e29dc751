package devhost

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

func TestASessionWithoutHeartbeatEnds(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Host, open func() *talker) {
		c := open()
		session := c.plug()
		time.Sleep(24 * time.Second)
		c.ok(host.CommandHeartbeat, object{"session": session})
		time.Sleep(24 * time.Second)
		if !h.Ready("house") {
			t.Fatal("the session ended early")
		}
		time.Sleep(2 * time.Second)
		if h.Ready("house") {
			t.Fatal("the session lives without a heartbeat")
		}
		time.Sleep(28 * time.Second)
		if s, _ := h.State("SN1_limit"); s.State != "10" {
			t.Errorf("in the grace period limit is %q", s.State)
		}
		time.Sleep(2 * time.Second)
		if s, _ := h.State("SN1_limit"); s.State != Unavailable {
			t.Errorf("after the grace period limit is %q", s.State)
		}
	})
}

func TestByeSetsTheGrace(t *testing.T) {
	for back, grace := range map[int]time.Duration{100_000: 100 * time.Second, 900_000: 300 * time.Second, 0: 0} {
		inBubble(t, Options{}, func(t *testing.T, h *Host, open func() *talker) {
			c := open()
			session := c.plug()
			c.ok(host.CommandBye, object{"session": session, "reason": "restart", "back_in_ms": back})
			c.ws.CloseNow()
			synctest.Wait()
			if grace > 0 {
				time.Sleep(grace - time.Second)
				if s, _ := h.State("SN1_limit"); s.State != "10" {
					t.Errorf("bye %d ms: limit is %q before the grace period is over", back, s.State)
				}
			}
			time.Sleep(2 * time.Second)
			if s, _ := h.State("SN1_limit"); s.State != Unavailable {
				t.Errorf("bye %d ms: limit is %q after the grace period", back, s.State)
			}
		})
	}
}

func TestACallThatIsNeverAnswered(t *testing.T) {
	inBubble(t, Options{Heartbeat: time.Hour}, func(t *testing.T, h *Host, open func() *talker) {
		c := open()
		c.plug()
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- h.SetValue(context.Background(), "SN1_limit", 5) }()
		c.hear() // the call
		if err := <-done; err == nil || asError(err).Key != host.CodeTimeout || time.Since(began) != 32*time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(began))
		}
		if got := c.hear(); !strings.Contains(got, `"type":"cancel"`) {
			t.Errorf("then the plugin hears %s", got)
		}
		c.ws.CloseNow()
	})
}

func TestASetValueWaitsForThePlugin(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Host, open func() *talker) {
		c := open()
		c.plug()
		c.ws.CloseNow()
		synctest.Wait()
		began := time.Now()
		if err := h.SetValue(t.Context(), "SN1_limit", 5); err == nil || asError(err).Key != host.CodeNotConnected ||
			time.Since(began) != 10*time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(began))
		}
		done := make(chan error, 1)
		go func() { done <- h.SetValue(context.Background(), "SN1_limit", 5) }()
		time.Sleep(5 * time.Second)
		c = open()
		session := c.plug()
		c.answer(session, nil)
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.ws.CloseNow()
	})
}

// What waits for a client that does not read is bounded: in messages, and in bytes for those that ask for much.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		most    int // commands until it is cut off
	}{"many small answers": {"ping", queueLimit}, "large answers": {"get_states", queueBytes / (8 << 10)}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, h *Host, open func() *talker) {
				h.mu.Lock()
				h.put("sensor.x", strings.Repeat("x", 8<<10), nil, Context{})
				h.mu.Unlock()
				client := open()
				sent := 0 // and never read
				for ; sent < 2*queueLimit; sent++ {
					text := fmt.Sprintf(`{"id":%d,"type":%q}`, sent+1, c.command)
					if client.ws.Write(t.Context(), websocket.MessageText, []byte(text)) != nil {
						break
					}
				}
				synctest.Wait()
				if sent < c.most*9/10 || sent > c.most+10 {
					t.Errorf("cut off after %d commands, want about %d", sent, c.most)
				}
				h.mu.Lock()
				defer h.mu.Unlock()
				if n := len(h.conns); n != 0 {
					t.Errorf("%d connections are left", n)
				}
			})
		})
	}
}
