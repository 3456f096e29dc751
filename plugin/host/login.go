package host

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Login is one login at the host as a browser does it: the person logs in on the host's own page, which leads the
// browser back to a loopback address with a code, and the code is exchanged for tokens. It is RFC 6749, section 4.1,
// with the loopback address of RFC 8252, section 7.3. The host takes the address itself for the client's name
// (home-assistant/core, components/auth/indieauth.py).
type Login struct {
	address  Address
	http     *http.Client
	listener net.Listener
	client   string // the loopback address, client_id and redirect_uri in one
	state    string
}

// lifespan of the long-lived token in days: ten years, what the host's own page gives.
const lifespan = 3650

// NewLogin listens on a loopback address for the browser. The caller closes it.
func NewLogin(address Address, client *http.Client) (*Login, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("wait for the browser: %w", err)
	}
	return &Login{address: address, http: client, listener: l, client: "http://" + l.Addr().String() + "/",
		state: rand.Text()}, nil
}

// Close stops listening.
func (l *Login) Close() { _ = l.listener.Close() }

// Page returns the address that the person opens in a browser.
func (l *Login) Page() string {
	return l.address.page("/auth/authorize") + "?" + url.Values{"response_type": {"code"}, "client_id": {l.client},
		"redirect_uri": {l.client}, "state": {l.state}}.Encode()
}

// ErrNotThisLogin: the browser or the person came with the answer to another login.
var ErrNotThisLogin = errors.New("this belongs to another login: open the page that is named here")

// Wait serves the loopback address until the browser brings the code, and returns it. What is not the answer to this
// login is turned away and ends nothing.
func (l *Login) Wait(ctx context.Context) (string, error) {
	codes := make(chan string, 1)
	server := &http.Server{ReadHeaderTimeout: handshakeTimeout, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { l.receive(w, r, codes) })}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l.listener) }()
	select {
	case code := <-codes:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = server.Shutdown(ctx) // lets the browser have its page
		_ = server.Close()
		<-ended
		return code, nil
	case <-ctx.Done():
		_ = server.Close()
		<-ended
		return "", context.Cause(ctx)
	case err := <-ended:
		return "", fmt.Errorf("wait for the browser: %w", err)
	}
}

// receive answers the browser, and takes the first code that belongs to this login.
func (l *Login) receive(w http.ResponseWriter, r *http.Request, codes chan<- string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Connection", "close")
	if r.Method != http.MethodGet || r.URL.Path != "/" || r.Host != l.listener.Addr().String() {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	code, err := l.code(r.URL.Query())
	if err == nil {
		select {
		case codes <- code:
			_, _ = io.WriteString(w, "<!doctype html><title>SolarHub</title><p>SolarHub has your login and goes on in "+
				"the terminal. You may close this page.")
			return
		default:
			err = ErrNotThisLogin
		}
	}
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, "<!doctype html><title>SolarHub</title><p>%v", err)
}

// alone is what a code looks like: the 32 hexadecimal digits of a UUID (home-assistant/core,
// components/auth/__init__.py).
var alone = regexp.MustCompile("^[0-9a-f]{32}$")

// Code returns the code in what a person copied from a browser: the address at which it ended, or the code alone.
func (l *Login) Code(copied string) (string, error) {
	if alone.MatchString(copied) {
		return copied, nil
	}
	u, err := url.Parse(copied)
	if err != nil || !u.Query().Has("code") {
		return "", errors.New("this is not the address at which the browser ended: that has code= in it")
	}
	return l.code(u.Query())
}

// code returns the code of an answer to this login.
func (l *Login) code(answer url.Values) (string, error) {
	code := answer.Get("code")
	if code == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(l.state)) != 1 {
		return "", ErrNotThisLogin
	}
	return code, nil
}

// granted is what the host gives for a code.
type granted struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Reason       string `json:"error_description"`
}

// Token exchanges the code for a long-lived token, which stands under its name among the person's tokens in the host.
// Only an administrator gets one. The tokens of the login itself are given back.
func (l *Login) Token(ctx context.Context, code, name string) (Secret, User, error) {
	got, err := l.exchange(ctx, code)
	if err != nil {
		return Secret{}, User{}, err
	}
	defer l.revoke(ctx, got.RefreshToken)
	// The frames of this session hold tokens: none of them is logged.
	s, err := Dial(ctx, Options{Address: l.address, Token: NewSecret(got.AccessToken), HTTPClient: l.http,
		Log: zerolog.Nop()})
	if err != nil {
		return Secret{}, User{}, err
	}
	defer s.Close()
	user, err := userOf(ctx, s)
	if err != nil {
		return Secret{}, user, err
	}
	var token string
	body := map[string]any{"client_name": name, "lifespan": lifespan}
	if err := s.Do(ctx, "auth/long_lived_access_token", body, &token); err != nil {
		return Secret{}, user, fmt.Errorf("make a long-lived token: %w", err)
	}
	return NewSecret(token), user, nil
}

func (l *Login) exchange(ctx context.Context, code string) (got granted, err error) {
	status, body, err := l.form(ctx, "/auth/token", url.Values{"grant_type": {"authorization_code"}, "code": {code},
		"client_id": {l.client}})
	if err != nil {
		return got, fmt.Errorf("log in: %w", err)
	}
	wrong := json.Unmarshal(body, &got)
	switch {
	case status == http.StatusForbidden:
		return got, fmt.Errorf("log in: Home Assistant refuses it: %s", got.Reason)
	case status == http.StatusBadRequest:
		return got, fmt.Errorf("log in: Home Assistant refuses the code: %s. A code holds for ten minutes and "+
			"once: log in again", got.Reason)
	case status != http.StatusOK:
		return got, fmt.Errorf("log in: %w", &HTTPError{Status: status})
	case wrong != nil || got.AccessToken == "":
		return got, fmt.Errorf("log in: %s answers with something else than tokens", l.address)
	}
	return got, nil
}

// revoke gives the tokens of the login back, even if ctx has ended. What the host did not hear of ends by itself after
// 90 days without use.
func (l *Login) revoke(ctx context.Context, refresh string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTimeout)
	defer cancel()
	_, _, _ = l.form(ctx, "/auth/revoke", url.Values{"token": {refresh}})
}

// form posts a form to a page of the host. An error does not repeat the form.
func (l *Login) form(ctx context.Context, path string, values url.Values) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.address.page(path),
		strings.NewReader(values.Encode()))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := l.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxBody))
	return answer.StatusCode, body, err
}

// TokenName returns the name under which a token stands in the host, which takes each name once.
func TokenName(machine string, now time.Time) string {
	return fmt.Sprintf("SolarHub on %s, %s", machine, now.Format(time.DateTime))
}
