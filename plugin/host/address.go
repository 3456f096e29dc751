package host

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Address is the address of a host: http://homeassistant.local:8123, https://example.org/prefix, or
// http://supervisor/core for a plugin that runs as an app under the Supervisor. The zero value is no address.
type Address struct{ base url.URL }

// ParseAddress reads an address. The schemes are http, https, ws and wss; a path is kept as a prefix; the path of the
// WebSocket API (/api/websocket, /core/websocket) may be given or left out.
func ParseAddress(text string) (Address, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return Address{}, fmt.Errorf("address of the host: %w", errors.Unwrap(err))
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return Address{}, fmt.Errorf("address of the host %q: begins with none of http://, https://, ws://, wss://",
			text)
	}
	switch {
	case u.Hostname() == "":
		return Address{}, fmt.Errorf("address of the host %q: has no host name", text)
	case u.User != nil:
		return Address{}, errors.New("address of the host: has a user name, but only the access token is used")
	case u.RawQuery != "" || u.Fragment != "":
		return Address{}, fmt.Errorf("address of the host %q: has a query (?) or a fragment (#)", text)
	}
	path := strings.TrimRight(u.Path, "/")
	if before, ok := strings.CutSuffix(path, "/websocket"); ok {
		path = strings.TrimSuffix(before, "/api")
	}
	return Address{base: url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}}, nil
}

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.base.Host == "" }

// String returns the address without the paths of the APIs.
func (a Address) String() string { return a.base.String() }

// WebSocket returns the URL of the WebSocket API.
func (a Address) WebSocket() string {
	u := a.base
	u.Scheme = "ws"
	if a.base.Scheme == "https" {
		u.Scheme = "wss"
	}
	if a.supervisor() {
		u.Path += "/websocket"
	} else {
		u.Path += "/api/websocket"
	}
	return u.String()
}

// REST returns the URL of a path of the REST API, which begins with a slash and follows /api.
func (a Address) REST(path string) string {
	return a.page("/api" + path)
}

// page returns the URL of a page that is beside the APIs. The path begins with a slash.
func (a Address) page(path string) string {
	u := a.base
	u.Path += path
	return u.String()
}

// supervisor reports whether this is the Supervisor's proxy, which has its WebSocket beside /api and not in it.
func (a Address) supervisor() bool {
	return a.base.Hostname() == "supervisor" && strings.HasSuffix(a.base.Path, "/core")
}
