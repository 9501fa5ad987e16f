package address

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"galbuild/build/upstream"
	"galbuild/build/upstream/openvsx/openvsxtest"
	"galbuild/build/upstream/upstreamtest"
)

// pack returns a small package.
func pack(t testing.TB, id, version, platform string, preRelease bool) []byte {
	t.Helper()
	return packWith(t, 0, id, version, platform, preRelease)
}

// packWith returns a package with some bytes that are not needed to find out what it is.
func packWith(t testing.TB, padding int, id, version, platform string, preRelease bool) []byte {
	t.Helper()
	publisher, name, _ := strings.Cut(id, ".")
	content, err := openvsxtest.Package{
		JSON: fmt.Sprintf(`{"publisher":%q,"name":%q,"version":%q,"engines":{"vscode":"^1.90.0"},`+
			`"license":"MIT","extensionDependencies":["Acme.core"],"extensionPack":["a.b"]}`, publisher, name, version),
		Platform: platform, PreRelease: preRelease, Padding: padding,
	}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v, want one with %q and without secrets", err, text)
	}
}

func address(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestPackage finds out what the package at an address is, from a part of it.
func TestPackage(t *testing.T) {
	content := packWith(t, 220<<10, "Acme.tool", "1.2.3", "linux-x64", true)
	requests, sent := 0, 0
	host := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		counted := &countingWriter{ResponseWriter: w}
		http.ServeContent(counted, r, "", time.Time{}, bytes.NewReader(content))
		sent += counted.bytes
	})
	p := New(address(t, "https://host/dir/x.vsix?sig=s3cret"), Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts{"https://host": host})})
	if p.Name() != "https://host/dir/x.vsix" {
		t.Errorf("the name is %s", p.Name())
	}
	for range 2 {
		ids, err := p.List(t.Context(), upstream.Listing{Publisher: "acme"})
		if err != nil || !reflect.DeepEqual(ids, []string{"Acme.tool"}) {
			t.Errorf("ids %q, %v", ids, err)
		}
	}
	e, err := p.Extension(t.Context(), "acme.TOOL")
	want := &upstream.Extension{ID: "Acme.tool", Releases: []upstream.Release{{
		Version: "1.2.3", Platform: "linux-x64", PreRelease: true, Engine: "^1.90.0", Licence: "MIT",
		Dependencies: []string{"acme.core"}, Pack: []string{"a.b"},
		Package: upstream.File{URL: "https://host/dir/x.vsix?sig=s3cret", Size: int64(len(content))},
	}}}
	if err != nil || !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v, %v\nwant %+v", e, err, want)
	}
	if err := p.Complete(t.Context(), e, &e.Releases[0]); err != nil {
		t.Error(err)
	}
	if requests > 2 || sent > tailBytes+partBytes {
		t.Errorf("%d bytes of %d in %d requests", sent, len(content), requests)
	}
	_, err = p.Extension(t.Context(), "acme.other")
	if wantError(t, err, "acme.other: not found"); !errors.Is(err, upstream.ErrNotFound) {
		t.Error("the error is not ErrNotFound")
	}
	for _, l := range []upstream.Listing{{Search: "x"}, {Category: "x"}} {
		if _, err := p.List(t.Context(), l); !errors.Is(err, upstream.ErrUnsupported) {
			t.Error(err)
		}
	}
	if ids, err := p.List(t.Context(), upstream.Listing{Publisher: "other"}); err != nil || ids != nil {
		t.Errorf("ids %q, %v", ids, err)
	}
	if _, err := p.Changes(t.Context(), ""); !errors.Is(err, upstream.ErrUnsupported) {
		t.Error(err)
	}
}

type countingWriter struct {
	http.ResponseWriter
	bytes int
}

func (w *countingWriter) Write(b []byte) (int, error) {
	w.bytes += len(b)
	return w.ResponseWriter.Write(b)
}

// TestWhole has a server that sends whole files only. The package is downloaded, and kept.
func TestWhole(t *testing.T) {
	content := pack(t, "acme.tool", "1.2.3", "", false)
	host := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts{"https://host": host})}
	_, err := New(address(t, "https://host/x.vsix"), c).Extension(t.Context(), "acme.tool")
	wantError(t, err, "https://host/x.vsix: requests for a part of a file are not supported by this upstream: host sends the whole file")
	file, downloads := filepath.Join(t.TempDir(), "x"), 0
	c.Download = func(_ context.Context, address string) (string, error) {
		downloads++
		return file, errors.Join(os.WriteFile(file, content, 0o600), map[string]error{"https://host/y.vsix": os.ErrPermission}[address])
	}
	e, err := New(address(t, "https://host/x.vsix"), c).Extension(t.Context(), "acme.tool")
	if err != nil || e.Releases[0].Version != "1.2.3" || e.Releases[0].Package.Size != int64(len(content)) || downloads != 1 {
		t.Errorf("%+v, %v after %d downloads", e, err, downloads)
	}
	_, err = New(address(t, "https://host/y.vsix"), c).Extension(t.Context(), "acme.tool")
	wantError(t, err, "permission denied")
}

// TestNotPackage requests what is not a package, or not one that can be read.
func TestNotPackage(t *testing.T) {
	content := packWith(t, 80<<10, "acme.tool", "1.2.3", "", false)
	served := 0
	handlers := map[string]http.HandlerFunc{
		"is not a zip":  serveText([]byte("<html>")),
		"empty":         serveText(nil),
		"cut off":       serveText(content[:len(content)-40]),
		"other version": serveText(pack(t, "acme.tool", "1/../2", "", false)),
		"gone":          http.NotFound,
		"replaced": func(w http.ResponseWriter, r *http.Request) {
			served++
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(content[:len(content):len(content)], make([]byte, served-1)...)))
		},
		"of endless size": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", int64(1)<<60-tailBytes, int64(1)<<60-1, int64(1)<<60))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(make([]byte, tailBytes))
		},
	}
	for name, want := range map[string]string{
		"is not a zip": "it has no end record", "empty": "another part", "cut off": "cut off or damaged", "other version": `version "1/../2"`,
		"gone": "not found", "replaced": "the package was replaced while it was read", "of endless size": "more than the limit",
	} {
		c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts{"https://host": handlers[name]})}
		_, err := New(address(t, "https://host/x.vsix"), c).Extension(t.Context(), "acme.tool")
		wantError(t, err, want)
	}
}

func serveText(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// TestLimit reads a package of which the server sends a single byte each time.
func TestLimit(t *testing.T) {
	content := packWith(t, 80<<10, "acme.tool", "1.2.3", "", false)
	host := func(w http.ResponseWriter, r *http.Request) {
		from := len(content) - 30 // in the end record
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil && from >= 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%[1]d/%d", from, len(content)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(content[from : from+1])
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
	c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts{"https://host": http.HandlerFunc(host)})}
	_, err := New(address(t, "https://host/x.vsix"), c).Extension(t.Context(), "acme.tool")
	wantError(t, err, "more than 32 requests are needed")
}

func TestIsPackage(t *testing.T) {
	for text, want := range map[string]bool{
		"https://host/x.VSIX?a=b": true, "https://host/x.vsix/": false, "https://host/?x.vsix": false, "https://host": false,
	} {
		if got := IsPackage(address(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
