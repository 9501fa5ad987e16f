package galshim

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// request returns a request from peer, with pairs of header keys and values.
func request(peer, host string, header ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr, r.Host = peer, host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

const (
	proxy  = "10.1.2.3:4444"
	client = "203.0.113.9:4444"
)

// privateNetworks are networks in which all addresses are trusted.
var privateNetworks = []network{
	{netip.MustParsePrefix("127.0.0.0/8")}, {netip.MustParsePrefix("::1/128")},
	{netip.MustParsePrefix("10.0.0.0/8")}, {netip.MustParsePrefix("192.168.0.0/16")}, {netip.MustParsePrefix("fc00::/7")},
}

var baseCases = []struct {
	name   string
	peer   string
	host   string
	header []string
	want   string
}{
	{"plain", client, "gallery.test:8080", nil, "http://gallery.test:8080"},
	{"address", client, "[2001:db8::1]:8080", nil, "http://[2001:db8::1]:8080"},
	{"host only", proxy, "inner", []string{"X-Forwarded-Host", "gallery.test"}, "http://gallery.test"},
	{"usual proxy", proxy, "inner:8080", []string{"X-Forwarded-Host", "gallery.test", "X-Forwarded-Proto", "https"}, "https://gallery.test"},
	{"loopback", "127.0.0.1:1", "inner", []string{"X-Forwarded-Proto", "https"}, "https://inner"},
	{"loopback, version 6", "[::1]:1", "inner", []string{"X-Forwarded-Proto", "https"}, "https://inner"},
	{"mapped address", "[::ffff:10.0.0.1]:1", "inner", []string{"X-Forwarded-Proto", "https"}, "https://inner"},
	{"link-local zone", "[fd00::1%eth0]:1", "inner", []string{"X-Forwarded-Proto", "https"}, "https://inner"},
	{"prefix", proxy, "h", []string{"X-Forwarded-Prefix", "/tools/gallery/"}, "http://h/tools/gallery"},
	{"port", proxy, "h", []string{"X-Forwarded-Port", "8443", "X-Forwarded-Proto", "https"}, "https://h:8443"},
	{"port of the scheme", proxy, "h", []string{"X-Forwarded-Port", "443", "X-Forwarded-Proto", "https"}, "https://h"},
	{"port of the inner scheme", proxy, "h", []string{"X-Forwarded-Port", "80", "X-Forwarded-Proto", "https"}, "https://h"},
	{"port twice", proxy, "h", []string{"X-Forwarded-Port", "1", "X-Forwarded-Host", "gallery.test:2"}, "http://gallery.test:2"},
	{"port of an address", proxy, "h", []string{"X-Forwarded-Port", "1", "X-Forwarded-Host", "[2001:db8::1]"}, "http://[2001:db8::1]:1"},
	{"chain", proxy, "h", []string{"X-Forwarded-Host", "gallery.test, middle", "X-Forwarded-Proto", "https,http"}, "https://gallery.test"},
	{"standard", proxy, "h", []string{"Forwarded", `for=192.0.2.1;host="gallery.test:8443";proto=https`}, "https://gallery.test:8443"},
	{"standard, other case", proxy, "h", []string{"Forwarded", `Proto=HTTPS; Host=gallery.test`}, "https://gallery.test"},
	{"standard wins", proxy, "h", []string{"Forwarded", `host=a.test`, "X-Forwarded-Host", "b.test"}, "http://a.test"},
	{"standard chain", proxy, "h", []string{"Forwarded", `host=a.test;proto=https, host=b.test`}, "https://a.test"},

	{"spoofed host", client, "h", []string{"X-Forwarded-Host", "evil.test"}, "http://h"},
	{"spoofed all", client, "h", []string{"X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/x", "X-Forwarded-Port", "1", "Forwarded", "host=evil.test"}, "http://h"},
	{"injection", proxy, "h", []string{"X-Forwarded-Host", `evil.test/","x":"`}, "http://h"},
	{"injection, quoted", proxy, "h", []string{"Forwarded", `host="evil.test\"/x"`}, "http://h"},
	{"userinfo", proxy, "h", []string{"X-Forwarded-Host", "user@evil.test"}, "http://h"},
	{"line break", proxy, "h", []string{"X-Forwarded-Host", "evil.test\r\nx: y"}, "http://h"},
	{"other scheme", proxy, "h", []string{"X-Forwarded-Proto", "javascript"}, "http://h"},
	{"climbing prefix", proxy, "h", []string{"X-Forwarded-Prefix", "/../x"}, "http://h"},
	{"prefix with a host", proxy, "h", []string{"X-Forwarded-Prefix", "//evil.test"}, "http://h"},
	{"long prefix", proxy, "h", []string{"X-Forwarded-Prefix", "/" + strings.Repeat("a", maxPrefix-1)}, "http://h/" + strings.Repeat("a", maxPrefix-1)},
	{"prefix too long", proxy, "h", []string{"X-Forwarded-Prefix", "/" + strings.Repeat("a", maxPrefix)}, "http://h"},
	{"host too long", proxy, "h", []string{"X-Forwarded-Host", strings.Repeat("a", 300)}, "http://h"},
	{"no such port", proxy, "h", []string{"X-Forwarded-Port", "65536"}, "http://h"},
	{"port with a path", proxy, "h", []string{"X-Forwarded-Port", "1/x"}, "http://h"},
	{"host with a path", client, "h/x", nil, "http://192.0.2.7:80"},
	{"no host", client, "", nil, "http://192.0.2.7:80"},
}

func TestIsHost(t *testing.T) {
	for _, s := range []string{"h", "h.", "_h", "a-b.c_d:65535", "192.0.2.7:80", "[::1]", "[2001:DB8::1]:8080", strings.Repeat("a", 254)} {
		if !isHost(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", "-h", ".h", "h-", "h:", "h:123456", "h:65536", "h:8x", ":80", "a:b:1", "h/x", "h x", "é", "[]", "[:]", "[::1", "::1]", "[::g]", "[::1]x", "[" + strings.Repeat(":", 46) + "]", strings.Repeat("a", 255)} {
		if isHost(s) {
			t.Errorf("%q is taken for a host", s)
		}
	}
}

// arrivedAt returns r as a request that has arrived at a local address.
func arrivedAt(r *http.Request, a net.Addr) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, a))
}

func TestBase(t *testing.T) {
	a := addresser{trusted: privateNetworks}
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.7:80"))
	for _, x := range baseCases {
		if got := a.base(arrivedAt(request(x.peer, x.host, x.header...), local)); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

func TestBaseUnixSocket(t *testing.T) {
	r := request("@", "h", "X-Forwarded-Proto", "https")
	if got := (&addresser{}).base(arrivedAt(r, &net.UnixAddr{Net: "unix", Name: "/run/shim"})); got != "https://h" {
		t.Errorf("%s, want the header of a trusted proxy", got)
	}
	if got := (&addresser{}).base(r); got != "http://h" {
		t.Errorf("%s, want the header of an unknown peer ignored", got)
	}
}

// TestTrustedByDefault checks that only this machine is trusted, and that ignored headers which may
// come from a proxy are logged once.
func TestTrustedByDefault(t *testing.T) {
	var lines bytes.Buffer
	a := newAddresser("", nil, slog.New(slog.NewTextHandler(&lines, nil)))
	for _, x := range []struct {
		peer     string
		want     string
		warnings int
	}{
		{"127.0.0.1:1", "http://gallery.test", 0},
		{"[::1]:1", "http://gallery.test", 0},
		{client, "http://h", 0},
		{proxy, "http://h", 1},
		{"192.168.1.2:1", "http://h", 1},
	} {
		if got := a.base(request(x.peer, "h", "X-Forwarded-Host", "gallery.test")); got != x.want {
			t.Errorf("from %s: %s, want %s", x.peer, got, x.want)
		}
		a.base(request(x.peer, "h")) // logs nothing
		if n := strings.Count(lines.String(), "--trusted-proxy"); n != x.warnings {
			t.Errorf("from %s: %d warnings, want %d:\n%s", x.peer, n, x.warnings, &lines)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	for _, x := range []struct {
		networks string
		peer     string
		want     bool
	}{
		{"192.0.2.0/24", "192.0.2.7:1", true},
		{"192.0.2.0/24", proxy, false},
		{"203.0.113.9", client, true},
		{"203.0.113.8", client, false},
		{"2001:db8::/32", "[2001:db8::5]:1", true},
		{"none", proxy, false},
		{"none", "127.0.0.1:1", false},
	} {
		var n network
		if err := n.UnmarshalText([]byte(x.networks)); err != nil {
			t.Fatal(err)
		}
		a := addresser{trusted: []network{n}}
		if got := a.trustsPeer(peerOf(request(x.peer, "h"))); got != x.want {
			t.Errorf("%s from %s: %t, want %t", x.networks, x.peer, got, x.want)
		}
	}
	if err := new(network).UnmarshalText([]byte("10.0.0.0/99")); err == nil {
		t.Error("10.0.0.0/99 is a network")
	}
}

func TestClient(t *testing.T) {
	a := addresser{trusted: privateNetworks}
	for _, x := range []struct{ peer, forwardedFor, want string }{
		{client, "", "203.0.113.9"},
		{client, "198.51.100.1", "203.0.113.9"},
		{proxy, "198.51.100.1", "198.51.100.1"},
		{proxy, "1.1.1.1, 198.51.100.1, 192.168.0.1", "198.51.100.1"},
		{proxy, "192.168.7.7", "192.168.7.7"},
		{proxy, "fe80::1%any text", "fe80::1"},
		{proxy, "nonsense", "10.1.2.3"},
		{proxy, "", "10.1.2.3"},
	} {
		if got := a.client(request(x.peer, "h", "X-Forwarded-For", x.forwardedFor)); got != x.want {
			t.Errorf("%s for %s: %s, want %s", x.peer, x.forwardedFor, got, x.want)
		}
	}
}

func TestParseBase(t *testing.T) {
	for in, want := range map[string]string{
		"https://gallery.test":         "https://gallery.test",
		"https://gallery.test/":        "https://gallery.test",
		"http://h:8080/tools/gallery/": "http://h:8080/tools/gallery",
		"http://[::1]:8080":            "http://[::1]:8080",
		"gallery.test":                 "",
		"ftp://gallery.test":           "",
		"https://":                     "",
		"https://u:p@gallery.test":     "",
		"https://gallery.test/?a":      "",
		"https://gallery.test/#a":      "",
		"https://gallery.test/a b":     "",
		"https://gallery.test/a/../b":  "",
		"https://gallery.test/%22x":    "",
	} {
		if got, err := parseBase(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v, want %s", in, got, err, want)
		}
	}
}

// TestSubPath requests paths below the path of the base URL and at the root. All addresses in
// responses must be below the base URL.
func TestSubPath(t *testing.T) {
	g := openSample(t, func(c *config) { c.addresser.fixed = "https://gallery.test/tools/gallery" })
	for _, path := range []string{"/tools/gallery/api/vscode/acme/hello/latest", "/api/vscode/acme/hello/latest", "//tools/gallery//api/acme/hello/latest/"} {
		resp := g.request("GET", "http://inner"+path, "", "X-Forwarded-Host", "evil.test")
		checkExchange(t, path, resp, 200, `"assetUri":"https://gallery.test/tools/gallery/assets/acme/hello/1.2.3"`, nil)
	}
	checkExchange(t, "/tools/gallery", g.request("GET", "http://inner/tools/gallery", ""), 302, "", []string{"Location: https://gallery.test/tools/gallery/"})
	checkExchange(t, "/tools/gallery/", g.request("GET", "http://inner/tools/gallery/", ""), 200, "browse", nil)
	checkExchange(t, "/tools/galleryx", g.request("GET", "http://inner/tools/galleryx/healthz", ""), 404, "", nil)
}

// FuzzBase sends any headers of a trusted proxy. The base URL must be valid, and must not contain
// characters that are escaped in JSON.
func FuzzBase(f *testing.F) {
	for _, x := range baseCases {
		var values [5]string
		for i, key := range []string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix"} {
			for j := 0; j < len(x.header); j += 2 {
				if x.header[j] == key {
					values[i] = x.header[j+1]
				}
			}
		}
		f.Add(x.host, values[0], values[1], values[2], values[3], values[4])
	}
	a := addresser{trusted: privateNetworks}
	f.Fuzz(func(t *testing.T, host, standard, forwardedHost, proto, port, prefix string) {
		r := request(proxy, host, "Forwarded", standard, "X-Forwarded-Host", forwardedHost, "X-Forwarded-Proto", proto,
			"X-Forwarded-Port", port, "X-Forwarded-Prefix", prefix)
		base := a.base(r)
		u, err := url.Parse(base)
		if err != nil && !strings.Contains(err.Error(), "port") && !strings.Contains(err.Error(), "host") {
			t.Fatalf("%q is not a URL: %v", base, err)
		}
		if strings.ContainsAny(base, "\"\\<>&?#@ \t\r\n") || strings.HasSuffix(base, "/") || strings.Contains(pathOf(base), "..") {
			t.Fatalf("%q: not a plain base URL", base)
		}
		if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != pathOf(base)) {
			t.Fatalf("%q: not a base URL", base)
		}
		a.client(r)
	})
}
