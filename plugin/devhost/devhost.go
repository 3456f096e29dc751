// Package devhost is a development host: it stands in for Home Assistant with the SolarHub companion, so that a plugin can
// be tried and tested in one process. It speaks the part of Home Assistant's WebSocket API that a plugin needs and
// the companion's side of plugin/PROTOCOL.md. Where it and a real Home Assistant disagree, the real one is right.
package devhost

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"
)

// Options is what a Host is made of.
type Options struct {
	Token      string // access token of an administrator. Defaults to "token"
	PlainToken string // access token of a user who is none. Defaults to none
	Version    string // of Home Assistant. Defaults to "2026.11.0"
	Memory     Memory // what survives a restart. Defaults to a new Volatile

	Heartbeat time.Duration // told to the plugin; 2.5 times that without one is the end of a session. Defaults to 10 s
	Grace     time.Duration // entities stay available so long after a loss. Defaults to 30 s
	Write     time.Duration // a set-value may take so long in the plugin. Defaults to 30 s
	Refresh   time.Duration // the same for the action refresh. Defaults to 120 s
	Answer    time.Duration // the plugin's answer is awaited so much longer. Defaults to 2 s
	Connect   time.Duration // within the grace period a call waits so long for the plugin. Defaults to 10 s

	WithoutCompanion       bool // the solarhub commands are not known, as before `solarhub install`
	SafeMode, RecoveryMode bool // told by get_config
	NotLoaded              bool // the companion's config entry is not loaded

	Log zerolog.Logger
}

func (o Options) withDefaults() Options {
	if o.Token == "" {
		o.Token = "token"
	}
	if o.Version == "" {
		o.Version = "2026.11.0"
	}
	if o.Memory == nil {
		o.Memory = &Volatile{}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Heartbeat, 10 * time.Second},
		{&o.Grace, 30 * time.Second},
		{&o.Write, 30 * time.Second},
		{&o.Refresh, 120 * time.Second},
		{&o.Answer, 2 * time.Second},
		{&o.Connect, 10 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return o
}

// Host is a development host. One mutex guards all that it knows; nothing waits while holding it.
type Host struct {
	options Options

	mu            sync.Mutex
	closed        bool
	conns         map[*conn]struct{}
	installations map[string]*installation
	roots         map[string]*root    // by device id without part
	entities      map[string]*entity  // by unique id
	byEntityID    map[string]*entity  // by Home Assistant's entity_id
	registry      map[string]Registry // of entities that are or were, by unique id
	lastSession   int64
	lastAsked     int64
	change        chan struct{} // closed and replaced when anything changes

	serving sync.WaitGroup
}

// New returns a host that knows what Memory kept. It starts nothing.
func New(o Options) (*Host, error) {
	h := &Host{
		options:       o.withDefaults(),
		conns:         map[*conn]struct{}{},
		installations: map[string]*installation{},
		roots:         map[string]*root{},
		entities:      map[string]*entity{},
		byEntityID:    map[string]*entity{},
		registry:      map[string]Registry{},
		change:        make(chan struct{}),
	}
	kept, err := h.options.Memory.Load()
	if err != nil {
		return nil, err
	}
	h.restore(kept)
	return h, nil
}

// Handler serves /api/websocket.
func (h *Host) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/websocket", h.accept)
	return mux
}

// Run serves on a listener until ctx ends, then closes every connection and returns nil.
func (h *Host) Run(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: h.Handler(), ReadHeaderTimeout: 10 * time.Second}
	var joined sync.WaitGroup
	joined.Go(func() {
		<-ctx.Done()
		_ = server.Close() // closing a listener does not fail in a way one could act on
	})
	err := server.Serve(listener)
	cancel()
	joined.Wait()
	h.Close()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close ends every connection, as when Home Assistant is killed, and waits for them. What Memory keeps stays.
func (h *Host) Close() {
	h.mu.Lock()
	h.closed = true
	for c := range h.conns {
		c.end()
	}
	for _, i := range h.installations {
		i.stopTimers()
	}
	h.mu.Unlock()
	h.serving.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.installations { // the ends of the sessions began a grace period
		i.stopTimers()
	}
}

// Drop cuts every connection without a word, as a network does, and goes on serving.
func (h *Host) Drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		c.end()
	}
}

func (h *Host) accept(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	closed := h.closed
	if !closed {
		h.serving.Add(1)
	}
	h.mu.Unlock()
	if closed {
		http.Error(w, "stopped", http.StatusServiceUnavailable)
		return
	}
	defer h.serving.Done()
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		h.options.Log.Debug().Err(err).Msg("A WebSocket was not opened")
		return
	}
	newConn(h, socket).serve(context.WithoutCancel(r.Context()))
}

// notify wakes those who wait for a change. The mutex is held.
func (h *Host) notify() {
	close(h.change)
	h.change = make(chan struct{})
}
