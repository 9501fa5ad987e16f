// Package publicnet sends HTTP requests only to public addresses. It is for addresses that come
// from packages: a collection runs inside a network whose other servers the author of a readme must
// not be able to reach.
//
// A name is resolved once, and each of its IP addresses is checked when a connection to it is made,
// also after a redirect. If a proxy is configured, it resolves the names, and only IP addresses
// and names of this machine are checked.
package publicnet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"galbuild/build/retry"
)

// An Error is the refusal of an address that is not public.
type Error struct{ Host string }

// Error implements error.
func (e *Error) Error() string { return e.Host + " is not a public address" }

// A transport is an [http.RoundTripper] that refuses addresses that are not public.
type transport struct {
	http    *http.Transport
	allowed []string // host:port
	proxies sync.Map // host:port of the proxies that requests have used
}

// NewTransport returns a transport for public addresses and for the servers that are allowed: the
// hosts of these URLs, at their ports. ca is as in [retry.NewTransport].
func NewTransport(ca string, allowed []*url.URL) (http.RoundTripper, error) {
	t, err := retry.NewTransport(ca)
	if err != nil {
		return nil, err
	}
	p := &transport{http: t}
	for _, u := range allowed {
		p.allowed = append(p.allowed, addressOf(u))
	}
	t.Proxy = p.remember(t.Proxy)
	t.DialContext = p.dial
	return p, nil
}

// remember returns a function that returns the proxies that choose returns, and records them.
func (t *transport) remember(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		u, err := choose(r)
		if u != nil {
			t.proxies.Store(addressOf(u), true)
		}
		return u, err
	}
}

// RoundTrip sends a request, unless its URL names an address that is not public.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	host := normal(r.URL.Hostname())
	if ip, err := netip.ParseAddr(host); !t.allows(addressOf(r.URL)) && (err == nil && !IsPublic(ip) || isLocal(host)) {
		return nil, &Error{host}
	}
	return t.http.RoundTrip(r)
}

// dial connects to an address, which is that of a proxy or of a server.
func (t *transport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	at := net.JoinHostPort(normal(host), port)
	if _, proxy := t.proxies.Load(at); !proxy && !t.allows(at) {
		d.Control = control
	}
	return d.DialContext(ctx, network, address)
}

// control refuses a connection to an IP address that is not public.
func control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %.100q: %w", address, err)
	}
	if !IsPublic(at.Addr()) {
		return &Error{at.Addr().String()}
	}
	return nil
}

func (t *transport) allows(address string) bool { return slices.Contains(t.allowed, address) }

// normal returns a host in lower case, without a dot at its end and without brackets.
func normal(host string) string {
	return strings.Trim(strings.TrimSuffix(strings.ToLower(host), "."), "[]")
}

// isLocal reports whether a name is one of this machine or of its network.
func isLocal(host string) bool {
	return slices.ContainsFunc([]string{"localhost", "local", "internal", "home.arpa"}, func(name string) bool {
		return host == name || strings.HasSuffix(host, "."+name)
	})
}

// addressOf returns host:port of a URL.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(normal(u.Hostname()), port)
}

// reserved are networks whose addresses are not public although they look like it.
//
// Source: the special-purpose address registries of IANA.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared between a provider and its customers
	netip.MustParsePrefix("192.0.0.0/24"),    // protocols
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("2001::/23"),       // protocols, such as Teredo, which contain IPv4
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4, which contain IPv4
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// global is the network of all global addresses of IPv6.
var global = netip.MustParsePrefix("2000::/3")

// IsPublic reports whether an IP address is one of the internet.
func IsPublic(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && (ip.Is4() || global.Contains(ip)) &&
		!slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}
