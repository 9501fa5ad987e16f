package gallery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
	"galbuild/build/upstream/upstreamtest"
)

func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := json.MarshalIndent(got, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", g, w)
	}
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
	}
}

// respond returns a handler that sends a text to POST requests for a path. It counts requests.
func respond(path, text string, count *int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*count++
		if r.Method != http.MethodPost || r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, text)
	})
}

// gallery returns the gallery https://host with a response to all queries.
func newGallery(t testing.TB, address, response string) *Client {
	t.Helper()
	n := 0
	hosts := upstreamtest.Hosts{"https://host": respond("/api/extensionquery", response, &n)}
	return New(address, upstreamtest.Requests(t, hosts))
}

// response returns a response with an extension acme.tool. version is the inside of its version.
func response(version string) string {
	return `{"results":[{"extensions":[{"publisher":{"publisherName":"acme"},"extensionName":"tool","versions":[{` + version + `}]}]}]}`
}

const asset = `"assetUri":"https://cdn/x"`

// TestExtension decodes what servers send.
func TestExtension(t *testing.T) {
	const (
		pkg = "https://cdn/x/" + catalog.PackageAsset
		sig = "https://cdn/x/" + catalog.SignatureAsset
		key = "https://cdn/x/" + publicKeyAsset
	)
	property := func(key, value string) string {
		return fmt.Sprintf(`"version":"1.0.0",`+asset+`,"properties":[{"key":%q,"value":%q},{"key":%[1]q,"value":"second"}]`, key, value)
	}
	for version, want := range map[string]upstream.Release{
		`"version":"1.0.0",` + asset: {},
		`"version":"1.0.0","targetPlatform":"universal","assetUri":"https://other/y","fallbackAssetUri":"https://cdn/x/"`:                 {},
		`"version":"1.0.0","targetPlatform":"linux-x64",` + asset:                                                                         {Platform: "linux-x64", Package: upstream.File{URL: pkg + "?targetPlatform=linux-x64"}},
		`"version":"1.0.0","targetPlatform":"linux-x64","assetUri":"https://cdn/x@linux-x64"`:                                             {Platform: "linux-x64", Package: upstream.File{URL: "https://cdn/x@linux-x64/" + catalog.PackageAsset}},
		`"version":"1.0.0","lastUpdated":"2026-02-03T04:05:06.789+01:00",` + asset:                                                        {Published: time.Date(2026, 2, 3, 3, 5, 6, 0, time.UTC)},
		`"version":"1.0.0","lastUpdated":"0001-01-01T00:00:00Z",` + asset:                                                                 {},
		`"version":"1.0.0","lastUpdated":"0001-01-02T00:00:00Z",` + asset:                                                                 {},
		`"version":"1.0.0","lastUpdated":"9999-12-31T23:59:59-01:00",` + asset:                                                            {},
		`"version":"1.0.0","lastUpdated":"yesterday",` + asset:                                                                            {},
		`"version":"1.0.0","lastUpdated":7,"files":{},"properties":"none",` + asset:                                                       {},
		property(catalog.PropertyEngine, "^1.90.0 "):                                                                                      {Engine: "^1.90.0"},
		property(catalog.PropertyPreRelease, "true"):                                                                                      {PreRelease: true},
		property(catalog.PropertyPreRelease, "false"):                                                                                     {},
		property(catalog.PropertyDependencies, "Acme.core, acme.core,,no id,\u009b2J.x"):                                                  {Dependencies: []string{"acme.core"}},
		property(catalog.PropertyPack, "b.b,a.a"):                                                                                         {Pack: []string{"b.b", "a.a"}},
		`"version":"1.0.0",` + asset + `,"files":[{"assetType":"` + catalog.SignatureAsset + `"}]`:                                        {Signature: &upstream.File{URL: sig, Size: -1}},
		`"version":"1.0.0",` + asset + `,"files":[{"assetType":"` + catalog.SignatureAsset + `"},{"assetType":"` + publicKeyAsset + `"}]`: {Signature: &upstream.File{URL: sig, Size: -1}, PublicKey: key},
		// Versions that cannot be used are left out, and the same one once more.
		`"version":"../1",` + asset + `},{"version":"1.0.0",` + asset + `},{"version":"1.0.0",` + asset:               {},
		`"version":"1.0.1","targetPlatform":"../x",` + asset + `},{"version":"1.0.0",` + asset:                        {},
		`"version":"1.0.1"},{"version":"1.0.0",` + asset:                                                              {},
		`"version":"1.0.1","assetUri":"file:///etc"},{"version":"1.0.0",` + asset:                                     {},
		`"version":"1.0.1","assetUri":"https://user:password@cdn/x"},{"version":"1.0.0",` + asset:                     {},
		`"version":"1.0.1","assetUri":"https://cdn/` + strings.Repeat("x", maxURL) + `"},{"version":"1.0.0",` + asset: {},
		property(catalog.PropertyEngine, strings.Repeat("9", maxRange+1)) + `},{"version":"1.0.0",` + asset:           {},
	} {
		e, err := newGallery(t, "https://host", response(version)).Extension(t.Context(), "ACME.tool")
		if err != nil {
			t.Errorf("%s: %v", version, err)
			continue
		}
		want.Version, want.Package.Size = "1.0.0", -1
		if want.Package.URL == "" {
			want.Package.URL = pkg
		}
		equal(t, e, &upstream.Extension{ID: "acme.tool", Releases: []upstream.Release{want}})
	}
}

// TestMetadata decodes what an extension has besides its versions.
func TestMetadata(t *testing.T) {
	const text = `{"results":[{"extensions":[null,{"extensionName":"other"},{
		"publisher":{"publisherId":"0C9BDCEE-0000-4000-8000-000000000001","publisherName":"acme","displayName":"Acme Inc","domain":"https://acme.example","isDomainVerified":true},
		"extensionId":"8E7B0C1E-0000-4000-8000-000000000002","extensionName":"tool","releaseDate":"2025-01-02T03:04:05.5Z",
		"statistics":[{"statisticName":"install","value":12.0},{"statisticName":"averagerating","value":4.5},{"statisticName":"ratingcount","value":2}],
		"versions":[{"version":"1.0.0",` + asset + `}]}]}]}`
	e, err := newGallery(t, "https://host", text).Extension(t.Context(), "acme.tool")
	if err != nil {
		t.Fatal(err)
	}
	e.Releases = nil
	equal(t, e, &upstream.Extension{
		ID: "acme.tool", UUID: "8e7b0c1e-0000-4000-8000-000000000002", Released: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC),
		Publisher: catalog.SidecarPublisher{
			PublisherID: "0c9bdcee-0000-4000-8000-000000000001", DisplayName: "Acme Inc", Domain: "https://acme.example", IsDomainVerified: true,
		},
		Statistics: &catalog.Statistics{Install: 12, AverageRating: 4.5, RatingCount: 2},
	})
}

// TestErrors asks galleries that do not have what is asked, and servers that are none.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		response(`"version":"1.0.0","assetUri":"https://acme.gallerycdn.vsassets.io/x"`): "which is of Microsoft's Marketplace; galbuild downloads from it only if you name it",
		`{"results":[{"extensions":[]}]}`:                                                "acme.tool: not found",
		`{"results":[{}]}`:                                                               "acme.tool: not found",
		`{"results":[{"extensions":[{"publisher":{"publisherName":"evil"},"extensionName":"tool"}]}]}`: "acme.tool: not found",
		response(`"version":"one"`):                              `no version in the response of https://host can be used: version "one"`,
		response(`"version":"1.0.0","assetUri":"http://host/x"`): "the gallery is at https://, but states the address http://host/…; a proxy in front of it may have to set the header X-Forwarded-Proto",
		`{"resultz":[]}`:                                         "https://host does not respond as a gallery: the response of https://host/api/extensionquery is not that of a gallery: want a JSON object with the key results; give the address that editors have as serviceUrl",
		`<html>`:                                                 "is not JSON from line 1, column 1 on",
		``:                                                       "is empty",
	} {
		_, err := newGallery(t, "https://host", text).Extension(t.Context(), "acme.tool")
		wantError(t, err, want)
		if errors.Is(err, upstream.ErrNotFound) != strings.HasSuffix(want, "not found") {
			t.Errorf("%s: wrong kind of error: %v", text, err)
		}
	}
	_, err := newGallery(t, "https://host/shop", "").Extension(t.Context(), "acme.tool")
	wantError(t, err, "https://host/shop is not a gallery: it has none of /api/extensionquery, /_apis/public/gallery/extensionquery, /vscode/gallery/extensionquery; give the address")
	if errors.Is(err, upstream.ErrNotFound) {
		t.Error("what is not a gallery does not have the extension")
	}
	_, err = newGallery(t, "https://host", "").Changes(t.Context(), "")
	if !errors.Is(err, upstream.ErrUnsupported) {
		t.Error(err)
	}
}

// TestService finds the service below addresses that users give, and asks for it once.
func TestService(t *testing.T) {
	const found = `{"results":[{"extensions":[]}]}`
	const manifest = `{"resources":[{"id":"x","type":"Other"},{"id":"file:///q","type":"ExtensionQueryService"},{"id":"https://host/q/extensionquery","type":"ExtensionQueryService/3.0"}]}`
	for _, x := range []struct {
		address, service string
		requests         int
	}{
		{"https://host", "/api", 1},
		{"https://host/", "/api", 1},
		{"https://host/api", "/api", 1},
		{"https://host/api/extensionquery", "/api", 1},
		{"https://host/tools", "/tools/api", 1},
		{"https://host", "/_apis/public/gallery", 2},
		{"https://host/_apis/public/gallery/", "/_apis/public/gallery", 1},
		{"https://host", "/vscode/gallery", 3},
		{"https://host/vscode/gallery", "/vscode/gallery", 1},
		{"https://host/own", "/own", 4},
		{"https://host/manifest.json", "/q", 6},
	} {
		n := 0
		service := respond(x.service+"/extensionquery", found, &n)
		g := New(x.address, upstreamtest.Requests(t, upstreamtest.Hosts{"https://host": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.Path == "/manifest.json" {
				n++
				_, _ = io.WriteString(w, manifest)
				return
			}
			service.ServeHTTP(w, r)
		})}))
		for range 3 {
			if _, err := g.List(t.Context(), upstream.Listing{}); err != nil {
				t.Errorf("%+v: %v", x, err)
			}
		}
		if n != x.requests+2 {
			t.Errorf("%+v: %d requests, want %d and two more", x, n, x.requests)
		}
	}
}

// TestUnavailable checks that a server that is down is not asked at other addresses.
func TestUnavailable(t *testing.T) {
	paths := map[string]bool{}
	hosts := upstreamtest.Hosts{"https://host": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths[r.URL.Path] = true
		w.WriteHeader(http.StatusServiceUnavailable)
	})}
	_, err := New("https://host", upstreamtest.Requests(t, hosts)).Extension(t.Context(), "acme.tool")
	wantError(t, err, "acme.tool: host cannot respond to the request (503 Service Unavailable)")
	equal(t, paths, map[string]bool{"/api/extensionquery": true})

	_, err = New("https://other", upstreamtest.Requests(t, hosts)).Extension(t.Context(), "acme.tool")
	if err == nil || strings.Contains(err.Error(), "gallery") || !strings.Contains(err.Error(), `acme.tool: other: there is no host "other"`) {
		t.Errorf("error %v, want that of the host", err)
	}
}

// TestPages lists a gallery with more than a page, and galleries that do not follow the protocol.
func TestPages(t *testing.T) {
	for _, x := range []struct {
		name                  string
		size, total, top      int
		repeats               bool
		wantIDs, wantRequests int
	}{
		{"total", 250, 250, 0, false, 250, 3},
		{"total is a multiple of the page", 200, 200, 0, false, 200, 2},
		{"no total", 250, 0, 0, false, 250, 4},
		{"top", 250, 250, 120, false, 120, 2},
		{"pages are ignored", 50, 5000, 0, true, 50, 2},
		{"empty", 0, 0, 0, false, 0, 1},
	} {
		requests := 0
		g := New("https://host/api", upstreamtest.Requests(t, upstreamtest.Hosts{"https://host": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			var q request
			if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
				t.Error(err)
			}
			first := (q.Filters[0].PageNumber - 1) * q.Filters[0].PageSize
			if x.repeats {
				first = 0
			}
			var all []string
			for i := first; i < min(x.size, first+q.Filters[0].PageSize); i++ {
				all = append(all, fmt.Sprintf(`{"publisher":{"publisherName":"p"},"extensionName":"e%d"}`, i))
			}
			fmt.Fprintf(w, `{"results":[{"extensions":[%s],"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":%d}]}]}]}`,
				strings.Join(all, ","), x.total)
		})}))
		ids, err := g.List(t.Context(), upstream.Listing{Top: x.top})
		if err != nil || len(ids) != x.wantIDs || requests != x.wantRequests {
			t.Errorf("%s: %d ids after %d requests, %v", x.name, len(ids), requests, err)
		}
	}
	_, err := newGallery(t, "https://host", "").List(t.Context(), upstream.Listing{Publisher: `a" x`})
	wantError(t, err, "publisher")
}

func TestTerms(t *testing.T) {
	for address, want := range map[string]bool{
		"https://marketplace.visualstudio.com/_apis/public/gallery": true,
		"https://Acme.gallerycdn.vsassets.io/x":                     true,
		"https://acme.gallery.vsassets.io":                          true,
		"gallery+https://marketplace.visualstudio.com":              true,
		"https://open-vsx.org":                                      false,
		"https://marketplace.visualstudio.com.example":              false,
		"https://notvsassets.io":                                    false,
		"%":                                                         false,
	} {
		if got := Terms(address); (got != "") != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}

// FuzzDecode checks that what a server sends does not panic, and that what is taken from it can be
// the name of a file.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(response(`"version":"1.0.0",` + asset)))
	f.Add([]byte(`{"results":[{"extensions":[{"publisher":[]},7,null],"resultMetadata":[{"metadataItems":[{"count":1e99}]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := decode(text)
		if err != nil {
			return
		}
		g := New("http://host", upstream.Requests{})
		for i := range found.extensions {
			e := &found.extensions[i]
			x, err := g.describe(e)
			if err != nil {
				continue
			}
			for _, r := range x.Releases {
				if err := catalog.CheckIdentity(e.Publisher.PublisherName, e.Name, r.Version); err != nil {
					t.Error(err)
				}
				if strings.ContainsAny(r.Platform+r.Version, `/\`) || g.checkURL(r.Package.URL) != nil {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}
