package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"solarhub/plugin/devhost"
	"solarhub/plugin/web"
)

// BenchmarkDemoStart measures from the start of the demo to a page with live values, in a browser that runs already.
func BenchmarkDemoStart(b *testing.B) {
	p := openTab(b, "about:blank", 1280, 900)
	var sum time.Duration
	for b.Loop() {
		began := time.Now()
		s := startDemo(b, demoFlags{})
		p.do("open the page", chromedp.Navigate(s.url+"/"))
		p.live()
		sum += time.Since(began)
		s.end()
	}
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "ms/live")
}

// BenchmarkPageSet measures what a person waits for: from pressing Enter to the confirmation in the page.
func BenchmarkPageSet(b *testing.B) {
	s := startDemo(b, demoFlags{})
	p := openTab(b, s.url+"/#/devices", 1280, 900)
	p.wait("the settings", row(chargePower))
	p.wait("the settings", row(chargeCurrent))
	for name, set := range map[string]struct {
		entity    string
		low, step int
	}{"tcp": {chargePower, 1000, 100}, "serial": {chargeCurrent, 30, 1}} {
		b.Run(name, func(b *testing.B) {
			var sum, most float64
			n := 0
			for b.Loop() {
				n++
				p.enter(set.entity, fmt.Sprint(set.low+n%20*set.step))
				p.wait("the confirmation", fmt.Sprintf("%s.dataset.outcome === 'confirmed'", row(set.entity)))
				var took float64
				p.eval("Number("+row(set.entity)+".dataset.ms)", &took)
				sum, most = sum+took, max(most, took)
			}
			b.ReportMetric(sum/float64(n), "ms/set")
			b.ReportMetric(most, "ms/longest")
		})
	}
}

// many is how many entities the page has to bear.
const many = 2000

// crowd is a plugin with many sensors on some devices.
type crowd struct {
	b       testing.TB
	ws      *websocket.Conn
	id      int64
	session int64
}

func (c *crowd) do(kind string, fields map[string]any) map[string]any {
	c.b.Helper()
	c.id++
	fields["id"], fields["type"] = c.id, kind
	text, _ := json.Marshal(fields)
	if err := c.ws.Write(context.Background(), websocket.MessageText, text); err != nil {
		c.b.Fatal(err)
	}
	for {
		_, frame, err := c.ws.Read(context.Background())
		if err != nil {
			c.b.Fatal(err)
		}
		var m struct {
			ID      int64
			Type    string
			Success bool
			Result  map[string]any
		}
		if err := json.Unmarshal(frame, &m); err != nil || m.Type == "result" && !m.Success {
			c.b.Fatalf("%s: %s", kind, frame)
		}
		if m.ID == c.id && m.Type == "result" {
			return m.Result
		}
	}
}

// newCrowd connects a plugin whose sensors all have values.
func newCrowd(b testing.TB, url string) *crowd {
	b.Helper()
	ws, _, err := websocket.Dial(b.Context(), url+"/api/websocket", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(4 << 20)
	c := &crowd{b: b, ws: ws}
	_, _, _ = ws.Read(b.Context())
	if err := ws.Write(b.Context(), websocket.MessageText, []byte(`{"type":"auth","access_token":"x"}`)); err != nil {
		b.Fatal(err)
	}
	_, _, _ = ws.Read(b.Context())
	hello := c.do("solarhub/hello", map[string]any{"protocol": map[string]int{"min": 1, "max": 1},
		"plugin_version": "1", "installation": "crowd",
		"epoch": time.Now().UnixMilli(), "devices": []string{"C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8",
			"C9"}})
	c.session = int64(hello["session"].(float64))
	for seq := range 10 {
		device := fmt.Sprintf("C%d", seq)
		var entities []any
		for n := range many / 10 {
			key := fmt.Sprintf("power_%d", n)
			entities = append(entities, map[string]any{"id": device + "_" + key, "device": device, "platform": "sensor",
				"key": key, "name": fmt.Sprintf("Power %d", n), "device_class": "power", "unit": "W",
				"state_class": "measurement", "precision": 0, "enabled": true})
		}
		c.do("solarhub/register", map[string]any{"session": c.session, "seq": seq, "last": seq == 9, "hash": "h",
			"devices": []any{map[string]any{"id": device, "name": "Device " + device}}, "entities": entities})
	}
	for device := range 10 {
		c.tell(device, 0, 0, many/10, device == 9)
	}
	return c
}

// tell sends new values of some sensors of a device.
func (c *crowd) tell(device, round, first, count int, ready bool) {
	values := map[string]any{}
	for n := first; n < first+count; n++ {
		values[fmt.Sprintf("C%d_power_%d", device, n)] = (n*37 + round*11) % 9000
	}
	frame := map[string]any{"session": c.session, "s": values}
	if ready {
		frame["ready"] = true
	}
	c.do("solarhub/states", frame)
}

// BenchmarkPageOf2000Entities measures the first picture of a page with 2,000 entities, and what their updates cost the
// browser: each has a new value every two seconds.
func BenchmarkPageOf2000Entities(b *testing.B) {
	h, err := devhost.New(devhost.Options{Open: true, Page: web.Page()})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(h.Handler())
	b.Cleanup(func() { h.Close(); server.Close() })
	c := newCrowd(b, server.URL)
	p := openTab(b, "about:blank", 1280, 900)
	if _, err := chromedp.Call(p.ctx, performance.Enable,
		performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.do("open the page", chromedp.Navigate(server.URL+"/#/devices"))
		p.do("load it anew", chromedp.Reload())
		p.wait("all entities", fmt.Sprintf("document.querySelectorAll('.row').length === %d", many))
		var shown float64
		p.eval(`performance.getEntriesByName("entities shown")[0].startTime`, &shown)
		b.ReportMetric(shown, "ms/first")
		busy, began := p.busy(), time.Now()
		for round := range 20 { // 200 sensors 5 times a second
			c.tell(round%10, round, 0, many/10, false)
			time.Sleep(200 * time.Millisecond)
		}
		b.ReportMetric(100*(p.busy()-busy)/time.Since(began).Seconds(), "%core")
	}
}

// busy returns how many seconds of processor time the page's thread has taken.
func (p *tab) busy() float64 {
	metrics, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value
		}
	}
	p.t.Fatal("the browser does not tell how long it has worked")
	return 0
}
