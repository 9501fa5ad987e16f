// Package githubtest is a stand-in for GitHub, for tests: it is not GitHub, and follows the
// documentation of the REST interface (version 2022-11-28) for releases, and what github.com does
// with a request for an asset. It checks what it is sent.
//
//	GET api.github.com/repos/OWNER/REPO/releases?per_page=100   a list, the newest first
//	GET api.github.com/repos/OWNER/REPO/releases/tags/TAG       a release
//	GET github.com/OWNER/REPO/releases/download/TAG/ASSET       a redirect to the storage
//	GET release-assets.githubusercontent.com/…                  the asset, or a part of it
package githubtest

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
)

// Addresses of the hosts.
const (
	API     = "https://api.github.com"
	Web     = "https://github.com"
	storage = "https://release-assets.githubusercontent.com"
)

// A Repository is the only one.
type Repository struct {
	Name     string    // OWNER/REPO
	Token    string    // that reads the repository; "" if it is public
	Releases []Release // the newest first
	Whole    bool      // the storage sends whole files only
}

// Release is a release.
type Release struct {
	Tag               string
	Draft, PreRelease bool
	Published         time.Time
	Assets            []Asset
}

// Asset is a file of a release.
type Asset struct {
	Name    string
	Content []byte
	Size    int       // that is stated; 0 is that of Content
	Digest  string    // "" is its SHA-256; "none" is none, as for assets before June 2025
	Updated time.Time // when it was uploaded; zero is when the release was published
}

// Hosts returns the handlers of the hosts, by their addresses. They fail the test if they are sent
// what GitHub would not respond to, or credentials that are not for them.
func (r Repository) Hosts(t testing.TB) map[string]http.Handler {
	api, web, files := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	api.HandleFunc("GET /repos/"+r.Name+"/releases", func(w http.ResponseWriter, request *http.Request) {
		if request.URL.RawQuery != "per_page=100" {
			t.Errorf("the query is %q", request.URL.RawQuery)
		}
		all := []any{}
		for _, x := range r.Releases {
			all = append(all, r.json(x))
		}
		r.send(t, w, request, all)
	})
	for _, x := range r.Releases {
		api.HandleFunc("GET /repos/"+r.Name+"/releases/tags/"+x.Tag, func(w http.ResponseWriter, request *http.Request) {
			r.send(t, w, request, r.json(x))
		})
		for _, a := range x.Assets {
			name := path.Join("/", r.Name, "releases/download", x.Tag, a.Name)
			web.HandleFunc("GET "+name, func(w http.ResponseWriter, request *http.Request) {
				http.Redirect(w, request, storage+name+"?sig=s3cret", http.StatusFound)
			})
			files.HandleFunc("GET "+name, func(w http.ResponseWriter, request *http.Request) {
				if r.Whole {
					_, _ = w.Write(a.Content)
					return
				}
				http.ServeContent(w, request, "", time.Time{}, bytes.NewReader(a.Content))
			})
		}
	}
	return map[string]http.Handler{API: api, Web: withoutCredentials(t, web), storage: withoutCredentials(t, files)}
}

// withoutCredentials returns a handler for requests that must have no credentials.
func withoutCredentials(t testing.TB, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s is sent credentials", r.Host)
		}
		h.ServeHTTP(w, r)
	})
}

// send responds to a request to the interface.
func (r Repository) send(t testing.TB, w http.ResponseWriter, request *http.Request, v any) {
	h := request.Header
	if h.Get("User-Agent") == "" || h.Get("Accept") != "application/vnd.github+json" || h.Get("X-Github-Api-Version") != "2022-11-28" {
		t.Errorf("the header is %v", h)
	}
	if r.Token != "" && h.Get("Authorization") != "Bearer "+r.Token {
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	text, err := jsondoc.Line(v)
	if err != nil {
		t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("ETag", `"`+blob.Sum(text).String()+`"`)
	_, _ = w.Write(text)
}

// json returns the JSON of a release, with some of the keys that clients do not need.
func (r Repository) json(x Release) map[string]any {
	assets := []map[string]any{}
	for i, a := range x.Assets {
		updated := a.Updated
		if updated.IsZero() {
			updated = x.Published
		}
		asset := map[string]any{
			"url": fmt.Sprintf("%s/repos/%s/releases/assets/%d", API, r.Name, i), "id": i, "name": a.Name, "state": "uploaded",
			"content_type": "application/octet-stream", "size": cmp.Or(a.Size, len(a.Content)), "digest": nil,
			"updated_at":           updated.Format(time.RFC3339),
			"browser_download_url": strings.Join([]string{Web, r.Name, "releases/download", x.Tag, a.Name}, "/"),
		}
		switch a.Digest {
		case "":
			asset["digest"] = "sha256:" + blob.Sum(a.Content).String()
		case "none":
		default:
			asset["digest"] = a.Digest
		}
		assets = append(assets, asset)
	}
	slices.Reverse(assets) // the order means nothing
	return map[string]any{
		"url": API + "/repos/" + r.Name + "/releases/1", "id": 1, "tag_name": x.Tag, "name": nil, "draft": x.Draft,
		"prerelease": x.PreRelease, "published_at": x.Published.Format(time.RFC3339), "assets": assets, "body": "text",
	}
}
