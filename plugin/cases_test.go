package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/simulate"
	"solarhub/plugin/companion"
	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/doctor"
	"solarhub/plugin/host"
	"solarhub/plugin/host/waytest"
	"solarhub/protocol/sim"
)

// casesDir has one folder for each case that was reported from the field; its README says how they are made.
const casesDir = "testdata/cases"

// TestCases runs each folder: the plugin with its configuration against a server that plays its script and a host, all
// on virtual time. A case with `pending` must fail; if it does not, it is no longer pending.
func TestCases(t *testing.T) {
	folders, err := os.ReadDir(casesDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newFieldCase(t, filepath.Join(casesDir, f.Name()))
				if len(c.failed) == 0 {
					time.Sleep(c.want.start)
					c.run()
				}
				c.verdict()
			})
		})
	}
}

// fieldCase is one case while it runs.
type fieldCase struct {
	t      *testing.T
	dir    string
	want   expectation
	config config.Config
	began  time.Time

	line  *sim.Line // of the run
	mu    sync.Mutex
	dials int
	read  []Exchange // that were answered with data

	host   *devhost.Host
	client *http.Client
	plugin atomic.Pointer[caseRun] // the newest: a step may start another
	seen   *history
	failed []string
}

func newFieldCase(t *testing.T, dir string) *fieldCase {
	t.Helper()
	c := &fieldCase{t: t, dir: dir, seen: newHistory()}
	var err error
	if c.want, err = parseExpectation(c.file("expect.yaml")); err != nil {
		t.Fatal(err)
	}
	if c.config, err = config.Parse(c.file("solarhub.yaml")); err != nil {
		c.fail("%v", err)
		return c
	}
	for i := range c.config.Lines { // one process of the machine may have a line at a time
		c.config.Lines[i].Address = fmt.Sprintf("%s-%d.%d:502", filepath.Base(dir), i+1, os.Getpid())
	}
	c.config.Data, c.config.Host.Token = t.TempDir(), host.NewSecret(goodToken)
	return c
}

func (c *fieldCase) file(name string) (path string, data []byte) {
	path = filepath.Join(c.dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return path, data
}

// serve has the lines of the configuration lead to the server, until ctx ends and the returned function has waited.
func (c *fieldCase) serve(ctx context.Context) (wait func()) {
	line, err := simulate.ParseServer(c.file("server.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.line = line
	var serving sync.WaitGroup
	for i, l := range c.config.Lines {
		framing := map[config.Transport]sim.Framing{config.TCP: sim.TCP, config.RTUOverTCP: sim.RTU}[l.Transport]
		if l.Transport == config.Serial {
			c.t.Fatal("a serial port is not on virtual time: use rtu_over_tcp")
		}
		c.config.Lines[i].Dial = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			c.mu.Lock()
			c.dials++
			c.mu.Unlock()
			serving.Go(func() { _ = line.ServeConn(ctx, there, framing) }) // what it is asked is judged by the journal
			return here, nil
		}
	}
	return serving.Wait
}

// run has the plugin at work for as long as the case says, and compares what came of it.
func (c *fieldCase) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer c.serve(ctx)()
	defer cancel()
	c.began = time.Now()
	c.openHost(ctx)
	c.start()
	watching, ended := context.WithCancel(ctx)
	var steps sync.WaitGroup
	steps.Go(func() { c.seen.watch(watching, c.host) })
	for _, s := range c.want.steps {
		steps.Go(func() { c.step(ctx, s) })
	}
	time.Sleep(c.want.run)
	synctest.Wait()
	c.judge()
	c.plugin.Load().stop()
	ended()
	steps.Wait()
	if c.want.checked {
		c.check(ctx)
	}
}

// openHost runs a host behind pipes until ctx ends.
func (c *fieldCase) openHost(ctx context.Context) {
	texts, err := companion.Sentences()
	if err != nil {
		c.t.Fatal(err)
	}
	c.host = devhost.New(devhost.Options{Token: goodToken, Hosts: []string{"host"}, Texts: texts})
	listener := waytest.NewPipes()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: listener.Dial}
	c.client = &http.Client{Transport: transport}
	served := make(chan error, 1)
	go func() { served <- c.host.Run(ctx, listener) }()
	c.t.Cleanup(func() {
		if err := <-served; err != nil {
			c.t.Error(err)
		}
	})
}

// start runs a new plugin on the case's configuration and data folder.
func (c *fieldCase) start() {
	log := zerolog.Nop()
	if os.Getenv("SOLARHUB_TEST_LOG") != "" {
		log = zerolog.New(zerolog.NewTestWriter(c.t)).Level(zerolog.DebugLevel)
	}
	began := time.Now()
	nowhere := func(string) (net.Listener, error) { return nil, errors.New("on virtual time there are no sockets") }
	p, err := New(c.config, Deps{Log: log, Version: "1.2.3", HTTPClient: c.client, Observer: c.observe, Listen: nowhere,
		Clock: func() time.Duration { return time.Since(began) }})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	c.plugin.Store(&caseRun{p, func() {
		cancel()
		if err := <-ended; err != nil {
			c.t.Errorf("the plugin ended with %v", err)
		}
	}})
}

// caseRun is a plugin that runs in a case.
type caseRun struct {
	*Plugin
	stop func()
}

// check has the doctor look at the server, as `solarhub check --live` does.
func (c *fieldCase) check(ctx context.Context) {
	known, err := WithKnown(c.config, zerolog.Nop())
	if err != nil {
		c.t.Fatal(err)
	}
	all, err := doctor.CheckLive(ctx, known, doctor.LiveOptions{For: 20 * time.Second, Log: zerolog.Nop()})
	if err != nil {
		c.t.Fatal(err)
	}
	c.judgeCheck(all)
}

// verdict fails the test unless the case turned out as it says.
func (c *fieldCase) verdict() {
	switch {
	case c.want.pending == "":
		for _, f := range c.failed {
			c.t.Error(f)
		}
	case len(c.failed) == 0:
		c.t.Errorf("it is as it should be: take `pending: %s` out", c.want.pending)
	default:
		c.t.Logf("pending: %s", c.want.pending)
		for _, f := range c.failed {
			c.t.Log(f)
		}
	}
}
