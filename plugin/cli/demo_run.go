package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"solarhub/plugin"
	"solarhub/plugin/companion"
	"solarhub/plugin/config"
	"solarhub/plugin/demo"
	"solarhub/plugin/devhost"
	"solarhub/plugin/web"
)

// demoRun is everything that runs: lines, plugin and, unless a real Home Assistant is used, the development host with
// its page.
type demoRun struct {
	house   *demo.Household
	config  config.Config
	version string
	log     zerolog.Logger
	url     string // of the host
	token   string
	note    string // that the person should know

	listener net.Listener // nil with a real Home Assistant
	options  devhost.Options
	host     atomic.Pointer[devhost.Host] // nil while it is down
	plugin   atomic.Pointer[plugin.Plugin]
}

// newDemo opens all ports and lines, so that one that cannot be opened is reported before anything runs.
func (a *app) newDemo(ctx context.Context, flags demoFlags, dir string) (*demoRun, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	d := &demoRun{version: a.manifest.Version, log: log, url: flags.url}
	if d.house, err = demo.NewHousehold(dir, flags.seed, flags.day, flags.fault); err != nil {
		return nil, err
	}
	if flags.url == "" {
		err = d.listen(flags)
	} else {
		d.token, err = flags.token.read()
	}
	if err != nil {
		return nil, err
	}
	if err := d.house.Open(ctx); err != nil {
		return nil, errors.Join(err, d.giveBack())
	}
	d.config, err = config.Parse("the demo's configuration", []byte(d.house.Config(d.url, d.token, dir)))
	return d, err
}

// listen takes the place of the page and makes the host's settings.
func (d *demoRun) listen(flags demoFlags) (err error) {
	if d.listener, d.note, err = demoListener(flags); err != nil {
		return err
	}
	d.token = "demo." + rand.Text() + ".token"
	host, port, _ := net.SplitHostPort(d.listener.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	d.url = "http://" + net.JoinHostPort(host, port)
	texts, err := companion.Sentences()
	if err != nil {
		return errors.Join(err, d.giveBack())
	}
	d.options = devhost.Options{
		Token: d.token, Open: web.Loopback(d.listener.Addr()),
		Grace: 10 * time.Second, Companion: d.version, Texts: texts, Line: d.observe, Page: web.Page(),
		Log: d.log.With().Str("part", "host").Logger(),
	}
	return nil
}

// giveBack closes what was opened and will not be served.
func (d *demoRun) giveBack() error {
	if d.listener == nil {
		return nil
	}
	return d.listener.Close()
}

// introduceDemo prints where everything is.
func (a *app) introduceDemo(d *demoRun) {
	fmt.Fprintln(a.Out, "A simulated house:")
	for i, l := range d.house.Lines {
		faults := ""
		if f := l.Devices[0].Config.Faults; f != "" {
			faults = ", with faults " + f
		}
		fmt.Fprintf(a.Out, "  %-8s %s, %s%s\n", d.config.Lines[i].Devices[0].Name, l.Devices[0].Profile.Name, l, faults)
	}
	if d.note != "" {
		fmt.Fprintf(a.Out, "\nNote: %s.\n", d.note)
	}
	switch {
	case d.listener == nil:
		fmt.Fprintf(a.Out, "\nIt is shown in the Home Assistant at %s. Ctrl-C ends it.\n", d.url)
	case d.options.Open:
		fmt.Fprintf(a.Out, "\nOpen  %s/\n\nCtrl-C ends it.\n", d.url)
	default:
		fmt.Fprintf(a.Out, "\nOpen  %s/#token=%s\n\n", d.url, d.token)
		if strings.Contains(d.url, "127.0.0.1") { // --listen is all addresses
			fmt.Fprint(a.Out, "From another machine: the same with this one's address in place of 127.0.0.1. ")
		}
		fmt.Fprintln(a.Out, "Ctrl-C ends it.")
	}
}

// run serves until ctx ends or a part fails. The plugin ends first, for it has to tell its host, then the host, then
// the lines.
func (d *demoRun) run(ctx context.Context) error {
	ctx, fail := context.WithCancel(ctx)
	defer fail()
	lines, host := newPart(ctx, fail), newPart(ctx, fail)
	for _, l := range d.house.Lines {
		lines.start(l.Serve)
	}
	if d.listener != nil {
		host.start(d.serveHost)
	}
	err := d.runPlugin(ctx)
	return errors.Join(err, host.end(), lines.end())
}

// part is some of what runs. It outlives the context it was made with until it is ended.
type part struct {
	ctx     context.Context
	cancel  context.CancelFunc
	fail    func() // is called when one of it has ended
	running sync.WaitGroup
	mu      sync.Mutex
	err     error
}

func newPart(ctx context.Context, fail func()) *part {
	p := &part{fail: fail}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return p
}

func (p *part) start(run func(context.Context) error) {
	p.running.Go(func() {
		defer p.fail()
		if err := run(p.ctx); err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.err = errors.Join(p.err, err)
		}
	})
}

// end ends it and returns what went wrong.
func (p *part) end() error {
	p.cancel()
	p.running.Wait()
	return p.err
}

// runPlugin runs the plugin until ctx ends.
func (d *demoRun) runPlugin(ctx context.Context) error {
	p, err := plugin.New(d.config, plugin.Deps{Log: d.log, Version: d.version, Observer: d.exchanged})
	if err != nil {
		return err
	}
	d.plugin.Store(p)
	defer d.plugin.Store(nil)
	return p.Run(ctx)
}

// observe answers what the page asks of the lines.
func (d *demoRun) observe(ctx context.Context, _ string) (any, error) {
	p := d.plugin.Load()
	if p == nil {
		return nil, errors.New("SolarHub does not run")
	}
	return p.Observe(ctx)
}

// exchanged shows an exchange to those who look at the line.
func (d *demoRun) exchanged(e plugin.Exchange) {
	if h := d.host.Load(); h != nil && h.Watched("exchange") {
		h.Publish("exchange", e)
	}
}

// serveHost serves the host's WebSocket and its page until ctx ends.
func (d *demoRun) serveHost(ctx context.Context) error {
	d.openHost()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := d.host.Load(); h != nil {
			h.Handler().ServeHTTP(w, r)
			return
		}
		http.Error(w, "The host is starting", http.StatusBadGateway)
	})
	defer d.closeHost()
	return web.Serve(ctx, d.listener, handler)
}

// openHost starts a host that knows what survives a restart of the last one.
func (d *demoRun) openHost() { d.host.Store(devhost.New(d.options)) }

// closeHost ends the host as if it were killed.
func (d *demoRun) closeHost() {
	if h := d.host.Swap(nil); h != nil {
		h.Close()
		d.options.Before = h
	}
}
