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

// Options says how a Client reaches the host and what it serves there.
type Options struct {
	Address       Address
	Token         Secret       // of an administrator
	Insecure      bool         // accept any certificate
	HTTPClient    *http.Client // Defaults to NewHTTPClient(Insecure)
	PluginVersion string
	Installation  string // 1..64 characters
	Epoch         int64  // start of the process, milliseconds since 1970. Defaults to the time of New
	Plugin        Plugin
	Outbox        *Outbox

	// Removed is called when the owner has deleted devices in the host. It must not wait, and may be nil.
	Removed func(devices []string)
	// StillDeleted is called at the begin of a session with the devices that the owner deleted, now or long ago, and
	// that nobody has registered since. It must not wait, and may be nil.
	StillDeleted func(devices []string)
	// Diagnostics returns what a person needs who looks for a fault, without secrets. It may be nil.
	Diagnostics func(ctx context.Context) (any, error)

	// ReadLimit is the size in bytes of the largest frame that is accepted. Defaults to 4 MiB: the largest that the
	// companion sends is the list of disabled entities.
	ReadLimit int64

	Clock   Clock         // Defaults to the system's. Tests bring their own
	MaxWait time.Duration // the longest wait before the next attempt. Defaults to none; tests shorten it
	Log     zerolog.Logger
}

func (o Options) withDefaults() Options {
	if o.HTTPClient == nil {
		o.HTTPClient = NewHTTPClient(o.Insecure)
	}
	if o.Epoch == 0 {
		o.Epoch = time.Now().UnixMilli()
	}
	if o.ReadLimit == 0 {
		o.ReadLimit = maxFrame
	}
	if o.Clock == nil {
		o.Clock = systemClock
	}
	return o
}

// Client keeps one session with the host up.
type Client struct {
	options    Options
	redescribe chan struct{}
	noticed    chan struct{} // notices wait

	mu      sync.Mutex
	status  Status
	current *conversation // nil unless ready
	notices []Notice
}

// Status is the state of the connection to the host.
type Status struct {
	Ready            bool
	Since            time.Time // when Ready or Reason changed last
	Reason           string    // a sentence while not ready; empty before the first attempt
	HostVersion      string    // of the last session
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
		bad = append(bad, fmt.Errorf("name of the installation %q has %d characters, allowed are 1 to 64",
			o.Installation, n))
	}
	if o.Plugin == nil || o.Outbox == nil {
		bad = append(bad, errors.New("a client needs a plugin and an outbox"))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return &Client{
		options:    o,
		redescribe: make(chan struct{}, 1),
		noticed:    make(chan struct{}, 1),
		status:     Status{Since: time.Now()},
	}, nil
}

// Redescribe registers the definitions again if they have changed, and sends all states after them. It does not wait.
// Without a session it does nothing, because the next session begins with the definitions.
func (c *Client) Redescribe() {
	select {
	case c.redescribe <- struct{}{}:
	default:
	}
}

// Status returns the state of the connection.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// ErrNotConnected: there is no session with the host.
var ErrNotConnected = errors.New("not connected to Home Assistant")

// Remove asks the host to forget devices with their parts and entities for good. It returns how many the host removed.
func (c *Client) Remove(ctx context.Context, devices []string) (int, error) {
	c.mu.Lock()
	v := c.current
	c.mu.Unlock()
	if v == nil {
		return 0, ErrNotConnected
	}
	var result RemoveResult
	frame := RemoveFrame{Session: v.hello.Session, Devices: devices}
	err := v.session.Do(ctx, CommandRemove, frame, &result)
	return result.Removed, err
}

// Run keeps a session up until ctx ends, and then returns nil. Before that it answers the pending calls and says
// goodbye to the host, which takes at most byeTimeout longer than the plugin needs to end its calls.
func (c *Client) Run(ctx context.Context) error {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = retryFirst, retryMost
	retry.Multiplier, retry.RandomizationFactor = 2, 0.25
	retry.Reset()
	defer c.options.HTTPClient.CloseIdleConnections()
	defer c.disconnected("SolarHub has stopped")
	logged := "" // the kind of the last failure that was logged
	for {
		ready, err := c.runSession(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if ready >= retryReset {
			retry.Reset()
		}
		f := classify(err)
		if restarting(err) {
			retry.Reset()
		}
		if f.wait == 0 {
			f.wait = min(retry.NextBackOff(), retryMost)
			if ready >= flapping { // most likely the host restarts, and the next attempt will tell
				f.wait = min(f.wait, waitStarting)
			}
		}
		if most := c.options.MaxWait; most > 0 {
			f.wait = min(f.wait, most)
		}
		if ready > 0 || f.kind != logged {
			c.options.Log.WithLevel(f.level).Err(err).Stringer("address", c.options.Address).
				Stringer("next_try", f.wait.Round(time.Millisecond)).Msg(f.sentence)
			logged = f.kind
		}
		c.disconnected(f.sentence)
		if !sleep(ctx, f.wait) {
			return nil
		}
	}
}

// flapping is how long a session was ready at most if the host accepts sessions and drops them at once. After such a
// session the wait before the next attempt grows, so that the host is not hammered.
const flapping = 5 * time.Second

// sleep waits for d. It returns false as soon as ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// runSession runs one session from dialling to its end. It returns how long the session was ready.
func (c *Client) runSession(ctx context.Context) (time.Duration, error) {
	s, err := Dial(ctx, c.options)
	if err != nil {
		return 0, err
	}
	v, err := c.converse(ctx, s)
	if err != nil {
		s.Close()
		return 0, err
	}
	err = v.run(ctx)
	if status := c.Status(); status.Ready {
		return max(time.Since(status.Since), 1), err
	}
	return 0, err
}

// connected records that the host has the first snapshot of a session.
func (c *Client) connected(v *conversation) {
	c.mu.Lock()
	c.current = v
	c.status = Status{Ready: true, Since: time.Now(), HostVersion: v.hello.HAVersion,
		CompanionVersion: v.hello.CompanionVersion}
	c.mu.Unlock()
	c.options.Log.Info().Stringer("address", c.options.Address).Str("home_assistant", v.hello.HAVersion).
		Str("companion", v.hello.CompanionVersion).Int64("session", v.hello.Session).Msg("Connected to Home Assistant")
}

// disconnected records that there is no session, and why.
func (c *Client) disconnected(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = nil
	if c.status.Ready || c.status.Reason != reason {
		c.status.Ready, c.status.Reason, c.status.Since = false, reason, time.Now()
	}
}
