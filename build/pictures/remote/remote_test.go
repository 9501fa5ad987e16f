package remote

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/collect/lock"
	"galbuild/build/imagefile"
	"galbuild/build/publicnet"
	"galbuild/build/retry"
	"galbuild/build/vsix"
)

const (
	pixel   = "\x89PNG\r\n\x1a\npixel"
	drawing = `<svg xmlns="http://www.w3.org/2000/svg"/>`
)

// host serves pictures, and counts the requests for each path.
type host struct {
	*httptest.Server
	mutex    sync.Mutex
	requests map[string]int
}

func newHost(t *testing.T) *host {
	h := &host{requests: map[string]int{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mutex.Lock()
	h.requests[r.URL.Path]++
	n := h.requests[r.URL.Path]
	h.mutex.Unlock()
	switch r.URL.Path {
	case "/a.png":
		io.WriteString(w, pixel)
	case "/badge":
		w.Header().Set("Content-Type", "text/plain") // the content decides
		io.WriteString(w, drawing)
	case "/moved":
		http.Redirect(w, r, "/a.png", http.StatusMovedPermanently)
	case "/busy":
		if n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, pixel)
	case "/down":
		w.WriteHeader(http.StatusBadGateway)
	case "/page.png":
		io.WriteString(w, "<html>sign in</html>")
	case "/hostile.svg":
		io.WriteString(w, "<svg onload='x'/>")
	case "/large":
		w.Write(append([]byte(pixel), make([]byte, imagefile.MaxBytes)...))
	case "/private":
		http.Redirect(w, r, "http://localhost:1/", http.StatusFound)
	default:
		http.NotFound(w, r)
	}
}

// address returns the URL of the host.
func (h *host) address(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// newDownloader returns a downloader that may reach some servers, and its folder.
func newDownloader(t *testing.T, l Limits, servers ...*url.URL) (*Downloader, string) {
	t.Helper()
	transport, err := publicnet.NewTransport("", servers)
	if err != nil {
		t.Fatal(err)
	}
	client, err := retry.New(retry.Config{Transport: transport, Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return New(client, root, l), dir
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "pictures", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

// TestGet requests all kinds of addresses twice, as two packages do: each is requested once.
func TestGet(t *testing.T) {
	h := newHost(t)
	d, dir := newDownloader(t, Limits{}, h.address(t))
	addresses := []string{
		h.URL + "/moved", h.URL + "/a.png", h.URL + "/badge?x=1", h.URL + "/busy", h.URL + "/none", h.URL + "/down", h.URL + "/page.png",
		h.URL + "/hostile.svg", h.URL + "/large", h.URL + "/private", "http://10.1.2.3/x.png", "file:///etc/passwd", "https://user@acme.example/x.png",
	}
	wantLeft := []string{
		"/none: the server responds with 404 Not Found", "/down: the server responds with 502 Bad Gateway", "/page.png: it is not a drawing",
		"/hostile.svg: it is not a drawing that is safe to serve: its element <svg> can run a script", "/large: more than 8388608 bytes",
		"/private: localhost is not a public address", "10.1.2.3/x.png: 10.1.2.3 is not a public address",
		"/etc/passwd: want an http or https address", "acme.example/x.png: want an http or https address without a user",
	}
	for range 2 {
		got, left, err := d.Get(t.Context(), addresses)
		if err != nil {
			t.Fatal(err)
		}
		want := []lock.Picture{
			{Address: h.URL + "/a.png", SHA256: blob.Sum([]byte(pixel)), Size: int64(len(pixel)), Type: "image/png"},
			{Address: h.URL + "/badge?x=1", SHA256: blob.Sum([]byte(drawing)), Size: int64(len(drawing)), Type: "image/svg+xml"},
			{Address: h.URL + "/busy", SHA256: blob.Sum([]byte(pixel)), Size: int64(len(pixel)), Type: "image/png"},
			{Address: h.URL + "/moved", SHA256: blob.Sum([]byte(pixel)), Size: int64(len(pixel)), Type: "image/png"},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		for i, l := range left {
			if text := l.Address + ": " + l.Reason; i >= len(wantLeft) || !strings.Contains(text, wantLeft[i]) {
				t.Errorf("left out: %s", text)
			}
		}
		if len(left) != len(wantLeft) {
			t.Errorf("%d are left out, want %d", len(left), len(wantLeft))
		}
	}
	if got, want := fmt.Sprint(h.requests), "map[/a.png:2 /badge:1 /busy:2 /down:3 /hostile.svg:1 /large:1 /moved:1 /none:1 /page.png:1 /private:1]"; got != want {
		t.Errorf("requests %s, want %s", got, want)
	}
	want := []string{blob.Sum([]byte(pixel)).String() + ".png", blob.Sum([]byte(drawing)).String() + ".svg"}
	slices.Sort(want)
	if got := filesIn(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// TestNotAllowed has a server on this machine, which a readme must not reach.
func TestNotAllowed(t *testing.T) {
	h := newHost(t)
	d, dir := newDownloader(t, Limits{})
	got, left, err := d.Get(t.Context(), []string{h.URL + "/a.png"})
	if err != nil || len(got) != 0 || len(left) != 1 || len(h.requests) != 0 || len(filesIn(t, dir)) != 0 {
		t.Errorf("got %v, %v, %v; requests %v", got, left, err, h.requests)
	}
}

func TestLimits(t *testing.T) {
	h := newHost(t)
	for name, x := range map[string]struct {
		limits Limits
		want   string
	}{
		"count": {Limits{Count: 1}, "the package shows more than 1 pictures"},
		"bytes": {Limits{Bytes: int64(len(pixel)) + 1}, "the pictures of the package have more than"},
	} {
		d, _ := newDownloader(t, x.limits, h.address(t))
		got, left, err := d.Get(t.Context(), []string{h.URL + "/a.png", h.URL + "/badge"})
		if err != nil || len(got) != 1 || len(left) != 1 || !strings.Contains(left[0].Reason, x.want) {
			t.Errorf("%s: %v, %v, %v", name, got, left, err)
		}
	}
}

// TestCancelled ends as soon as the context does, and does not remember that as the result.
func TestCancelled(t *testing.T) {
	h := newHost(t)
	d, _ := newDownloader(t, Limits{}, h.address(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Get(ctx, []string{h.URL + "/a.png"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got, _, err := d.Get(t.Context(), []string{h.URL + "/a.png"}); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestGetLocked has a folder that lacks a picture, one that has it, and an address that has
// changed.
func TestGetLocked(t *testing.T) {
	h := newHost(t)
	d, dir := newDownloader(t, Limits{}, h.address(t))
	p := lock.Picture{Address: h.URL + "/a.png", SHA256: blob.Sum([]byte(pixel)), Size: int64(len(pixel)), Type: "image/png"}
	for range 2 {
		if err := d.GetLocked(t.Context(), p); err != nil || h.requests["/a.png"] != 1 || len(filesIn(t, dir)) != 1 {
			t.Errorf("%v, %d requests", err, h.requests["/a.png"])
		}
	}
	again, dir2 := newDownloader(t, Limits{}, h.address(t))
	file := filepath.Join(dir2, "pictures", p.SHA256.String()+".png")
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("damaged"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := again.GetLocked(t.Context(), p); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != pixel {
		t.Errorf("%q, %v", text, err)
	}
	p.SHA256 = blob.Sum(nil)
	if err := d.GetLocked(t.Context(), p); err == nil || !strings.Contains(err.Error(), "and the lock has e3b0c44") {
		t.Errorf("got %v", err)
	}
}

// TestWanted has a package that holds some of the pictures that it shows.
func TestWanted(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"extension/package.json": `{"name":"hello","publisher":"acme","version":"1.0.0","engines":{"vscode":"*"},"repository":"https://gitlab.com/acme/hello.git"}`,
		"extension/README.md":    "![a](images/a.png) ![b](images/b.png) ![badge](https://img.example/x?y) <img src='//acme.example/c.png'> ![d](data:image/png;base64,AA==)",
		"extension/CHANGELOG.md": "![badge](https://img.example/x?y) ![e](https://gitlab.com/acme/hello/-/raw/main/images/a.png) ![f](mailto:x) ![g](http://user:pw@acme.example/g)",
		"extension/images/a.png": "a", "extension/images/b.txt": "b",
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := vsix.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), vsix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Wanted(p)
	slices.Sort(got)
	want := []string{"https://acme.example/c.png", "https://gitlab.com/acme/hello/-/raw/HEAD/images/b.png", "https://img.example/x?y"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
