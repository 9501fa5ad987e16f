package address

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/upstream"
	"galbuild/build/upstream/address/githubtest"
	"galbuild/build/upstream/route"
	"galbuild/build/upstream/upstreamtest"
)

func newGitHub(t testing.TB, api string) *GitHub {
	t.Helper()
	g, err := NewGitHub(api)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestRepository(t *testing.T) {
	for text, want := range map[string]string{
		"github:acme/tool":                                   "acme tool ",
		"github:acme/tool@v1.2.3":                            "acme tool v1.2.3",
		"github:acme/tool@a/b@c":                             "acme tool a/b@c",
		"https://github.com/acme/tool":                       "acme tool ",
		"https://GitHub.com/acme/tool.git/":                  "acme tool ",
		"https://github.com/acme/tool/releases":              "acme tool ",
		"https://github.com/acme/tool/releases/latest":       "acme tool ",
		"https://github.com/acme/tool.js/releases/tag/a%2Fb": "acme tool.js a/b",
		"https://github.com/acme/tool/releases/tag/v1?x=y":   "acme tool v1",
		"github:acme":        "want github:OWNER/REPO",
		"github:acme/tool/x": "want github:OWNER/REPO",
		"github:acme/..":     "want github:OWNER/REPO",
		"github:../tool":     "want github:OWNER/REPO",
		"github:acme/tool@" + strings.Repeat("x", maxURL):        "want github:OWNER/REPO",
		"https://github.com":                                     "want github:OWNER/REPO",
		"https://github.com/acme/tool/pulls":                     "want github:OWNER/REPO",
		"https://github.com/acme/tool/releases/download/v1/x.js": "want github:OWNER/REPO",
		"https://open-vsx.org":                                   "no",
		"http://github.com/acme/tool":                            "no",
		"openvsx":                                                "no",
	} {
		r, ok, err := newGitHub(t, "").Repository(text)
		got := r.Owner + " " + r.Name + " " + r.Tag
		switch {
		case !ok:
			got = "no"
		case err != nil:
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%.100s: got %q, want %q", text, got, want)
		}
	}
}

func TestNewGitHub(t *testing.T) {
	for api, want := range map[string]string{
		"":                           "https://api.github.com https://github.com",
		"https://api.github.com/":    "https://api.github.com https://github.com",
		"https://git.example/api/v3": "https://git.example/api/v3 https://git.example",
		"https://api.acme.ghe.com":   "https://api.acme.ghe.com https://acme.ghe.com",
	} {
		if g := newGitHub(t, api); g.API.String()+" "+g.Web.String() != want {
			t.Errorf("%s: %s %s", api, g.API, g.Web)
		}
	}
	for _, api := range []string{"git.example", "ftp://git.example", "https://u:s3cret@git.example", "https://git.example?s3cret", "https://%"} {
		_, err := NewGitHub(api)
		wantError(t, err, "want https://HOST/api/v3")
	}
}

var published = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

// sample returns a repository with packages in some releases.
func sample(t testing.TB) githubtest.Repository {
	asset := func(name, id, version, platform string, preRelease bool) githubtest.Asset {
		return githubtest.Asset{Name: name, Content: pack(t, id, version, platform, preRelease)}
	}
	old := asset("tool-1.0.0.vsix", "acme.tool", "1.0.0", "", false)
	old.Digest = "none"
	return githubtest.Repository{Name: "acme/tool", Releases: []githubtest.Release{
		{Tag: "draft", Draft: true, Assets: []githubtest.Asset{asset("x.vsix", "acme.tool", "9.0.0", "", false)}},
		{Tag: "source", Assets: []githubtest.Asset{{Name: "source.zip", Content: []byte("x")}}},
		{Tag: "v1.3.0", PreRelease: true, Published: published, Assets: []githubtest.Asset{
			asset("tool.vsix", "acme.tool", "1.3.0", "", true), asset("again.vsix", "acme.tool", "1.3.0", "", true),
			{Name: "damaged.vsix", Content: []byte("damaged")},
		}},
		{Tag: "v1.2.9", PreRelease: true, Published: published, Assets: []githubtest.Asset{asset("tool.vsix", "acme.tool", "1.2.9", "", true)}},
		{Tag: "v1.2.0", Published: published, Assets: []githubtest.Asset{
			asset("tool-linux-x64-1.2.0.vsix", "acme.tool", "1.2.0", "linux-x64", false), asset("core.VSIX", "acme.core", "0.9.0", "", false),
		}},
		{Tag: "v1.0.0", Published: published, Assets: []githubtest.Asset{old}},
	}}
}

func summary(t *testing.T, p *Packages) string {
	t.Helper()
	ids, err := p.List(t.Context(), upstream.Listing{})
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, id := range ids {
		e, err := p.Extension(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range e.Releases {
			all = append(all, strings.TrimRight(id+"@"+r.Version+"@"+r.Platform, "@"))
		}
	}
	return strings.Join(all, " ")
}

// TestGitHub asks the stand-in for releases.
func TestGitHub(t *testing.T) {
	repository := sample(t)
	log := &bytes.Buffer{}
	c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts(repository.Hosts(t)))}
	c.Requests.Log = slog.New(slog.NewTextHandler(log, nil))
	g := newGitHub(t, "")
	p := g.Releases(Repository{Owner: "acme", Name: "tool"}, c)
	if got, want := summary(t, p), "acme.tool@1.3.0 acme.tool@1.2.0@linux-x64 acme.core@0.9.0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(log.String(), `msg="package is left out" package=damaged.vsix`) {
		t.Errorf("log: %s", log)
	}
	e, err := p.Extension(t.Context(), "acme.core")
	content := repository.Releases[4].Assets[1].Content
	want := upstream.File{URL: "https://github.com/acme/tool/releases/download/v1.2.0/core.VSIX", Size: int64(len(content)), SHA256: blob.Sum(content)}
	if err != nil || !reflect.DeepEqual(e.Releases[0].Package, want) || !e.Releases[0].Published.Equal(published) {
		t.Errorf("%+v, %v", e, err)
	}
	for tag, want := range map[string]string{
		"v1.2.9": "acme.tool@1.2.9", "v1.0.0": "acme.tool@1.0.0", "source": "https://github.com/acme/tool/releases/tag/source has no release with a .vsix file",
		"v7": "github.com has no repository acme/tool, or it does not have the release, or it is private: then --github-token is needed",
	} {
		p := g.Releases(Repository{"acme", "tool", tag}, c)
		if got := summary(t, p); got != want {
			t.Errorf("%s: got %s, want %s", tag, got, want)
		}
		if again, ok, err := g.Repository(p.Name()); !ok || err != nil || again.Tag != tag {
			t.Errorf("%s: the name %s is that of %+v, %v", tag, p.Name(), again, err)
		}
	}
}

// TestGitHubToken checks that the token is sent to the REST interface and to no other host.
func TestGitHubToken(t *testing.T) {
	repository := sample(t)
	repository.Token = "s3cret"
	transport, err := route.New(route.Config{Next: upstreamtest.Hosts(repository.Hosts(t))})
	if err != nil {
		t.Fatal(err)
	}
	g := newGitHub(t, "")
	c := Config{Requests: upstreamtest.Requests(t, transport)}
	if got := summary(t, g.Releases(Repository{Owner: "acme", Name: "tool"}, c)); !strings.Contains(got, "--github-token is needed") {
		t.Error(got)
	}
	transport.SetToken(g.API, "s3cret")
	if got := summary(t, g.Releases(Repository{Owner: "acme", Name: "tool"}, c)); !strings.HasPrefix(got, "acme.tool@1.3.0 ") {
		t.Error(got)
	}
}

// TestGitHubWrong has responses that cannot be used.
func TestGitHubWrong(t *testing.T) {
	repository := sample(t)
	repository.Releases = repository.Releases[4:]
	assets := repository.Releases[0].Assets
	assets[1].Digest = "sha256:xyz"
	for name, x := range map[string]struct {
		change func()
		want   string
	}{
		"one cannot be read": {func() {}, "acme.tool@1.2.0@linux-x64"},
		"another size":       {func() { assets[0].Size = 7 }, `"tool-linux-x64-1.2.0.vsix": the package has `},
		"none can be read":   {func() { assets[0].Digest = "sha256:xyz" }, `"tool-linux-x64-1.2.0.vsix": the release states a hash that is not one`},
	} {
		saved := assets[0]
		x.change()
		c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts(repository.Hosts(t)))}
		if got := summary(t, newGitHub(t, "").Releases(Repository{Owner: "acme", Name: "tool"}, c)); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: got %s, want %s", name, got, x.want)
		}
		assets[0] = saved
	}
	for text, want := range map[string]string{
		`{"message":"x"}`: "the response of api.github.com does not have the form of releases",
		`[`:               "is not complete JSON",
		`[{"assets":[{"name":"x.vsix","browser_download_url":"file:///etc/passwd"}]}]`:              "the release states no usable address",
		`[{"assets":[{"name":"x.vsix","browser_download_url":"https://u:s3cret@h/x"}]}]`:            "the release states no usable address",
		`[{"assets":[` + strings.Repeat(`{"name":"x.vsix"},`, maxPackages) + `{"name":"x.vsix"}]}]`: "the releases have 501 packages, more than the limit of 500",
		`[]`: "has no release with a .vsix file",
	} {
		hosts := upstreamtest.Hosts{githubtest.API: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })}
		got := summary(t, newGitHub(t, "").Releases(Repository{Owner: "acme", Name: "tool"}, Config{Requests: upstreamtest.Requests(t, hosts)}))
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestGitHubCancelled stops while the second package is read. The first must not be taken for all.
func TestGitHubCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hosts := upstreamtest.Hosts(sample(t).Hosts(t))
	web, n := hosts[githubtest.Web], 0
	hosts[githubtest.Web] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n > 2 { // the first package is damaged
			cancel()
			w.WriteHeader(http.StatusNotFound)
			return
		}
		web.ServeHTTP(w, r)
	})
	p := newGitHub(t, "").Releases(Repository{Owner: "acme", Name: "tool"}, Config{Requests: upstreamtest.Requests(t, hosts)})
	if _, err := p.List(ctx, upstream.Listing{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// TestGitHubDate has a release of the year 10000 in UTC, which JSON cannot express.
func TestGitHubDate(t *testing.T) {
	repository := sample(t)
	repository.Releases = repository.Releases[5:]
	repository.Releases[0].Published = time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200))
	c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts(repository.Hosts(t)))}
	e, err := newGitHub(t, "").Releases(Repository{Owner: "acme", Name: "tool"}, c).Extension(t.Context(), "acme.tool")
	if err != nil || !e.Releases[0].Published.IsZero() {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestGitHubReplaced has a package that was uploaded long after its release was published, as
// somebody who has stolen an account would do so that the package looks old.
func TestGitHubReplaced(t *testing.T) {
	repository := sample(t)
	repository.Releases = repository.Releases[5:]
	uploaded := published.AddDate(2, 0, 0)
	repository.Releases[0].Assets[0].Updated = uploaded
	c := Config{Requests: upstreamtest.Requests(t, upstreamtest.Hosts(repository.Hosts(t)))}
	e, err := newGitHub(t, "").Releases(Repository{Owner: "acme", Name: "tool"}, c).Extension(t.Context(), "acme.tool")
	if err != nil || !e.Releases[0].Published.Equal(uploaded) {
		t.Errorf("%+v, %v, want %s", e, err, uploaded)
	}
}

// FuzzReleases decodes what a server sends.
func FuzzReleases(f *testing.F) {
	f.Add([]byte(`[{"prerelease":true,"assets":[{"name":"x.vsix"}]},{"draft":true}]`), false)
	f.Add([]byte(`{"published_at":"2026-02-03T04:05:06Z","assets":[{"name":"x.vsix","size":1}]}`), true)
	f.Fuzz(func(t *testing.T, text []byte, single bool) {
		all, err := decodeReleases(text, single)
		if chosen := newest(all); err == nil && len(chosen) > 2 {
			t.Errorf("%d releases are chosen", len(chosen))
		}
	})
}
