package gallery

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
	"galbuild/build/upstream/upstreamtest"
)

var record = flag.String("record", "", "URL of a code-marketplace whose responses are recorded, such as http://127.0.0.1:3001")

const recording = "testdata/code-marketplace.txtar"

// recorded is a handler that responds to requests as code-marketplace did. With -record, it asks a
// code-marketplace that runs, and records its responses.
type recorded struct {
	t       *testing.T
	archive *txtar.Archive
}

func newRecorded(t *testing.T) http.Handler {
	t.Helper()
	text, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorded{t, txtar.Parse(text)}
	if *record == "" {
		return r
	}
	r.archive.Files = nil
	t.Cleanup(func() {
		if err := os.WriteFile(recording, txtar.Format(r.archive), 0o644); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *recorded) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	name := strings.TrimSpace(request.Method + " " + request.RequestURI + " " + string(body))
	if *record != "" {
		r.ask(w, request, name, body)
		return
	}
	i := slices.IndexFunc(r.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		r.t.Errorf("no response is recorded for %s", name)
		w.WriteHeader(http.StatusNotFound)
		return
	}
	response := r.archive.Files[i].Data
	first, rest, _ := strings.Cut(string(response), "\n")
	status, value, _ := strings.Cut(first, " ")
	switch status {
	case "200":
		w.Header().Set("Content-Length", value)
		_, _ = io.WriteString(w, rest)
	case "301":
		http.Redirect(w, request, value, http.StatusMovedPermanently)
	default:
		r.t.Errorf("status %q is recorded for %s", first, name)
	}
}

// ask sends a request to the code-marketplace that runs, as a proxy would.
func (r *recorded) ask(w http.ResponseWriter, request *http.Request, name string, body []byte) {
	to, err := url.Parse(*record)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = "market.example"
			p.Out.Header.Set("X-Forwarded-Proto", "https")
		},
		ModifyResponse: func(response *http.Response) error {
			text, err := io.ReadAll(response.Body)
			response.Body = io.NopCloser(bytes.NewReader(text))
			first := response.Status[:4] + response.Header.Get("Content-Length")
			if response.StatusCode != http.StatusOK {
				first, text = response.Status[:4]+response.Header.Get("Location"), nil
			}
			f := txtar.File{Name: name, Data: append([]byte(first+"\n"), text...)}
			if !slices.ContainsFunc(r.archive.Files, func(g txtar.File) bool { return g.Name == f.Name }) {
				r.archive.Files = append(r.archive.Files, f)
			}
			return err
		},
	}
	proxy.ServeHTTP(w, request)
}

// TestMarketplace asks code-marketplace, as recorded.
func TestMarketplace(t *testing.T) {
	g := New("https://market.example", upstreamtest.Requests(t, upstreamtest.Hosts{"https://market.example": newRecorded(t)}))
	e, err := g.Extension(t.Context(), "acme.tool")
	if err != nil {
		t.Fatal(err)
	}
	const dir = "https://market.example/assets/Acme/tool/"
	release := func(version, platform, engine string, preRelease bool) upstream.Release {
		name := dir + version
		if platform != "" {
			name += "@" + platform
		}
		return upstream.Release{
			Version: version, Platform: platform, PreRelease: preRelease, Engine: engine, Dependencies: []string{"acme.core"},
			Package:   upstream.File{URL: name + "/" + catalog.PackageAsset, Size: -1},
			Signature: &upstream.File{URL: name + "/" + catalog.SignatureAsset, Size: -1},
		}
	}
	equal(t, e, &upstream.Extension{
		ID: "Acme.tool", Publisher: catalog.SidecarPublisher{DisplayName: "Acme"}, Releases: []upstream.Release{
			release("1.4.0", "linux-x64", "^1.96.0", true), release("1.3.0", "darwin-arm64", "^1.85.0", false),
			release("1.3.0", "linux-x64", "^1.85.0", false), release("1.2.0", "", "^1.85.0", false),
		},
	})
	if err := g.Complete(t.Context(), e, &e.Releases[0]); err != nil || e.Releases[0].Package.Size != 2041 {
		t.Errorf("size %d, %v", e.Releases[0].Package.Size, err)
	}
	for _, x := range []struct {
		listing upstream.Listing
		want    string
	}{
		{upstream.Listing{}, "acme.core other.pack Acme.tool"},
		{upstream.Listing{Top: 1}, "acme.core"},
		{upstream.Listing{Publisher: "ACME"}, "acme.core Acme.tool"},
		{upstream.Listing{Category: "extension packs"}, "other.pack"},
		{upstream.Listing{Search: "tool", Category: "Other"}, ""},
		{upstream.Listing{Search: "tool"}, "Acme.tool"},
	} {
		got, err := g.List(t.Context(), x.listing)
		if err != nil || strings.Join(got, " ") != x.want {
			t.Errorf("%+v: %q, %v, want %q", x.listing, got, err, x.want)
		}
	}
	_, err = g.Extension(t.Context(), "acme.missing")
	wantError(t, err, "acme.missing: not found")
	if !e.Released.IsZero() || !e.Releases[0].Published.Equal(time.Time{}) {
		t.Errorf("released %s, published %s", e.Released, e.Releases[0].Published)
	}
}
