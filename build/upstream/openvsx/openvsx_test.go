package openvsx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/upstream"
	"galbuild/build/upstream/openvsx"
	"galbuild/build/upstream/openvsx/openvsxtest"
)

// files are the packages of a registry, and what it knows besides, by their names.
type files map[string]any // openvsxtest.Package or string

// start starts a registry, and returns it with a client of it. What the client sends must follow
// the interface.
func start(t *testing.T, config openvsxtest.Config, all files) (*openvsxtest.Server, *openvsx.Client) {
	t.Helper()
	dir := t.TempDir()
	for name, file := range all {
		name = filepath.Join(dir, name)
		switch file := file.(type) {
		case openvsxtest.Package:
			if err := file.Write(name); err != nil {
				t.Fatal(err)
			}
			config.Packages = append(config.Packages, name)
		case string:
			if err := os.WriteFile(name, []byte(file), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	server, err := openvsxtest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if problems := server.Problems(); len(problems) > 0 {
			t.Errorf("the requests have problems: %q", problems)
		}
	})
	return server, newClient(t, server.URL, requests(t))
}

// requests returns Requests that neither wait nor limit their rate.
func requests(t *testing.T) upstream.Requests {
	t.Helper()
	client, err := upstream.NewClient(upstream.Config{
		Rate: 1e9, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return upstream.Requests{Client: client}
}

func newClient(t *testing.T, address string, r upstream.Requests) *openvsx.Client {
	t.Helper()
	c, err := openvsx.New(address, r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pkg returns a small package.
func pkg(id, version, platform, rest string) openvsxtest.Package {
	publisher, name, _ := strings.Cut(id, ".")
	return openvsxtest.Package{
		JSON: fmt.Sprintf(`{"publisher":%q,"name":%q,"version":%q,"engines":{"vscode":"^1.85.0"}%s}`,
			publisher, name, version, rest),
		Platform: platform,
	}
}

func date(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }

// TestExtension reads all that the registry lists of an extension.
func TestExtension(t *testing.T) {
	later := pkg("Acme.Tool", "1.1.0", "linux-x64", `,"license":"MIT",`+
		`"extensionDependencies":["Acme.Base"],"extensionPack":["acme.one","acme.two"]`)
	later.Time, later.PreRelease = time.Date(2026, 1, 7, 8, 9, 10, 0, time.UTC), true
	s, c := start(t, openvsxtest.Config{}, files{
		"a.vsix": pkg("Acme.Tool", "1.0.0", "", ""), "b.vsix": later,
		"other.vsix": pkg("acme.tool2", "1.0.0", "", ""),
		"b.vsix.json": `{"statistics":{"install":12,"averagerating":4.5,"ratingcount":3},"publisher":{"displayName":"Acme, Inc."},
			"deprecated":true,"replacement":"Acme.New","lastUpdated":"2026-01-07T08:09:10Z"}`,
	})
	e, err := c.Extension(t.Context(), "acme.tool")
	if err != nil {
		t.Fatal(err)
	}
	api := s.URL + "/api/Acme/Tool/"
	for i := range e.Releases {
		if f := e.Releases[i].Signature; f == nil || !strings.HasSuffix(f.URL, ".sigzip") || f.Size != -1 {
			t.Errorf("the signature is %+v", f)
		}
		if key := e.Releases[i].PublicKey; !strings.HasPrefix(key, s.URL+"/api/-/public-key/") {
			t.Errorf("the public key is %q", key)
		}
		e.Releases[i].Signature, e.Releases[i].PublicKey = nil, ""
	}
	if got, want := *e.Statistics, (e.Statistics); got.Install != 12 || got.AverageRating != 4.5 || got.RatingCount != 3 {
		t.Errorf("statistics %+v", want)
	}
	e.Statistics = nil
	want := &upstream.Extension{
		ID: "Acme.Tool", Access: "restricted", Released: date(1), Deprecated: true, Replacement: "acme.new",
		Releases: []upstream.Release{
			{
				Version: "1.1.0", Platform: "linux-x64", PreRelease: true, Engine: "^1.85.0",
				Published: later.Time, Licence: "MIT",
				Dependencies: []string{"acme.base"}, Pack: []string{"acme.one", "acme.two"},
				Package:  upstream.File{URL: api + "linux-x64/1.1.0/file/Acme.Tool-1.1.0@linux-x64.vsix", Size: -1},
				Checksum: api + "linux-x64/1.1.0/file/Acme.Tool-1.1.0@linux-x64.sha256",
			},
			{
				Version: "1.0.0", Engine: "^1.85.0", Published: date(1),
				Package:  upstream.File{URL: api + "1.0.0/file/Acme.Tool-1.0.0.vsix", Size: -1},
				Checksum: api + "1.0.0/file/Acme.Tool-1.0.0.sha256",
			},
		},
	}
	want.Publisher.DisplayName = "Acme, Inc."
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
}

// TestMissing asks for what the registry does not have or does not offer.
func TestMissing(t *testing.T) {
	_, c := start(t, openvsxtest.Config{}, files{
		"a.vsix": pkg("acme.tool", "1.0.0", "", ""), "a.vsix.json": `{"undownloadable":true}`,
	})
	for _, id := range []string{"acme", "", "acme.", ".tool", "acme.../tool"} {
		if _, err := c.Extension(t.Context(), id); err == nil || !strings.Contains(err.Error(), "is not an id") {
			t.Errorf("%q: %v", id, err)
		}
	}
	for id, want := range map[string]string{
		"acme.a.dot": "acme.a.dot: not found on 127.0.0.1:",
		"acme.none":  "acme.none: not found on 127.0.0.1:",
		"acme.tool":  "lists it, but does not offer it for download",
	} {
		_, err := c.Extension(t.Context(), id)
		if !errors.Is(err, upstream.ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", id, err, want)
		}
	}
}

// TestAccess checks whose namespaces are restricted.
func TestAccess(t *testing.T) {
	_, c := start(t, openvsxtest.Config{}, files{
		"a.vsix": pkg("acme.tool", "1.0.0", "", ""), "a.vsix.json": `{"unverified":true}`,
	})
	if e, err := c.Extension(t.Context(), "acme.tool"); err != nil || e.Access != "public" {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestPages reads an extension with more versions than a page has, and then with a limit of
// requests.
func TestPages(t *testing.T) {
	all := files{}
	for i := range 5 {
		version := fmt.Sprintf("1.0.%d", i)
		all[version+".vsix"] = pkg("acme.tool", version, "", "")
	}
	s, c := start(t, openvsxtest.Config{Page: 3, Limit: 1}, all)
	e, err := c.Extension(t.Context(), "acme.tool")
	if err != nil || len(e.Releases) != 5 {
		t.Fatalf("%d releases, %v", len(e.Releases), err)
	}
	statuses := ""
	for _, line := range s.Requests() {
		statuses += line[strings.LastIndex(line, " "):]
	}
	if statuses != " 200 429 200" {
		t.Errorf("statuses %s, want two pages and a refusal between them", statuses)
	}
}

// TestComplete reads the hash and the size of a package.
func TestComplete(t *testing.T) {
	tool := pkg("acme.tool", "1.0.0", "", "")
	archive, err := tool.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for fault, hash := range map[string]blob.Ref{
		"": blob.Sum(archive), openvsxtest.NoHash: {}, openvsxtest.WrongHash: blob.Sum([]byte("other bytes")),
	} {
		s, c := start(t, openvsxtest.Config{}, files{"a.vsix": tool})
		if fault != "" {
			if err := s.Fail(fault, "Acme.Tool"); err != nil {
				t.Fatal(err)
			}
		}
		e, err := c.Extension(t.Context(), "acme.tool")
		if err != nil {
			t.Fatal(err)
		}
		r := &e.Releases[0]
		if err := c.Complete(t.Context(), e, r); err != nil {
			t.Errorf("%s: %v", fault, err)
		}
		if r.Package.SHA256 != hash || r.Package.Size != int64(len(archive)) {
			t.Errorf("%s: %+v", fault, r.Package)
		}
		if s.Sent()["acme.tool-1.0.0.vsix"] != 0 {
			t.Errorf("the package was downloaded")
		}
		s.Clear()
		if err := c.Complete(t.Context(), e, r); err != nil || hash != (blob.Ref{}) && len(s.Requests()) > 0 {
			t.Errorf("%s: complete again: %v, requests %q", fault, err, s.Requests())
		}
	}
}

// TestCompleteFails checks the errors of Complete.
func TestCompleteFails(t *testing.T) {
	s, c := start(t, openvsxtest.Config{}, files{"a.vsix": pkg("acme.tool", "1.0.0", "", "")})
	e, err := c.Extension(t.Context(), "acme.tool")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fail(openvsxtest.Down, ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the hash of the package", "the size of the package"} {
		err := c.Complete(t.Context(), e, &e.Releases[0])
		if err == nil || !strings.Contains(err.Error(), "acme.tool@1.0.0: "+want) || !strings.Contains(err.Error(), "503") {
			t.Errorf("error %v, want one with %q", err, want)
		}
		e.Releases[0].Package.SHA256 = blob.Sum(nil)
	}
}

// TestCache checks that what has not changed is not sent again.
func TestCache(t *testing.T) {
	s, _ := start(t, openvsxtest.Config{}, files{"a.vsix": pkg("acme.tool", "1.0.0", "", "")})
	r := requests(t)
	r.Cache = t.TempDir()
	c := newClient(t, s.URL+"/", r)
	for range 2 {
		e, err := c.Extension(t.Context(), "acme.tool")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Complete(t.Context(), e, &e.Releases[0]); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadDir(r.Cache)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), upstream.Listing{Top: 1}); err != nil {
		t.Error(err)
	}
	if _, err := c.Changes(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadDir(r.Cache); err != nil || len(after) != len(before) || len(before) != 2 {
		t.Errorf("the cache has %d responses, and then %d, %v", len(before), len(after), err)
	}
	for _, want := range []string{"includeAllVersions=true&namespaceName=acme&offset=0&size=1000 304", "acme.tool-1.0.0.sha256 304"} {
		if !slices.ContainsFunc(s.Requests(), func(line string) bool { return strings.HasSuffix(line, want) }) {
			t.Errorf("no request ends in %q: %q", want, s.Requests())
		}
	}
}

// TestList lists extensions by all criteria.
func TestList(t *testing.T) {
	s, c := start(t, openvsxtest.Config{Page: 2}, files{
		"a.vsix": pkg("acme.alpha", "1.0.0", "", `,"description":"writes","categories":["Themes"]`),
		"b.vsix": pkg("acme.beta", "1.0.0", "", `,"description":"reads","categories":["Themes","Other"]`),
		"c.vsix": pkg("other.gamma", "1.0.0", "", `,"description":"reads","categories":["Themes"]`),
		"d.vsix": pkg("acme.beta", "1.1.0", "web", `,"description":"reads"`),
		"e.vsix": pkg("acme.hidden", "1.0.0", "", ""), "e.vsix.json": `{"undownloadable":true}`,
		"b.vsix.json": `{"statistics":{"install":20}}`, "d.vsix.json": `{"statistics":{"install":20}}`,
		"c.vsix.json": `{"statistics":{"install":30}}`, "a.vsix.json": `{"statistics":{"install":10}}`,
	})
	for _, test := range []struct {
		listing upstream.Listing
		want    []string
	}{
		{upstream.Listing{Top: 2}, []string{"other.gamma", "acme.beta"}},
		{upstream.Listing{Search: "reads"}, []string{"other.gamma", "acme.beta"}},
		{upstream.Listing{Search: "reads", Publisher: "Acme"}, []string{"acme.beta"}},
		{upstream.Listing{Search: "reads", Publisher: "Acme", Top: 1}, []string{"acme.beta"}},
		{upstream.Listing{Category: "Themes"}, []string{"other.gamma", "acme.alpha"}}, // acme.beta's newest has none
		{upstream.Listing{Publisher: "ACME"}, []string{"acme.beta", "acme.alpha"}},
		{upstream.Listing{Publisher: "acme", Top: 1}, []string{"acme.beta"}},
		{upstream.Listing{Search: "nothing"}, nil},
	} {
		got, err := c.List(t.Context(), test.listing)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q, %v, want %q", test.listing, got, err, test.want)
		}
	}
	if _, err := c.List(t.Context(), upstream.Listing{Publisher: "nobody"}); !errors.Is(err, upstream.ErrNotFound) {
		t.Errorf("an unknown publisher: %v", err)
	}
	if _, err := c.List(t.Context(), upstream.Listing{Top: -1}); err == nil {
		t.Error("a negative number is accepted")
	}
	for _, want := range []string{
		"GET /api/-/search?offset=0&size=2&sortBy=downloadCount 200",
		"GET /api/-/search?offset=0&query=reads&size=1000&sortBy=relevance 200",
		"GET /api/-/search?category=Themes&offset=0&size=1000&sortBy=downloadCount 200",
	} {
		if !slices.Contains(s.Requests(), want) {
			t.Errorf("%q is not in %q", want, s.Requests())
		}
	}
	if slices.ContainsFunc(s.Requests(), func(line string) bool { return strings.Contains(line, "size=1&") }) {
		t.Errorf("a search of a publisher requests as few results as it needs: %q", s.Requests())
	}
}

// TestChanges follows the feed while the registry changes.
func TestChanges(t *testing.T) {
	tool := pkg("Acme.Tool", "1.0.0", "", "")
	s, c := start(t, openvsxtest.Config{Page: 1}, files{"a.vsix": tool})
	changes, err := c.Changes(t.Context(), "")
	if err != nil || len(changes.All) != 0 || changes.Cursor == "" {
		t.Fatalf("the first call: %+v, %v", changes, err)
	}
	cursor := changes.Cursor
	follow := func(want ...upstream.Change) {
		t.Helper()
		changes, err := c.Changes(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for i := range changes.All {
			if time.Since(changes.All[i].When) > time.Hour {
				t.Errorf("the time is %s", changes.All[i].When)
			}
			changes.All[i].When = time.Time{}
		}
		if !slices.Equal(changes.All, want) {
			t.Errorf("got %+v, want %+v", changes.All, want)
		}
		cursor = changes.Cursor
	}
	follow()
	more := filepath.Join(t.TempDir(), "more.vsix")
	if err := pkg("Acme.Tool", "1.1.0", "web", "").Write(more); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(more); err != nil {
		t.Fatal(err)
	}
	follow(upstream.Change{ID: "acme.tool", Version: "1.1.0", Platform: "web"})
	follow()
	if err := s.Remove("acme.tool@1.0.0", "REMOVED"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove("acme.tool@1.1.0", "INACTIVE"); err != nil {
		t.Fatal(err)
	}
	follow(upstream.Change{ID: "acme.tool", Version: "1.0.0", Removed: true},
		upstream.Change{ID: "acme.tool", Version: "1.1.0", Platform: "web", Removed: true})
	follow()
	if _, err := c.Extension(t.Context(), "acme.tool"); !errors.Is(err, upstream.ErrNotFound) {
		t.Errorf("after the removal: %v", err)
	}
	if err := s.Fail(openvsxtest.NoFeed, ""); err != nil {
		t.Fatal(err)
	}
	for _, cursor := range []string{"", cursor} {
		if _, err := c.Changes(t.Context(), cursor); !errors.Is(err, upstream.ErrUnsupported) {
			t.Errorf("without a feed: %v", err)
		}
	}
}

// TestVerify downloads a signature archive and its key, and verifies the package.
func TestVerify(t *testing.T) {
	tool := pkg("acme.tool", "1.0.0", "linux-x64", "")
	archive, err := tool.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	s, c := start(t, openvsxtest.Config{}, files{"a.vsix": tool})
	verify := func() error {
		e, err := c.Extension(t.Context(), "acme.tool")
		if err != nil {
			t.Fatal(err)
		}
		signature, err := requests(t).Get(t.Context(), e.Releases[0].Signature.URL)
		if err != nil {
			t.Fatal(err)
		}
		key, err := requests(t).Get(t.Context(), e.Releases[0].PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		return openvsx.Verify(signature, key, archive)
	}
	if err := verify(); err != nil {
		t.Error(err)
	}
	s.Clear()
	if err := s.Fail(openvsxtest.WrongSignature, ""); err != nil {
		t.Fatal(err)
	}
	if err := verify(); err == nil {
		t.Error("a wrong signature is accepted")
	}
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"open-vsx.org":              "begins with https:// or http://",
		"ftp://host":                "begins with https:// or http://",
		"https://":                  "begins with https:// or http://",
		"https://u:s3cret@host":     "has credentials",
		"https://host?token=s3cret": "has credentials",
		"https://host#s3cret":       "has credentials",
		"https://host/%zz-s3cret":   "is malformed",
	} {
		_, err := openvsx.New(address, upstream.Requests{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v, want one with %q", address, err, want)
		}
	}
	if c := newClient(t, "https://host/below/", upstream.Requests{Log: slog.Default()}); c.Name() != "https://host/below" {
		t.Error(c.Name())
	}
}
