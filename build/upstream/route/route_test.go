package route

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"galbuild/build/upstream/upstreamtest"
)

func mirror(t testing.TB, text string) Mirror {
	t.Helper()
	m, err := ParseMirror(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMirror(t *testing.T) {
	const (
		plain    = "https://open-vsx.org=https://mirror.example/openvsx"
		path     = "https://open-vsx.org/api/=http://m/x"
		template = "https://mirror.example/remote/{host}/{path}"
	)
	for _, x := range []struct{ mirror, address, want string }{
		{plain, "https://open-vsx.org/api/x?size=1&q=%2F", "https://mirror.example/openvsx/api/x?size=1&q=%2F"},
		{plain, "https://OPEN-vsx.org:443/a%2Fb+c", "https://mirror.example/openvsx/a%2Fb+c"},
		{plain, "https://open-vsx.org", "https://mirror.example/openvsx"},
		{plain, "https://open-vsx.org/{host}/{path}", "https://mirror.example/openvsx/%7Bhost%7D/%7Bpath%7D"},
		{plain, "https://open-vsx.org.evil/x", ""},
		{plain, "https://open-vsx.org:8443/x", ""},
		{plain, "http://open-vsx.org/x", ""},
		{plain, "https://mirror.example/openvsx/x", ""},
		{path, "https://open-vsx.org/api/x", "http://m/x/x"},
		{path, "https://open-vsx.org/api", "http://m/x"},
		{path, "https://open-vsx.org/apis/x", ""},
		{template, "https://cdn.example:8443/a/b?c=%7Bpath%7D", "https://mirror.example/remote/cdn.example:8443/a/b?c=%7Bpath%7D"},
		{template, "https://mirror.example/remote/x/y", ""},
		{template, "https://mirror.example/elsewhere", "https://mirror.example/remote/mirror.example/elsewhere"},
		{"https://a=https://user:s3cret@m/get/{path}/file", "https://a/b", "https://m/get/b/file"},
		{"https://a=https://a/cache", "https://a/x", "https://a/cache/x"},
		{"https://a=https://a/cache", "https://a/cache/x", ""},
	} {
		u, err := url.Parse(x.address)
		if err != nil {
			t.Fatal(err)
		}
		m, got := mirror(t, x.mirror), ""
		if to := m.address(u); to != nil {
			got = to.String()
		}
		if got != x.want {
			t.Errorf("%s: %s is requested at %q, want %q", x.mirror, x.address, got, x.want)
		}
	}
}

func TestParseMirror(t *testing.T) {
	for text, want := range map[string]string{
		"https://m/s3cret":                  "want FROM=TO, such as",
		"https://m/{path}":                  "want FROM=TO, such as",
		"https://{host}/s3cret":             "malformed",
		"ftp://s3cret=https://m":            "malformed",
		"https://a/?x=https://m/s3cret":     "malformed",
		"https://a=https://m/?s3cret":       "malformed",
		"https://u:s3cret@a=https://m":      "has credentials",
		"=https://m":                        "malformed",
		"https://a=https://m:s3cret\n/x/#":  "malformed",
		"https://u:s3cret@{host}/x=https:/": "malformed",
	} {
		_, err := ParseMirror(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: error %v, want one with %q and without secrets", text, err, want)
		}
	}
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"s3cret":                 "a token without an address; want https://HOST=TOKEN",
		"https://host=":          "a token without an address",
		"=s3cret":                "a token with an address that is not that of a host",
		"https://host/s3cret=x":  "a token with an address that is not that of a host",
		"ftp://host=s3cret":      "a token with an address that is not that of a host",
		"https://u:s3cret@host=": "a token without an address",
	} {
		_, err := New(Config{Tokens: text})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: error %v, want one with %q and without secrets", text, err, want)
		}
	}
}

// TestCredentials sends requests and follows redirects, and checks what each host receives.
func TestCredentials(t *testing.T) {
	var received []string
	host := func(w http.ResponseWriter, r *http.Request) {
		received = append(received, r.URL.Scheme+"://"+r.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	hosts := upstreamtest.Hosts{}
	for _, name := range []string{"https://a", "http://a", "https://a:8443", "https://A:443", "https://b", "https://mirror", "https://c"} {
		hosts[name] = http.HandlerFunc(host)
	}
	transport, err := New(Config{
		Next: hosts, Tokens: "https://a=A\nb=B",
		Mirrors: []Mirror{mirror(t, "https://b=https://user:password@mirror/b"), mirror(t, "https://c=https://mirror/c")},
	})
	if err != nil {
		t.Fatal(err)
	}
	const mirrorLogin = "Basic dXNlcjpwYXNzd29yZA=="
	for address, want := range map[string][]string{
		"https://a/x":                     {"https://a/x Bearer A"},
		"https://A:443/x":                 {"https://A:443/x Bearer A"},
		"http://a/x":                      {"http://a/x "},
		"https://a:8443/x":                {"https://a:8443/x "},
		"https://a/x?to=https://a:8443/y": {"https://a/x Bearer A", "https://a:8443/y "},
		"https://a:8443/x?to=https://a/y": {"https://a:8443/x ", "https://a/y Bearer A"},
		"https://b/x":                     {"https://mirror/b/x " + mirrorLogin},
		// A relative address in a redirect is one of the mirror.
		"https://b/x?to=/other/y":    {"https://mirror/b/x " + mirrorLogin, "https://mirror/other/y " + mirrorLogin},
		"https://b/x?to=https://b/y": {"https://mirror/b/x " + mirrorLogin, "https://mirror/b/y " + mirrorLogin},
		"https://c/x?to=y":           {"https://mirror/c/x " + mirrorLogin, "https://mirror/c/y " + mirrorLogin},
	} {
		received = nil
		if _, err := upstreamtest.Requests(t, transport).Get(t.Context(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if !slices.Equal(received, want) {
			t.Errorf("%s: received %q, want %q", address, received, want)
		}
	}
}

// TestOwnCredentials sends requests with credentials of their own, which no mirror receives.
func TestOwnCredentials(t *testing.T) {
	received := ""
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { received += r.Header.Get("Authorization") + ";" })
	transport, err := New(Config{
		Next:    upstreamtest.Hosts{"https://a": handler, "https://mirror": handler},
		Mirrors: []Mirror{mirror(t, "https://b=https://mirror")}, Tokens: "https://a=A",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"https://a/x", "https://b/x"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("own", "own")
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if want := "Basic b3duOm93bg==;;"; received != want {
		t.Errorf("received %q, want %q", received, want)
	}
}

// TestStatus checks that an error names the mirror, which has responded.
func TestStatus(t *testing.T) {
	transport, err := New(Config{
		Next: upstreamtest.Hosts{"https://mirror": http.NotFoundHandler()}, Mirrors: []Mirror{mirror(t, "https://b=https://mirror")},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = upstreamtest.Requests(t, transport).Get(t.Context(), "https://b/x")
	if err == nil || !strings.HasPrefix(err.Error(), "mirror: ") {
		t.Errorf("error %v, want one with the host of the mirror", err)
	}
}
