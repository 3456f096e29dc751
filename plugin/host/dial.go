package host

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/coder/websocket"
)

// HTTPError is an unexpected HTTP status from the host or from a proxy in front of it.
type HTTPError struct {
	Status int
	Text   string // the message in the body, may be empty
}

func (e *HTTPError) Error() string {
	s := fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status))
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Starting reports whether the status is one that a starting host, or the proxy in front of it, answers with.
func (e *HTTPError) Starting() bool {
	return e.Status == http.StatusBadGateway || e.Status == http.StatusServiceUnavailable
}

// NewHTTPClient returns a client for the host. With insecure it accepts every certificate, for hosts with a self-signed
// one on a trusted network.
func NewHTTPClient(insecure bool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if insecure {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, CheckRedirect: onlySameHost}
}

// onlySameHost follows a redirect only to the server that was asked, for example from http to https: no other may get
// the token.
func onlySameHost(next *http.Request, before []*http.Request) error {
	if len(before) > 5 {
		return errors.New("too many redirects")
	}
	if from := before[len(before)-1].URL; !mayFollow(from, next.URL) {
		return fmt.Errorf("%s redirects to %s://%s: if that is right, use its address", from.Host, next.URL.Scheme,
			next.URL.Host)
	}
	return nil
}

// mayFollow reports whether a redirect stays on the same host and port and does not give up TLS. From http to https the
// port may change from 80 to 443.
func mayFollow(from, to *url.URL) bool {
	if from.Hostname() != to.Hostname() || from.Scheme == "https" && to.Scheme != "https" {
		return false
	}
	return portOf(from) == portOf(to) || portOf(from) == "80" && portOf(to) == "443"
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// authMessage is a message of the authentication phase.
type authMessage struct {
	Type      string `json:"type"`
	HAVersion string `json:"ha_version"`
	Message   string `json:"message"`
}

// Dial connects to the host, authenticates, and agrees on frames with several messages. Of the options it uses Address,
// Token, HTTPClient, Insecure, ReadLimit and Log. All of it together may take handshakeTimeout. ctx bounds only
// the dialling: the session lasts until it fails or is closed, and must be closed.
func Dial(ctx context.Context, o Options) (*Session, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, o.Address.WebSocket(), &websocket.DialOptions{HTTPClient: o.HTTPClient})
	if err != nil {
		if answer != nil && answer.StatusCode != http.StatusSwitchingProtocols {
			err = &HTTPError{Status: answer.StatusCode}
		}
		return nil, fmt.Errorf("connect to %s: %w", o.Address, err)
	}
	conn.SetReadLimit(o.ReadLimit)
	version, err := authenticate(ctx, conn, o.Token)
	if err != nil {
		_ = conn.CloseNow() // the reason is in err
		return nil, fmt.Errorf("authenticate at %s: %w", o.Address, err)
	}
	s := newSession(context.WithoutCancel(ctx), conn, version, o)
	features := map[string]any{"features": map[string]int{"coalesce_messages": 1}}
	if err := s.Do(ctx, "supported_features", features, nil); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// authenticate sends the token and returns the version of the host. The frame with the token is not logged.
func authenticate(ctx context.Context, conn *websocket.Conn, token Secret) (string, error) {
	first, err := readAuth(ctx, conn)
	if err != nil {
		return "", err
	}
	if first.Type != "auth_required" {
		return "", fmt.Errorf("the first message is %q, not auth_required: is this Home Assistant?", first.Type)
	}
	frame, err := json.Marshal(map[string]string{"type": "auth", "access_token": token.Reveal()})
	if err != nil {
		return "", errors.New("encode the access token") // the cause could quote it
	}
	if err := conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return "", err
	}
	second, err := readAuth(ctx, conn)
	switch {
	case err != nil:
		return "", err
	case second.Type == "auth_invalid":
		return "", ErrAuth
	case second.Type != "auth_ok":
		return "", fmt.Errorf("the answer is %q, neither auth_ok nor auth_invalid", second.Type)
	}
	return second.HAVersion, nil
}

func readAuth(ctx context.Context, conn *websocket.Conn) (authMessage, error) {
	var m authMessage
	_, frame, err := conn.Read(ctx)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		return m, fmt.Errorf("not a message of Home Assistant: %w", err)
	}
	return m, nil
}
