package host

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// User is whose token it is.
type User struct {
	Name    string `json:"name"`
	Admin   bool   `json:"is_admin"`
	Version string `json:"-"` // of the host
}

// ErrNotAdmin: the token is of a user who is not an administrator.
var ErrNotAdmin = errors.New("SolarHub needs an administrator")

// CheckToken logs in with a token and returns whose it is. The error wraps ErrAuth if the host refuses the token, and
// ErrNotAdmin if the user is not an administrator.
func CheckToken(ctx context.Context, address Address, client *http.Client, token Secret) (User, error) {
	s, err := Dial(ctx, Options{Address: address, Token: token, HTTPClient: client, Log: zerolog.Nop()})
	if err != nil {
		return User{}, err
	}
	defer s.Close()
	return userOf(ctx, s)
}

// userOf returns whose session it is. It fails for a user who is not an administrator.
func userOf(ctx context.Context, s *Session) (User, error) {
	user := User{Version: s.HostVersion}
	if err := s.Do(ctx, "auth/current_user", nil, &user); err != nil {
		return user, fmt.Errorf("ask who logged in: %w", err)
	}
	if !user.Admin {
		return user, fmt.Errorf("%q is not an administrator of Home Assistant: %w", user.Name, ErrNotAdmin)
	}
	return user, nil
}

// Companion returns the version of the integration that the host has loaded; empty if it has none.
func Companion(ctx context.Context, address Address, client *http.Client, token Secret) (string, error) {
	s, err := Dial(ctx, Options{Address: address, Token: token, HTTPClient: client, Log: zerolog.Nop()})
	if err != nil {
		return "", err
	}
	defer s.Close()
	var manifest struct{ Version string }
	err = s.Do(ctx, "manifest/get", map[string]string{"integration": domain}, &manifest)
	if refused, ok := errors.AsType[*CommandError](err); ok && refused.Code == RefusedNotFound {
		return "", nil
	}
	return manifest.Version, err
}

// Visit looks whether a host answers at an address where people can log in, before anyone is asked for anything. The
// error says what answers there instead, and what to do.
func Visit(ctx context.Context, address Address, client *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.page("/auth/providers"), nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return unreachable(address, err)
	}
	defer answer.Body.Close()
	if to := answer.Request.URL; to.Scheme != address.base.Scheme || to.Host != address.base.Host {
		return fmt.Errorf("%s leads to %s://%s: use that address", address, to.Scheme, to.Host)
	}
	var told struct {
		Code      string            `json:"code"`
		Providers []json.RawMessage `json:"providers"`
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		return unreachable(address, err)
	}
	wrong := json.Unmarshal(body, &told)
	e := &HTTPError{Status: answer.StatusCode}
	switch {
	case e.Starting():
		return fmt.Errorf("%s: Home Assistant is starting, try again in a minute: %w", address, e)
	case told.Code == "onboarding_required":
		return fmt.Errorf("%s: Home Assistant has no user yet: open this address in a browser and make one", address)
	case e.Status == http.StatusForbidden:
		return fmt.Errorf("%s: Home Assistant bars this machine, most likely after wrong logins: see ip_bans.yaml in "+
			"its configuration folder: %w", address, e)
	case e.Status != http.StatusOK || wrong != nil || told.Providers == nil:
		return fmt.Errorf("what answers at %s is not Home Assistant (HTTP %d): its address has the port, such as "+
			"http://homeassistant.local:8123", address, e.Status)
	}
	return nil
}

// unreachable says why there was no answer, as far as a person can do something about it.
func unreachable(address Address, err error) error {
	var (
		signer  x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &signer):
		return fmt.Errorf("nobody whom this machine knows vouches for the certificate of %s; on a network that you "+
			"trust, --insecure accepts it: %w", address, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the certificate of %s does not hold at the time of this machine, %s: is its clock right? %w",
			address, time.Now().Format(time.DateTime), err)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s answers without TLS: begin its address with http://", address)
	}
	return fmt.Errorf("reach Home Assistant at %s: %w", address, err)
}
