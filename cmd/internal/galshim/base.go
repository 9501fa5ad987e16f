package galshim

import (
	"cmp"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// An addresser finds the base URL for the response to a request. That is a fixed one, or the one
// that the client used according to the request. The headers of a proxy are used only if the proxy
// is trusted and the values are a valid host, scheme, port or path.
type addresser struct {
	fixed   string
	trusted []network
	log     *slog.Logger
	warned  atomic.Bool // whether ignored headers have been logged
	recent  atomic.Pointer[origin]
}

// An origin is a base URL and its parts. Nearly all requests to a server have the same base URL, so
// the last one is kept.
type origin struct{ scheme, host, prefix, url string }

func (a *addresser) join(scheme, host, prefix string) string {
	o := a.recent.Load()
	if o == nil || o.host != host || o.scheme != scheme || o.prefix != prefix {
		o = &origin{scheme, host, prefix, scheme + "://" + host + prefix}
		a.recent.Store(o)
	}
	return o.url
}

// newAddresser returns an addresser that trusts the given proxies, or loopback addresses if
// there are none.
func newAddresser(fixed string, proxies []network, log *slog.Logger) *addresser {
	if len(proxies) == 0 {
		proxies = loopback
	}
	return &addresser{fixed: fixed, trusted: proxies, log: log}
}

// loopback addresses are trusted by default. Private networks are not, because in a large network
// every client has a private address.
var loopback = []network{{netip.MustParsePrefix("127.0.0.0/8")}, {netip.MustParsePrefix("::1/128")}}

// forwardedHeaders are the headers that the base URL depends on if it is not fixed, for Vary.
const forwardedHeaders = "Forwarded, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix, X-Forwarded-Proto"

var forwardedKeys = strings.Split(forwardedHeaders, ", ")

// urlPrefix is the path of a base URL.
var urlPrefix = regexp.MustCompile(`^(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?$`)

// base returns the base URL of the gallery for a request, without a slash at the end.
func (a *addresser) base(r *http.Request) string {
	if a.fixed != "" {
		return a.fixed
	}
	scheme, host, prefix := "http", r.Host, ""
	if r.TLS != nil {
		scheme = "https"
	}
	switch {
	case !isForwarded(r.Header): // most requests, if there is no proxy
	case !a.trustsPeer(peerOf(r)):
		a.warn(r)
	default:
		f := readForwarded(r.Header)
		scheme, prefix = cmp.Or(f.proto, scheme), f.prefix
		host = withPort(cmp.Or(f.host, host), f.port, scheme)
	}
	if !isHost(host) { // HTTP/1.0, or an attack
		host = "localhost"
		if local := localAddress(r); local != nil && isHost(local.String()) {
			host = local.String()
		}
	}
	return a.join(scheme, host, prefix)
}

// warn logs once that forwarded headers were ignored that may come from a proxy.
func (a *addresser) warn(r *http.Request) {
	if a.warned.Load() {
		return
	}
	if p := peerOf(r); isPrivate(p.address) && !a.warned.Swap(true) {
		a.log.Warn("forwarded headers are ignored; if they come from your proxy, name its address with --trusted-proxy", "peer", p.address)
	}
}

func isForwarded(h http.Header) bool {
	return slices.ContainsFunc(forwardedKeys, func(key string) bool { return h[key] != nil })
}

// isPrivate reports whether an address belongs to a private network.
func isPrivate(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast()
}

// A peer is the other end of a connection: the client, or a proxy.
type peer struct {
	address netip.Addr // zero if it is not known
	text    string     // the address for the log
	unix    bool       // the connection is a Unix socket
}

// newPeer returns the peer with a remote address.
func newPeer(remote string, local net.Addr) peer {
	p := peer{text: "unix", unix: local != nil && local.Network() == "unix"}
	if host, _, err := net.SplitHostPort(remote); err == nil {
		p.text = host
	}
	if address, err := netip.ParseAddrPort(remote); err == nil {
		p.address = address.Addr()
	}
	return p
}

// peerOf returns the other end of the connection of a request.
func peerOf(r *http.Request) peer {
	if c := connectionOf(r); c != nil {
		return c.peer
	}
	return newPeer(r.RemoteAddr, localAddress(r))
}

// trustsPeer reports whether the other end of a connection is a trusted proxy. The other end of a
// Unix socket is always on this machine, and is trusted.
func (a *addresser) trustsPeer(p peer) bool {
	return p.unix || p.address.IsValid() && a.trusts(p.address)
}

func (a *addresser) trusts(addr netip.Addr) bool { return contains(a.trusted, addr) }

// contains reports whether an address is in one of the networks.
func contains(networks []network, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, n := range networks {
		if n.IsValid() && n.Contains(addr) {
			return true
		}
	}
	return false
}

// client returns the address of the client for the log.
func (a *addresser) client(r *http.Request) string {
	p := peerOf(r)
	if client := a.forwardedClient(r, p); client.IsValid() {
		return client.String()
	}
	return p.text
}

// clientAddress returns the address of the client. It is zero if the client is not known, because
// it is at a Unix socket.
func (a *addresser) clientAddress(r *http.Request) netip.Addr {
	p := peerOf(r)
	if client := a.forwardedClient(r, p); client.IsValid() {
		return client
	}
	return p.address
}

// forwardedClient returns the last address in X-Forwarded-For that is not that of a trusted proxy.
// It is zero if the peer is not a trusted proxy, or has sent no address.
func (a *addresser) forwardedClient(r *http.Request, p peer) (client netip.Addr) {
	forwarded := r.Header["X-Forwarded-For"]
	if len(forwarded) == 0 || !a.trustsPeer(p) {
		return client
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if client = addr.WithZone(""); !a.trusts(addr) { // a zone can be any text of any length
			break
		}
	}
	return client
}

// forwarded is what the headers of a proxy contain about the original request. Missing and
// invalid values are "".
type forwarded struct{ proto, host, port, prefix string }

// readForwarded reads the headers of proxies. It prefers Forwarded (RFC 7239). If there are several
// proxies, it uses the values of the first one, whose address the client used.
func readForwarded(h http.Header) forwarded {
	standard := parseForwarded(h.Get("Forwarded"))
	f := forwarded{
		proto:  strings.ToLower(cmp.Or(standard["proto"], firstOf(h.Get("X-Forwarded-Proto")))),
		host:   cmp.Or(standard["host"], firstOf(h.Get("X-Forwarded-Host"))),
		port:   firstOf(h.Get("X-Forwarded-Port")),
		prefix: firstOf(h.Get("X-Forwarded-Prefix")),
	}
	if f.proto != "http" && f.proto != "https" {
		f.proto = ""
	}
	if !isHost(f.host) {
		f.host = ""
	}
	if !isPort(f.port) {
		f.port = ""
	}
	if len(f.prefix) > maxPrefix || !urlPrefix.MatchString(f.prefix) {
		f.prefix = ""
	}
	f.prefix = strings.TrimSuffix(f.prefix, "/")
	return f
}

// parseForwarded returns the pairs of the first element of a Forwarded header, with keys in
// lower case. It stops at the first syntax error.
func parseForwarded(header string) map[string]string {
	if header == "" {
		return nil
	}
	pairs := make(map[string]string)
	for header != "" {
		key, rest, ok := strings.Cut(header, "=")
		if !ok {
			break
		}
		value, rest, ok := forwardedValue(rest)
		if !ok {
			break
		}
		pairs[strings.ToLower(strings.TrimSpace(key))] = value
		if header, ok = strings.CutPrefix(rest, ";"); !ok {
			break
		}
	}
	return pairs
}

// forwardedValue reads a token or a quoted string, and returns the rest of the header. Quoted
// pairs are refused, because hosts and schemes do not need them.
func forwardedValue(s string) (value, rest string, ok bool) {
	if quoted, isQuoted := strings.CutPrefix(s, `"`); isQuoted {
		value, rest, ok = strings.Cut(quoted, `"`)
		return value, strings.TrimLeft(rest, " \t"), ok && !strings.Contains(value, `\`)
	}
	end := strings.IndexAny(s, ";,")
	if end < 0 {
		end = len(s)
	}
	return strings.TrimSpace(s[:end]), s[end:], true
}

// isHost reports whether s is a host name or an IP address, with or without a port. It is
// called for every request, so it does not use a regular expression, which would take 1 µs.
func isHost(s string) bool {
	host := s
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, ']') {
		if !isPort(s[colon+1:]) {
			return false
		}
		host = s[:colon]
	}
	if address, ok := strings.CutPrefix(host, "["); ok {
		address, ok = strings.CutSuffix(address, "]")
		return ok && len(address) >= 2 && len(address) <= 45 && consistsOf(address, isAddressByte)
	}
	return len(host) >= 1 && len(host) <= 254 && consistsOf(host, isNameByte) && host[0] != '.' && host[0] != '-' && host[len(host)-1] != '-'
}

func isPort(s string) bool {
	if len(s) < 1 || len(s) > 5 || !consistsOf(s, isDigit) {
		return false
	}
	n, err := strconv.Atoi(s)
	return err == nil && n <= math.MaxUint16
}

func consistsOf(s string, allowed func(c byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAddressByte(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' || c == ':' || c == '.'
}

func isNameByte(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '.' || c == '-'
}

// withPort adds the port to a host without one. It never adds 80 or 443, because proxies that
// terminate TLS often send the port of the inner connection.
func withPort(host, port, scheme string) string {
	if port == "" || port == "80" || port == "443" || host == "" || strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') {
		return host
	}
	return host + ":" + port
}

// localAddress returns the local address of the connection, or nil if it is not known.
func localAddress(r *http.Request) net.Addr {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return addr
}

// parseBase checks a base URL and returns it without a slash at the end.
func parseBase(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("does not begin with http:// or https://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("may have only a host, a port and a path")
	case !isHost(u.Host):
		return "", errors.New("has no host")
	case !urlPrefix.MatchString(u.EscapedPath()):
		return "", errors.New("has a path that is not made of letters, digits and . _ ~ -")
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/"), nil
}

// pathOf returns the path of a base URL, which begins with its scheme.
func pathOf(base string) string {
	_, rest, _ := strings.Cut(base, "://")
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		return rest[slash:]
	}
	return ""
}

// firstOf returns the first element of a comma-separated list.
func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}
