package galshim

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/publish/target"
	"galbuild/publish/target/artifactory/repository"
)

// signing makes addresses of a bucket, unless its credentials have expired.
type signing struct {
	expired bool
	last    target.Presign
}

func (s *signing) Presign(_ context.Context, key string, p target.Presign) (string, error) {
	if s.last = p; s.expired {
		return "", errors.New("the session has expired")
	}
	return "https://bucket.example/" + key + "?signed", nil
}

// TestRedirect checks which requests are redirected to the bucket, with which headers, and that
// redirects count as downloads.
func TestRedirect(t *testing.T) {
	p := publish(t, sample{more: 3, pages: defaultPages()})
	from, to := remoteAt(t, p.URL, t.TempDir()), &signing{}
	from.redirects = to
	counts := newCounter(filepath.Join(t.TempDir(), "counts"), slog.New(slog.DiscardHandler))
	g := open(t, "", from, func(c *config) { c.counter = counts })
	const (
		asset   = "/assets/acme/hello/1.2.3/"
		scripts = "/api/publishers/acme/vsextensions/hello/"
	)
	etag := g.request("HEAD", asset+pkg, "").Header.Get("ETag")
	redirected := []string{"Cache-Control: no-store", "-ETag", "-Content-Type", "-Content-Disposition"}
	for _, x := range []struct {
		method, target string
		header         []string
		status         int
		headers        []string
	}{
		{"GET", asset + pkg, nil, 302, redirected},
		{"GET", asset + pkg + "?redirect=true&install=true", []string{"Range", "bytes=0-5"}, 302, redirected},
		{"GET", scripts + "1.2.3/vspackage", nil, 302, redirected},
		{"GET", scripts + "latest/vspackage", nil, 302, redirected},
		{"GET", asset + pkg, []string{"If-None-Match", etag}, 304, []string{"ETag: " + etag, "-Location"}},
		{"GET", asset + pkg, []string{"Authorization", "Bearer of.the.gallery"}, 200, []string{"-Location"}},
		{"HEAD", asset + pkg, nil, 200, []string{"-Location", "ETag: " + etag}},
		{"GET", asset + iconType, nil, 200, []string{"-Location"}},
		{"GET", asset + manifestType, nil, 200, []string{"-Location"}},
		{"GET", "/files/acme/hello/1.2.3@web/extension/main.js", nil, 200, []string{"-Location"}},
		{"GET", "/assets/acme/hello/9.9.9/" + pkg, nil, 404, []string{"-Location"}},
	} {
		resp := g.request(x.method, x.target, "", x.header...)
		checkExchange(t, x.method+" "+x.target+" "+strings.Join(x.header, " "), resp, x.status, "", x.headers)
		if location := resp.Header.Get("Location"); x.status == 302 && (!strings.HasPrefix(location, "https://bucket.example/blobs/sha256/") || !strings.HasSuffix(location, "?signed")) {
			t.Errorf("%s: redirected to %q", x.target, location)
		}
	}
	if n := len(counts.pending); n != 1 {
		t.Errorf("downloads of %d extensions are counted, want 1", n)
	}
	for _, line := range counts.pending {
		if line.Downloads != 5 { // four redirects, and the package that was passed on
			t.Errorf("%d downloads are counted, want 5", line.Downloads)
		}
	}

	g.request("GET", asset+pkg, "")
	want := target.Presign{Expires: 5 * time.Minute, MediaType: to.last.MediaType, Disposition: "attachment; filename=acme.hello-1.2.3.vsix", CacheControl: "private, max-age=300"}
	if to.last != want || want.MediaType == "" {
		t.Errorf("got %+v, want %+v", to.last, want)
	}
	to.expired = true
	checkExchange(t, "expired", g.request("GET", asset+pkg, ""), 502, `{"error":"the published site did not return the file"}`, []string{"-Location", "Cache-Control: no-store"})
}

// TestRepository reads a site from a repository of Artifactory, which requires a token.
func TestRepository(t *testing.T) {
	p := publish(t, sample{more: 3})
	valid := "token"
	p.override = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/artifactory/generic/gallery")
		return false
	}
	at, err := repository.New(repository.Config{URL: p.URL + "/artifactory", Repo: "generic", Prefix: "gallery", Token: "token", Once: true})
	if err != nil {
		t.Fatal(err)
	}
	from, err := newRemote(at, nil, t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, "", from)
	const icon = "/assets/acme/hello/1.2.3/" + iconType
	checkExchange(t, "with the token", g.request("GET", icon, ""), 200, icon[1:], nil)

	valid = "another"
	lines := g.logTo()
	for range 2 {
		g.live.report(g.live.poll(t.Context()))
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, p.URL+"/artifactory/generic/gallery: get index/CURRENT: the server does not accept the token: set ARTIFACTORY_TOKEN") {
		t.Errorf("want one line about the token, got:\n%s", got)
	}
	if n := g.extensions(t); n != 4 {
		t.Errorf("serves %d extensions, want the 4 from before", n)
	}
	checkExchange(t, "without the token", g.request("GET", icon, ""), 502, "did not return the file", nil)
}

// TestTargetFlags opens the sites that command lines name.
func TestTargetFlags(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("GALSHIM_REGION", "eu-west-1")
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for args, want := range map[string]string{
		"--index a/folder":                                             "a/folder",
		"--index " + server.URL + "/x/":                                server.URL + "/x",
		"--index s3://vsix/gallery":                                    "s3://vsix/gallery",
		"--s3 vsix --endpoint https://minio.example":                   "s3://vsix at https://minio.example",
		"--index oss://vsix":                                           "oss://vsix",
		"--artifactory https://repo.example/artifactory --repo vsix/x": "https://repo.example/artifactory/vsix/x",
		"--index s3://vsix --redirect":                                 "s3://vsix",
		"--index site --redirect":                                      "error: --redirect: site has no addresses for a limited time",
		"--index https://host/x --redirect":                            "error: --redirect: https://host/x has no addresses for a limited time",
		"--index site --region eu-west-2":                              "error: --region is for targets of the kind s3 or oss, and this target is of the kind folder",
	} {
		if got := sourceOf(t, strings.Fields(args)); got != want {
			t.Errorf("galshim %s: got %s, want %s", args, got, want)
		}
	}
}

// sourceOf returns the name of the site of a command line, or its error.
func sourceOf(t *testing.T, args []string) string {
	t.Helper()
	var c commandLine
	if _, err := newParser(&c).Parse(args); err != nil {
		return "error: " + err.Error()
	}
	var log bytes.Buffer
	from, err := c.source(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		return "error: " + err.Error()
	}
	defer from.close()
	switch from := from.(type) {
	case folder:
		return from.path
	case *remote:
		if (from.redirects != nil) != c.Redirect {
			t.Errorf("%q: the redirects are %v", args, from.redirects)
		}
		return from.at.String()
	}
	return "another source"
}
