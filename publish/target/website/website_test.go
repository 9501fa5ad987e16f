package website

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/publish/target/internal/resttest"
)

func open(t *testing.T, h http.Handler) *Target {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	at, err := New(Config{
		URL:   strings.Replace(server.URL, "://", "://reader:secret@", 1) + "/tools/gallery/",
		sleep: func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestGet reads whole files and parts of them, whose names need escaping, from a server that
// fails now and then.
func TestGet(t *testing.T) {
	dir := t.TempDir()
	names := []string{"index/CURRENT", "files/acme/a/1.0.0@web/a b+c;d%20.js", "ä/?#"}
	for _, name := range names {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("0123456789"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := http.StripPrefix("/tools/gallery", http.FileServer(http.Dir(dir)))
	at := open(t, resttest.Faulty(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "reader" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(w, r)
	})))
	for _, name := range names {
		for range 5 {
			for _, x := range []struct {
				offset, length int64
				want           string
			}{{0, -1, "0123456789"}, {3, 4, "3456"}, {8, 100, "89"}, {5, -1, "56789"}} {
				r, err := at.Get(t.Context(), name, x.offset, x.length)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(r)
				if err != nil || string(text) != x.want {
					t.Errorf("%s from %d: got %q, %v, want %q", name, x.offset, text, err, x.want)
				}
				r.Close()
			}
		}
	}
	if _, err := at.Get(t.Context(), "nosuch", 0, -1); !errors.Is(err, target.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
	if s := at.String(); strings.Contains(s, "secret") || strings.HasSuffix(s, "/") {
		t.Errorf("String returns %s", s)
	}
}

// TestRefusals checks the errors for addresses that are not those of a site.
func TestRefusals(t *testing.T) {
	for name, x := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"no site":   {http.NotFound, "404 Not Found: give the address below which index/CURRENT is"},
		"private":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "403 Forbidden: the site is not public"},
		"no token":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, "401 Unauthorized: the site is not public"},
		"an app":    {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html><p>Hello") }, "returns a web page instead of index/CURRENT"},
		"elsewhere": {http.RedirectHandler("/login", http.StatusFound).ServeHTTP, "redirects more than"},
	} {
		_, err := publish.Read(t.Context(), open(t, x.handler))
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", name, err, x.want)
		}
	}
	for _, address := range []string{"ftp://h", "https://", "https://h?x", "https://h?", "https://h#x", "://", "site"} {
		if _, err := New(Config{URL: address}); err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

// TestReadOnly checks that methods that cannot work send no request.
func TestReadOnly(t *testing.T) {
	at := open(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s %s", r.Method, r.URL) }))
	o := target.Bytes(site.CurrentPath, "text/plain", target.Immutable, []byte("x"))
	for name, err := range map[string]error{
		"put": at.Put(t.Context(), o), "copy": at.Copy(t.Context(), "x", o), "delete": at.Delete(t.Context(), []string{"x"}), "swap": at.Swap(t.Context(), nil, o),
	} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, err := range at.List(t.Context(), "") {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("list: got %v", err)
		}
	}
}

// TestString checks that messages about a site contain neither its password nor its token.
func TestString(t *testing.T) {
	at, err := New(Config{URL: "https://me:secret@host/t/gal_" + strings.Repeat("x", 43) + "/"})
	if err != nil || at.String() != "https://me:xxxxx@host/t/gal_***" {
		t.Errorf("got %v, %v", at, err)
	}
}
