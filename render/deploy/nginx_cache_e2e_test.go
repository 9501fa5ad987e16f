//go:build e2e

package deploy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"galbuild/build/headers"
)

// countingShim responds to each request with its number, form, path and body, as galshim does.
func countingShim(t *testing.T) string {
	var requests atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		headers.SetEvery(w.Header(), r.Method)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if strings.Contains(string(body), "private") {
			w.Header().Set("Cache-Control", headers.Private)
		}
		if strings.Contains(string(body), "wrong") {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprintf(w, "%d %q %s %s", requests.Add(1), r.Header.Get("Accept-Encoding"), r.URL.Path, body)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// TestNginxCache checks which responses of galshim are kept, and that no other request gets them.
func TestNginxCache(t *testing.T) {
	for _, base := range []string{"http://gallery.example", "http://gallery.example/tools/gallery"} {
		client := nginx(t, Nginx{BaseURL: base, Root: makeSite(t), Shim: countingShim(t), Cache: 1 << 20, CacheDir: filepath.Join(t.TempDir(), "cache")})
		send := func(method, path, body, coding string) (*http.Response, string) {
			t.Helper()
			request, err := http.NewRequest(method, base+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Accept-Encoding", coding)
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response, string(text)
		}
		const query = "/api/extensionquery"
		long := strings.Repeat(" ", 40<<10)
		// All of these are different, so none may get the response of another.
		all := []struct {
			name, method, path, body, coding string
			kept                             bool
		}{
			{"query", "POST", query, "one", "", true},
			{"another body", "POST", query, "two", "", true},
			{"compressed", "POST", query, "one", "deflate, gzip, br", true},
			{"an encoding like a body", "POST", query, "", "gzip " + query + "\tone", true},
			{"an encoding like gzip", "POST", query, "three", "notgzip", true},
			{"another version of the API", "POST", query + "?api-version=3.0", "one", "", true},
			{"Microsoft's path", "POST", "/_apis/public/gallery/extensionquery", "one", "", true},
			{"long body", "POST", query, long + "one", "", false},
			{"another long body", "POST", query, long + "two", "", false},
			{"private response", "POST", query, "private", "", false},
			{"wrong query", "POST", query, "wrong", "", false},
			{"GET", "GET", query, "", "gzip", false},
			{"another path", "POST", "/api/other", "one", "", false},
		}
		numbers := make(map[string]string) // by number
		for _, x := range all {
			first, text := send(x.method, x.path, x.body, x.coding)
			again, same := send(x.method, x.path, x.body, x.coding)
			number, _, _ := strings.Cut(text, " ")
			if other := numbers[number]; other != "" {
				t.Errorf("%s gets the response of %s: %.100s", x.name, other, text)
			}
			numbers[number] = x.name
			if kept := text == same; kept != x.kept || x.body != "" && !strings.HasSuffix(same, " "+x.body) {
				t.Errorf("%s: kept: %v, want %v: %.100s, %.100s", x.name, kept, x.kept, text, same)
			}
			for name, want := range first.Header {
				if got := again.Header[name]; name != "Date" && name != "Content-Length" && fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s: %s: first %q, then %q", x.name, name, want, got)
				}
			}
			if got := again.Header.Values("Cache-Control"); len(got) != 1 || got[0] == short {
				t.Errorf("%s: Cache-Control: %q", x.name, got)
			}
		}
	}
}

// TestNginxTwoGalleries serves galleries with one nginx at one address: at two hosts, and at two
// paths of a third. One of them has a cache, and one a rate limit.
func TestNginxTwoGalleries(t *testing.T) {
	shim := strings.TrimPrefix(fakeShim(t).URL, "http://")
	one := Nginx{BaseURL: "http://one.example", Root: makeSite(t), Shim: shim, Cache: 1 << 20, CacheDir: filepath.Join(t.TempDir(), "cache")}
	two := Nginx{BaseURL: "http://two.example/g", Root: makeSite(t), Shim: shim, RateLimit: 50}
	dir, err := os.MkdirTemp("", "nginx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var inner []Nginx
	for _, name := range []string{"a", "b"} {
		inner = append(inner, Nginx{BaseURL: "http://three.example/" + name, Root: two.Root, Shim: shim, Behind: true, Listen: "unix:" + filepath.Join(dir, name)})
	}
	client := nginxWith(t, one, func(conf string) string {
		_, rest, _ := strings.Cut(conf, "listen unix:")
		socket, _, _ := strings.Cut(rest, ";")
		two.Listen = "unix:" + socket
		var locations bytes.Buffer
		text := bytes.NewBufferString(conf)
		write := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		write(two.Write(text))
		for _, n := range inner {
			write(n.Write(text))
			write(n.WriteLocations(&locations))
		}
		fmt.Fprintf(text, "server {\nlisten unix:%s;\nserver_name three.example;\n%s}\n", socket, &locations)
		return text.String()
	})
	for _, n := range []Nginx{one, two, inner[0], inner[1]} {
		t.Run(n.BaseURL, func(t *testing.T) { runProbes(t, client, n.BaseURL) })
	}
}
