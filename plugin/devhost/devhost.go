// Package devhost is a development host: it stands in for Home Assistant with the SolarHub companion, so that a plugin,
// a card and a page can be tried and tested in one process. It speaks the part of Home Assistant's WebSocket API that
// they need, and the companion's side of plugin/PROTOCOL.md. Where it and a real Home Assistant disagree, the real one
// is right: TestContract holds both to what a real one shows.
//
// It has only what the contract needs and the demo shows: entities and their states, the actions that set them, scenes,
// and one automation. It takes what a client sends at its word where Home Assistant checks each field: that check is
// tested at the real one. Home Assistant has none of this: the commands devhost/line and devhost/line/subscribe
// (line.go), the command devhost/automation (automation.go), and the event devhost_write, which tells how each
// set-value ended.
package devhost

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"solarhub/plugin/web"
)

// Options is what a Host is made of.
type Options struct {
	Token      string // access token of an administrator. Defaults to "token"
	PlainToken string // access token of a user who is none. Defaults to none
	Open       bool   // every token is the owner's: for a host that only this machine can reach, see web.Loopback
	Before     *Host  // closed: this one knows what survives a restart of that one. Defaults to none

	// names under which it is served, beside addresses and localhost. Defaults to this machine's, also with .local
	Hosts []string
	Page  http.Handler // serves what is not under /api/. Defaults to none

	Heartbeat time.Duration // told to the plugin; 2.5 times that without one is the end of a session. Defaults to 10 s
	Grace     time.Duration // entities stay available so long after a loss. Defaults to 30 s
	Write     time.Duration // a set-value may take so long in the plugin. Defaults to 30 s

	Companion string // version of the companion. Defaults to "0.0.0-devhost"
	// the companion's English sentences by error code, with {placeholders}. Defaults to the bare reason
	Texts map[string]string

	// Line returns what the process knows of its lines, for the command devhost/line; the topic is empty or a part of
	// that. What changes goes out with Host.Publish. Defaults to none.
	Line func(ctx context.Context, topic string) (any, error)

	WithoutCompanion       bool // the solarhub commands are not known, as before `solarhub install`
	SafeMode, RecoveryMode bool // told by get_config

	Log zerolog.Logger
}

const (
	version        = "2026.11.0"       // of Home Assistant, as the plugin is told
	connections    = 128               // that are open at once; beyond, one is refused
	refreshTimeout = 120 * time.Second // for the action refresh in the plugin
	answerTimeout  = 2 * time.Second   // the plugin's answer to a call is awaited so much longer than the call may take
	connectTimeout = 10 * time.Second  // within the grace period a call waits so long for the plugin
)

func (o Options) withDefaults() Options {
	o.Token = cmp.Or(o.Token, "token")
	o.Companion = cmp.Or(o.Companion, "0.0.0-devhost")
	o.Heartbeat = cmp.Or(o.Heartbeat, 10*time.Second)
	o.Grace = cmp.Or(o.Grace, 30*time.Second)
	o.Write = cmp.Or(o.Write, 30*time.Second)
	if name, err := os.Hostname(); err == nil && o.Hosts == nil {
		name = strings.ToLower(name)
		o.Hosts = []string{name, name + ".local"}
	}
	return o
}

// Host is a development host. One mutex guards all that it knows. Whoever holds it neither waits nor touches a disk.
type Host struct {
	options Options
	handler http.Handler
	started time.Time

	mu            sync.Mutex
	closed        bool
	open          int                // connections
	conns         map[*conn]struct{} // that have said who they are
	installations map[string]*installation
	roots         map[string]*root      // by device id without part
	entities      map[string]*entity    // by unique id
	byEntityID    map[string]*entity    // by Home Assistant's entity_id
	registry      map[string]registered // by unique id
	deleted       map[string]string     // by device or part that the owner deleted: the installation that served it
	states        map[string]State      // by entity_id
	scenes        map[string][]member   // by entity_id
	automation    *automation           // nil: none
	lastSession   int64
	lastEntity    int64
	change        chan struct{} // closed and replaced when anything changes

	life    context.Context // of what goes on without a client
	stop    context.CancelFunc
	serving sync.WaitGroup
}

// New returns a host. It starts nothing.
func New(o Options) *Host {
	h := &Host{
		options:       o.withDefaults(),
		started:       time.Now(),
		conns:         map[*conn]struct{}{},
		installations: map[string]*installation{},
		roots:         map[string]*root{},
		entities:      map[string]*entity{},
		byEntityID:    map[string]*entity{},
		registry:      map[string]registered{},
		deleted:       map[string]string{},
		states:        map[string]State{},
		scenes:        map[string][]member{},
		change:        make(chan struct{}),
	}
	h.life, h.stop = context.WithCancel(context.Background())
	if o.Before != nil {
		h.resume(o.Before)
	}
	h.handler = h.routes()
	return h
}

// Handler serves /api/websocket and the page. It refuses what comes under a name that is
// not this host's or from a page that is not.
func (h *Host) Handler() http.Handler { return h.handler }

func (h *Host) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/websocket", h.accept)
	if h.options.Page != nil {
		mux.Handle("/", h.options.Page)
	}
	return web.Guard(mux, h.options.Hosts...)
}

// Run serves on a listener until ctx ends, then closes every connection and returns nil.
func (h *Host) Run(ctx context.Context, listener net.Listener) error {
	defer h.Close()
	return web.Serve(ctx, listener, h.Handler())
}

// Close ends every connection, as when Home Assistant is killed, and waits for them.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	h.stop()
	for c := range h.conns {
		c.end()
	}
	for _, i := range h.installations {
		i.endCalls(math.MaxInt64)
		i.stopTimers()
	}
	h.notify() // who waits for a plugin need not any more
	h.mu.Unlock()
	h.serving.Wait()
	h.mu.Lock()
	for _, i := range h.installations { // the ends of the sessions began a grace period
		i.stopTimers()
	}
	h.mu.Unlock()
}

// Drop cuts every connection without a word, as a network does, and goes on serving.
func (h *Host) Drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		c.end()
	}
}

// admit counts a connection in, or says why not.
func (h *Host) admit() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errors.New("stopped")
	case h.open >= connections:
		return fmt.Errorf("%d connections are open, which is the limit", h.open)
	}
	h.open++
	h.serving.Add(1)
	return nil
}

func (h *Host) accept(w http.ResponseWriter, r *http.Request) {
	if err := h.admit(); err != nil {
		w.Header().Set("Retry-After", "10")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	// The guard has looked at the origin.
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		h.options.Log.Debug().Err(err).Msg("A WebSocket was not opened")
		return
	}
	newConn(h, socket).serve(context.WithoutCancel(r.Context()))
}

func (h *Host) leave() {
	h.mu.Lock()
	h.open--
	h.mu.Unlock()
	h.serving.Done()
}

// notify wakes those who wait for a change. The mutex is held.
func (h *Host) notify() {
	close(h.change)
	h.change = make(chan struct{})
}
