package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"
)

// Options is what a Client is made of.
type Options struct {
	Address       Address
	Token         Secret       // of an administrator
	Insecure      bool         // accept any certificate. Defaults to false
	HTTPClient    *http.Client // Defaults to NewHTTPClient(Insecure)
	PluginVersion string
	Installation  string // 1..64 characters
	Epoch         int64  // start of the process, milliseconds since 1970. Defaults to the moment of New
	Plugin        Plugin
	Outbox        *Outbox

	// Removed tells that the owner deleted devices in the host. It must not wait; nil ignores it.
	Removed func(devices []string)
	// Diagnostics collects what a person who looks for a fault needs, without secrets. nil gives nothing.
	Diagnostics func(ctx context.Context) (any, error)

	// ReadLimit is the largest frame that is taken, in bytes. Defaults to 64 MiB, what the Supervisor's proxy lets through; the
	// host sets no cap itself.
	ReadLimit int64

	Times Times
	Log   zerolog.Logger
}

const readLimit = 64 << 20

func (o Options) withDefaults() Options {
	o.Times = o.Times.withDefaults()
	if o.HTTPClient == nil {
		o.HTTPClient = NewHTTPClient(o.Insecure)
	}
	if o.Epoch == 0 {
		o.Epoch = time.Now().UnixMilli()
	}
	if o.ReadLimit == 0 {
		o.ReadLimit = readLimit
	}
	return o
}

// Client keeps one session with the host up.
type Client struct {
	options    Options
	redescribe chan struct{}
	noticed    chan struct{} // there are notices

	mu      sync.Mutex
	status  Status
	current *conversation // while ready
	notices []Notice
}

// Status is how the connection to the host is.
type Status struct {
	Ready            bool
	Since            time.Time // of the last change
	Reason           string    // a sentence while not ready; empty before the first attempt
	HostVersion      string    // as of the last session
	CompanionVersion string
}

// New returns a client; Run starts it. The error names every option that is missing or wrong.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	var bad []error
	if o.Address.IsZero() {
		bad = append(bad, errors.New("address of the host is missing"))
	}
	if o.Token.IsZero() {
		bad = append(bad, errors.New("access token of the host is missing"))
	}
	if n := utf8.RuneCountInString(o.Installation); n < 1 || n > 64 {
		bad = append(bad, fmt.Errorf("name of the installation %q has %d characters, allowed are 1 to 64", o.Installation, n))
	}
	if o.Plugin == nil || o.Outbox == nil {
		bad = append(bad, errors.New("a client needs a plugin and an outbox"))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return &Client{options: o, redescribe: make(chan struct{}, 1), noticed: make(chan struct{}, 1), status: Status{Since: time.Now()}}, nil
}

// Redescribe has the definitions registered anew if they changed, followed by everything that is known of them. It does not
// wait. Without a session nothing needs to be done: the next one asks anyway.
func (c *Client) Redescribe() {
	select {
	case c.redescribe <- struct{}{}:
	default:
	}
}

// Status returns how the connection is now.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// ErrNotConnected: there is no session with the host.
var ErrNotConnected = errors.New("not connected to Home Assistant")

// Remove has the host forget devices with their parts and entities for good, and returns how many it removed.
func (c *Client) Remove(ctx context.Context, devices []string) (int, error) {
	c.mu.Lock()
	v := c.current
	c.mu.Unlock()
	if v == nil {
		return 0, ErrNotConnected
	}
	var result RemoveResult
	err := v.session.Do(ctx, CommandRemove, RemoveFrame{Session: v.hello.Session, Devices: devices}, &result)
	return result.Removed, err
}

// Run keeps a session up until ctx ends, and returns nil then. Pending calls are answered and the host is told first, which
// takes at most Times.Bye beyond what the plugin needs to end its calls.
func (c *Client) Run(ctx context.Context) error {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = c.options.Times.First, c.options.Times.Most
	retry.Multiplier, retry.RandomizationFactor = 2, 0.25
	retry.Reset()
	defer c.options.HTTPClient.CloseIdleConnections()
	defer c.lost("SolarHub has stopped")
	told := ""
	for {
		ready, err := c.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if ready >= c.options.Times.Settled {
			retry.Reset()
		}
		what := diagnosis(err, c.options.Times)
		if what.wait == 0 {
			what.wait = min(retry.NextBackOff(), c.options.Times.Most)
		}
		if ready > 0 || what.kind != told {
			c.options.Log.WithLevel(what.level).Err(err).Stringer("address", c.options.Address).
				Stringer("next_try", what.wait.Round(time.Millisecond)).Msg(what.sentence)
			told = what.kind
		}
		c.lost(what.sentence)
		if !pause(ctx, what.wait) {
			return nil
		}
	}
}

// pause waits and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// once is one session from dialling to its end. It returns for how long it was ready.
func (c *Client) once(ctx context.Context) (time.Duration, error) {
	s, err := Dial(ctx, c.options)
	if err != nil {
		return 0, err
	}
	v, err := c.hello(ctx, s)
	if err != nil {
		s.Close()
		return 0, err
	}
	err = v.run(ctx)
	if since := c.Status(); since.Ready {
		return max(time.Since(since.Since), 1), err
	}
	return 0, err
}

// ready notes that the host knows everything.
func (v *conversation) ready() {
	v.client.mu.Lock()
	v.client.current = v
	v.client.status = Status{Ready: true, Since: time.Now(), HostVersion: v.hello.HAVersion, CompanionVersion: v.hello.CompanionVersion}
	v.client.mu.Unlock()
	v.client.options.Log.Info().Stringer("address", v.client.options.Address).Str("home_assistant", v.hello.HAVersion).
		Str("companion", v.hello.CompanionVersion).Int64("session", v.hello.Session).Msg("Connected to Home Assistant")
}

// lost notes that there is no session, and why.
func (c *Client) lost(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = nil
	if c.status.Ready || c.status.Reason != reason {
		c.status.Ready, c.status.Reason, c.status.Since = false, reason, time.Now()
	}
}
