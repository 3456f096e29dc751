package cli

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/rs/zerolog"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host"
	"solarhub/plugin/web"
)

// BenchmarkDemoStart measures from the start of the demo to a page with live values, in a browser that runs already.
func BenchmarkDemoStart(b *testing.B) {
	p := openTab(b, "about:blank", 1280, 900)
	var sum time.Duration
	for b.Loop() {
		began := time.Now()
		s := startDemo(b, demoFlags{})
		p.Do("open the page", chromedp.Navigate(s.url+"/"))
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
	p.Wait("the settings", row(chargeLevel))
	p.Wait("the settings", row(chargeCurrent))
	for name, set := range map[string]struct {
		entity    string
		low, step int
	}{"tcp": {chargeLevel, 40, 1}, "serial": {chargeCurrent, 30, 1}} {
		b.Run(name, func(b *testing.B) {
			var sum, most float64
			n := 0
			for b.Loop() {
				n++
				p.enter(set.entity, fmt.Sprint(set.low+n%20*set.step))
				p.Wait("the confirmation", fmt.Sprintf("%s.dataset.outcome === 'confirmed'", row(set.entity)))
				var took float64
				p.Eval("Number("+row(set.entity)+".dataset.ms)", &took)
				sum, most = sum+took, max(most, took)
			}
			b.ReportMetric(sum/float64(n), "ms/set")
			b.ReportMetric(most, "ms/longest")
		})
	}
}

// many is how many entities the page has to bear.
const many = 2000

// crowd is a plugin with many sensors on ten devices.
type crowd struct{ definitions host.Definitions }

func (c *crowd) Describe() host.Definitions                  { return c.definitions }
func (c *crowd) Call(context.Context, host.Call) host.Result { return host.Result{} }
func (c *crowd) Config([]string)                             {}

// joinCrowd connects a crowd, and returns what gives the sensors of a device new values.
func joinCrowd(b *testing.B, url string) (tell func(device, round int)) {
	b.Helper()
	at, err := host.ParseAddress(url)
	if err != nil {
		b.Fatal(err)
	}
	c, outbox := &crowd{}, host.NewOutbox()
	tell = func(device, round int) {
		states := host.States{Values: map[string]any{}}
		for n := range many / 10 {
			states.Values[fmt.Sprintf("C%d_power_%d", device, n)] = (n*37 + round*11) % 9000
		}
		outbox.Put(states)
	}
	for d := range 10 {
		id := fmt.Sprintf("C%d", d)
		c.definitions.Devices = append(c.definitions.Devices, host.Device{ID: id, Name: "Device " + id})
		for n := range many / 10 {
			key := fmt.Sprintf("power_%d", n)
			c.definitions.Entities = append(c.definitions.Entities, host.Entity{ID: id + "_" + key, Device: id,
				Platform: "sensor", Key: key, Name: fmt.Sprintf("Power %d", n), DeviceClass: "power", Unit: "W",
				StateClass: "measurement", Enabled: true})
		}
		outbox.Put(host.States{Devices: map[string]host.DeviceState{id: {Online: true}}})
		tell(d, 0)
	}
	client, err := host.New(host.Options{Address: at, Token: host.NewSecret("x"), PluginVersion: "1",
		Installation: "crowd", Plugin: c, Outbox: outbox, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
	return tell
}

// BenchmarkPageOf2000Entities measures the first picture of a page with 2,000 entities, and what their updates cost the
// browser: each has a new value every two seconds.
func BenchmarkPageOf2000Entities(b *testing.B) {
	h := devhost.New(devhost.Options{Open: true, Page: web.Page()})
	server := httptest.NewServer(h.Handler())
	b.Cleanup(func() { h.Close(); server.Close() })
	tell := joinCrowd(b, server.URL)
	p := openTab(b, "about:blank", 1280, 900)
	if _, err := chromedp.Call(p.Ctx, performance.Enable,
		performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p.Do("open the page", chromedp.Navigate(server.URL+"/#/devices"))
		p.Do("load it anew", chromedp.Reload())
		p.Wait("all entities", fmt.Sprintf("document.querySelectorAll('.row').length === %d", many))
		var shown float64
		p.Eval(`performance.getEntriesByName("entities shown")[0].startTime`, &shown)
		b.ReportMetric(shown, "ms/first")
		busy, began := p.busy(), time.Now()
		for round := range 20 { // 200 sensors 5 times a second
			tell(round%10, round)
			time.Sleep(200 * time.Millisecond)
		}
		b.ReportMetric(100*(p.busy()-busy)/time.Since(began).Seconds(), "%core")
	}
}

// busy returns how many seconds of processor time the page's thread has taken.
func (p *tab) busy() float64 {
	metrics, err := chromedp.Call(p.Ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		p.T.Fatal(err)
	}
	for _, m := range metrics.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value
		}
	}
	p.T.Fatal("the browser does not tell how long it has worked")
	return 0
}
