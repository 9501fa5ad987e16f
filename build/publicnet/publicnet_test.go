package publicnet

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "140.82.121.4": true, "2606:50c0:8000::154": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "::": false, "10.1.2.3": false, "172.31.0.1": false,
		"192.168.1.1": false, "169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "100.64.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "224.0.0.1": false,
		"255.255.255.255": false, "198.18.0.1": false, "0.1.2.3": false, "ff02::1": false, "::127.0.0.1": false,
	} {
		if got := IsPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

// get sends a request with a transport that allows some servers.
func get(t *testing.T, address string, allowed ...string) error {
	t.Helper()
	var servers []*url.URL
	for _, a := range allowed {
		u, err := url.Parse(a)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, u)
	}
	transport, err := NewTransport("", servers)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport}).Get(address)
	if err == nil {
		response.Body.Close()
	}
	return err
}

// TestTransport has a server on this machine, which is not public: it is reached only if it is
// allowed, and not through a redirect to another name of it.
func TestTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "http://"+strings.Replace(r.Host, "127.0.0.1", "localhost", 1)+"/", http.StatusFound)
		}
	}))
	defer server.Close()
	named := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for name, x := range map[string]struct {
		address string
		allowed []string
		reached bool
	}{
		"allowed":              {server.URL, []string{server.URL}, true},
		"allowed by name":      {named, []string{strings.Replace(named, "localhost", "LocalHost", 1)}, true},
		"another port allowed": {server.URL, []string{"http://127.0.0.1:1"}, false},
		"not allowed":          {server.URL, nil, false},
		"not allowed by name":  {named, nil, false},
		"another host allowed": {named, []string{server.URL}, false},
		"redirect":             {server.URL + "/redirect", []string{server.URL}, false},
		"mapped":               {strings.Replace(server.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), nil, false},
	} {
		err := get(t, x.address, x.allowed...)
		if _, refused := errors.AsType[*Error](err); refused == x.reached || x.reached && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDial connects to a name that resolves to this machine.
func TestDial(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	address := strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	if _, err := new(transport).dial(t.Context(), "tcp4", address); err == nil || !strings.Contains(err.Error(), "127.0.0.1 is not a public address") {
		t.Errorf("got %v", err)
	}
	connection, err := (&transport{allowed: []string{address}}).dial(t.Context(), "tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	connection.Close()
}

// TestControl has addresses that names can have.
func TestControl(t *testing.T) {
	for address, public := range map[string]bool{"8.8.8.8:80": true, "[::1]:80": false, "10.0.0.1:443": false, "x": false} {
		if err := control("tcp", address, nil); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestProxy has a proxy on this machine, which is used for names. Addresses in digits are refused
// before the proxy gets them.
func TestProxy(t *testing.T) {
	var got string
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.String() }))
	defer proxy.Close()
	public, err := NewTransport("", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := public.(*transport)
	p.http.Proxy = p.remember(func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) })
	client := &http.Client{Transport: public}
	response, err := client.Get("http://acme.example/a.png")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got != "http://acme.example/a.png" {
		t.Errorf("the proxy got %q", got)
	}
	if _, err := client.Get("http://10.0.0.1/"); err == nil || got != "http://acme.example/a.png" {
		t.Errorf("%v, the proxy got %q", err, got)
	}
}
