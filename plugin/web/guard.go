package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// policy is the content security policy of everything that is served: a page loads from here and from nowhere else,
// runs no script that stands in it, and is put into no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for " +
	"'script'"

// Guard refuses what no honest browser and no plugin sends, and says so in a sentence.
//
// A page of another site can make a browser talk to this machine. Its Origin gives it away. One that has had its own
// name point to this address (DNS rebinding) is of the same origin, and the name in Host gives it away: only addresses,
// localhost and the given names are served.
func Guard(next http.Handler, names ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		if name := hostname(r.Host); !served(name, names) {
			http.Error(w,
				fmt.Sprintf("%q is no name of this host; allowed are addresses, localhost and what it was told", name),
				http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, r.Host) {
			http.Error(w, fmt.Sprintf("a page of %q may not talk to this host", origin), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func served(name string, names []string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || name == "localhost" || slices.Contains(names, name)
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, host)
}

// Loopback reports whether only this machine can reach an address that is listened on, such as 127.0.0.1:8130. Where
// others can too, a token must be asked for.
func Loopback(address net.Addr) bool {
	at, err := netip.ParseAddrPort(address.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}
