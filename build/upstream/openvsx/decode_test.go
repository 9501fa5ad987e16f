package openvsx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/upstream"
)

// serve returns a client of a server that responds as handle does, and what the client logs.
func serve(t *testing.T, handle http.HandlerFunc) (*Client, *bytes.Buffer) {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	client, err := upstream.NewClient(upstream.Config{
		Rate: 1e9, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c, err := New(s.URL, upstream.Requests{Client: client, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return c, &log
}

// respondWith returns a handler that sends a text.
func respondWith(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// TestInvalidResponses checks what is said about responses that are not those of Open VSX.
func TestInvalidResponses(t *testing.T) {
	for body, want := range map[string]string{
		"":                                  "the response of 127.0.0.1:PORT is empty",
		"<html>":                            "the response of 127.0.0.1:PORT is not JSON from line 1, column 1 on",
		`{"extensions":[`:                   "is not complete JSON",
		`{"error":"Oh \u001b no"}`:          `127.0.0.1:PORT responds: "Oh \x1b no"`,
		`{"extensions":{}}`:                 `has not the form of Open VSX: "extensions" has the type object`,
		`{"extensions":[{"name":7}]}`:       `has not the form of Open VSX: "extensions.name" has the type number`,
		`{"totalSize":"7"}`:                 `"totalSize" has the type string`,
		"null":                              "acme.tool: not found on 127.0.0.1:PORT",
		`{"extensions":null,"totalSize":9}`: "acme.tool: not found on 127.0.0.1:PORT",
		`{"extensions":[null]}`:             "does not offer it for download",
		`{"extensions":[{"namespace":"acme","name":"other","version":"1.0.0"}]}`: "does not offer it for download",
		strings.Repeat("[", 1<<17): "JSON",
	} {
		c, _ := serve(t, respondWith(body))
		_, err := c.Extension(t.Context(), "acme.tool")
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), c.base.Host, "127.0.0.1:PORT"), want) {
			t.Errorf("%.60s: error %v, want one with %q", body, err, want)
		}
	}
}

// TestOddReleases checks which releases are left out, and what is kept of the others.
func TestOddReleases(t *testing.T) {
	const download = `"files":{"download":"/a.vsix"}`
	for _, test := range []struct{ release, log string }{
		{`"version":"1.0.0",` + download, ""},
		{`"version":"1.0.0-rc.1+7","targetPlatform":"universal",` + download, ""},
		{`"version":"1.0.0","targetPlatform":"web","dependencies":null,"engines":null,` + download, ""},
		{`"version":"1.0.0","downloadable":true,"verified":null,"replacement":null,` + download, ""},
		{`"version":"../../1.0.0",` + download, "want major.minor.patch"},
		{`"version":"",` + download, "want major.minor.patch"},
		{`"version":"1.0.0/x",` + download, "want major.minor.patch"},
		{`"version":"1.0",` + download, "want major.minor.patch"},
		{`"version":"1.0.0-` + strings.Repeat("x", 200) + `",` + download, "at most 100 are allowed"},
		{`"version":"1.0.0","targetPlatform":"../web",` + download, "target platform"},
		{`"version":"1.0.0"`, "its package has no address"},
		{`"version":"1.0.0","files":{"download":"ftp://host/a.vsix"}`, "begins with ftp://host, want http://"},
		{`"version":"1.0.0","files":{"download":"http://u:s3cret@host/a.vsix"}`, "no credentials"},
		{`"version":"1.0.0","files":{"download":"http://%zz/s3cret"}`, "is malformed"},
		{`"version":"1.0.0","files":{"download":"/a.vsix","sha256":"file:///etc/s3cret"}`, "begins with file://"},
		{`"version":"1.0.0","files":{"download":"/a.vsix","signature":"javascript:s3cret"}`, "begins with javascript://"},
		{`"version":"1.0.0","files":{"download":"/a.vsix","publicKey":"//u@host/"}`, "no credentials"},
		{`"version":"1.0.0","dependencies":[` + strings.Repeat(`{},`, 1000) + `{}],` + download, "more than 1000 dependencies"},
	} {
		c, log := serve(t, respondWith(`{"totalSize":1,"extensions":[{"namespace":"acme","name":"tool",`+test.release+`}]}`))
		e, err := c.Extension(t.Context(), "acme.tool")
		if err != nil {
			t.Errorf("%.80s: %v", test.release, err)
			continue
		}
		if want := map[bool]int{true: 1, false: 0}[test.log == ""]; len(e.Releases) != want {
			t.Errorf("%.80s: %d releases, want %d", test.release, len(e.Releases), want)
		}
		if !strings.Contains(log.String(), test.log) || strings.Contains(log.String(), "s3cret") {
			t.Errorf("%.80s: the log has %s", test.release, log)
		}
	}
}

// TestOddFields checks what is kept of fields with odd values.
func TestOddFields(t *testing.T) {
	c, _ := serve(t, respondWith(`{"totalSize":4,"extensions":[
		{"namespace":"acme","name":"tool","version":"1.0.0","files":{"download":"/a.vsix"},
		 "downloadCount":-5,"reviewCount":-1,"averageRating":99,"license":"`+strings.Repeat("ä", 1000)+`",
		 "dependencies":[{"namespace":"../x","extension":"y"},{"namespace":"Acme","extension":"Base"},{}],
		 "replacement":{"url":"https://host/api/../.."},"timestamp":"yesterday","unknown":[1]},
		{"namespace":"ACME","name":"Tool","version":"1.0.0","targetPlatform":"universal","files":{"download":"/b.vsix"}},
		{"namespace":"acme","name":"tool","version":"0.9.0","timestamp":"2026-01-07T08:09Z","files":{"download":"/c.vsix"}},
		{"namespace":"acme","name":"tool","version":"0.8.0","timestamp":"2026-02-07T08:09Z","files":{"download":"/d.vsix"}}]}`))
	e, err := c.Extension(t.Context(), "Acme.Tool")
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "acme.tool" || *e.Statistics != (catalog.Statistics{}) || e.Access != "" || e.Replacement != "" {
		t.Errorf("%+v", e)
	}
	if len(e.Releases) != 3 || !e.Released.Equal(time.Date(2026, 1, 7, 8, 9, 0, 0, time.UTC)) {
		t.Fatalf("%d releases, the first on %s", len(e.Releases), e.Released)
	}
	r := e.Releases[0]
	if len(r.Licence) != 1000 || !slices.Equal(r.Dependencies, []string{"acme.base"}) || !r.Published.IsZero() {
		t.Errorf("%+v", r)
	}
	if r.Package.URL != c.Name()+"/a.vsix" || r.Checksum != "" || r.Signature != nil || r.PublicKey != "" {
		t.Errorf("files %+v", r)
	}
}

// TestFileAddress checks that a registry with https has no files with http.
func TestFileAddress(t *testing.T) {
	c, err := New("https://host/below", upstream.Requests{})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"https://other/a.vsix": "https://other/a.vsix",
		"/a.vsix":              "https://host/a.vsix",
		"":                     "",
	} {
		if got, err := c.file(address); err != nil || got != want {
			t.Errorf("%q: %q, %v", address, got, err)
		}
	}
	if got, err := c.file("http://host/a.vsix"); err == nil {
		t.Errorf("http is accepted: %q", got)
	}
}

func TestReplacementID(t *testing.T) {
	for address, want := range map[string]string{
		"https://open-vsx.org/api/Acme/New":       "acme.new",
		"https://open-vsx.org/extension/acme/new": "acme.new",
		"acme/new": "acme.new",
		"acme":     "", "": "", "https://host": "", "https://host/api/acme/": "", "https://%zz": "", "https://host/a b/c": "",
	} {
		if got := replacementID(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-01-07T08:09:10.123456Z":   time.Date(2026, 1, 7, 8, 9, 10, 123456000, time.UTC),
		"2026-01-07T08:09:10Z":          time.Date(2026, 1, 7, 8, 9, 10, 0, time.UTC),
		"2026-01-07T08:09Z":             time.Date(2026, 1, 7, 8, 9, 0, 0, time.UTC),
		"2026-01-07T10:09:10+02:00":     time.Date(2026, 1, 7, 8, 9, 10, 0, time.UTC),
		"":                              {},
		"2026-01-07":                    {},
		"1970-01-01T00:00:00Z":          {}, // before VS Code and its registries
		"0001-01-01T00:00:00Z":          {},
		"12026-01-07T08:09:10Z":         {},
		"9999-12-31T23:00:00-02:00":     {}, // the year 10000 in UTC
		"2026-01-07T08:09:10Z[Etc/UTC]": {},
	} {
		if got := parseTime(text); !got.Equal(want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestParseChecksum(t *testing.T) {
	hash := blob.Sum(nil)
	for text, want := range map[string]string{
		hash.String():                            "",
		hash.String() + "\n":                     "",
		strings.ToUpper(hash.String()):           "",
		hash.String() + "  acme.tool-1.0.0.vsix": "",
		"":                                       "found nothing",
		" \n":                                    "found nothing",
		hash.String()[1:]:                        "want 64 hexadecimal digits, found",
		hash.String() + "0":                      "want 64 hexadecimal digits, found",
		"x" + hash.String()[1:]:                  "want 64 hexadecimal digits, found",
		"<html>" + strings.Repeat("x", 5000):     "want 64 hexadecimal digits, found",
	} {
		got, err := parseChecksum([]byte(text))
		if want == "" && (err != nil || got != hash) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.80q: %s, %v, want %q", text, got, err, want)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%.80q: the error has %d characters", text, len(err.Error()))
		}
	}
}

// TestEndless reads lists that never end.
func TestEndless(t *testing.T) {
	requests := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		_, _ = fmt.Fprintf(w, `{"totalSize":999999,"extensions":[{"namespace":"acme","name":"tool%d"}],
			"nextCursor":"%d","hasMore":true}`, requests, requests)
	})
	want := c.tooLong().Error()
	for name, read := range map[string]func() error{
		"versions": func() error { _, err := c.Extension(t.Context(), "acme.tool"); return err },
		"search":   func() error { _, err := c.List(t.Context(), upstream.Listing{Search: "x"}); return err },
		"changes":  func() error { _, err := c.Changes(t.Context(), "cursor"); return err },
	} {
		requests = 0
		if err := read(); err == nil || !strings.Contains(err.Error(), want) || requests != maxPages {
			t.Errorf("%s: error %v after %d requests, want %q after %d", name, err, requests, want, maxPages)
		}
	}
}

// TestLargePages reads lists whose pages are large, and pages with more than could be decoded.
func TestLargePages(t *testing.T) {
	requests := 0
	page := `{"totalSize":999999,"extensions":[{"namespace":"acme","name":"tool","license":"` + strings.Repeat("x", 1000) + `"}],"nextCursor":"%d","hasMore":true}`
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		_, _ = fmt.Fprintf(w, page, requests)
	})
	reads := map[string]func() error{
		"versions": func() error { _, err := c.Extension(t.Context(), "acme.tool"); return err },
		"changes":  func() error { _, err := c.Changes(t.Context(), "cursor"); return err },
	}
	c.maxList = 2500
	for name, read := range reads {
		requests = 0
		if err := read(); err == nil || !strings.Contains(err.Error(), c.tooLong().Error()) || requests != 3 {
			t.Errorf("%s: error %v after %d requests", name, err, requests)
		}
	}
	page = `{"extensions":[` + strings.Repeat("{},", upstream.MaxElements) + `{}],"changes":[],"nextCursor":"%d"}`
	for name, read := range reads {
		if err := read(); err == nil || !strings.Contains(err.Error(), "more than 300,000 elements") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWindow reads a search with more results than the server returns.
func TestWindow(t *testing.T) {
	var windows []string
	c, log := serve(t, func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		windows = append(windows, fmt.Sprint(offset, "+", size))
		text := []byte(`{"totalSize":12000,"extensions":[{}`)
		for i := range min(size, 900) - 1 {
			text = fmt.Appendf(text, `,{"namespace":"acme","name":"tool%d"}`, offset+i)
		}
		_, _ = w.Write(append(text, "]}"...))
	})
	ids, err := c.List(t.Context(), upstream.Listing{})
	if err != nil || len(ids) != window-12 {
		t.Errorf("%d results, %v", len(ids), err)
	}
	if want := []string{"9000+1000", "9900+100"}; !slices.Equal(windows[10:], want) {
		t.Errorf("pages %q, want the last to be %q", windows, want)
	}
	if !strings.Contains(log.String(), "lists only the first results") {
		t.Errorf("the log has %s", log)
	}
}

// TestEmptyPages reads lists that end before what they announce.
func TestEmptyPages(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("offset") == "0" {
			_, _ = w.Write([]byte(`{"totalSize":9,"extensions":[{"namespace":"acme","name":"tool"},{"namespace":"..","name":"tool"}]}`))
			return
		}
		_, _ = w.Write([]byte(`{"totalSize":9,"extensions":[]}`))
	})
	for _, listing := range []upstream.Listing{{Search: "x"}, {Publisher: "acme"}} {
		if ids, err := c.List(t.Context(), listing); err != nil || !slices.Equal(ids, []string{"acme.tool"}) {
			t.Errorf("%+v: %q, %v", listing, ids, err)
		}
	}
}

// TestOddChanges checks which entries of the feed are left out.
func TestOddChanges(t *testing.T) {
	c, _ := serve(t, respondWith(`{"changes":[
		{"namespace":"Acme","name":"Tool","version":"1.0.0","targetPlatform":"universal","state":"ACTIVE","lastUpdated":"2026-01-07T08:09Z"},
		{"namespace":"acme","name":"tool","version":"1.0.0","targetPlatform":"web","state":"INACTIVE"},
		{"namespace":"acme","name":"tool","version":"1.0.0","targetPlatform":"../web","state":"ACTIVE"},
		{"namespace":"../acme","name":"tool","version":"1.0.0","state":"ACTIVE"},
		{"namespace":"acme","name":"tool","version":"../1","state":"REMOVED"},
		{"namespace":"acme","name":"tool","version":"1.0.0","state":"SLEEPING"},null],
		"nextCursor":"next","hasMore":false}`))
	changes, err := c.Changes(t.Context(), "cursor")
	want := []upstream.Change{
		{ID: "acme.tool", Version: "1.0.0", When: time.Date(2026, 1, 7, 8, 9, 0, 0, time.UTC)},
		{ID: "acme.tool", Version: "1.0.0", Platform: "web", Removed: true},
	}
	if err != nil || changes.Cursor != "next" || !slices.Equal(changes.All, want) {
		t.Errorf("%+v, %v", changes, err)
	}
}

// TestFirstCursor checks that the first cursor is a time before the list of a collection.
func TestFirstCursor(t *testing.T) {
	var queries []string
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		_, _ = w.Write([]byte(`{"changes":[],"hasMore":false}`))
	})
	c.now = func() time.Time { return time.Date(2026, 1, 7, 8, 9, 10, 11, time.UTC) }
	first, err := c.Changes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Changes(t.Context(), first.Cursor)
	if err != nil || second.Cursor != first.Cursor {
		t.Errorf("%+v, %v", second, err)
	}
	want := []string{"since=2026-01-06T08%3A09%3A10Z&size=1", "since=2026-01-06T08%3A09%3A10Z&size=1000"}
	if !slices.Equal(queries, want) {
		t.Errorf("queries %q, want %q", queries, want)
	}
}

// TestStatusErrors checks that an error of the registry is not taken for an answer.
func TestStatusErrors(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"no"}`))
	})
	_, err := c.Extension(t.Context(), "acme.tool")
	if err == nil || errors.Is(err, upstream.ErrNotFound) || !strings.Contains(err.Error(), "400 Bad Request") {
		t.Error(err)
	}
	if _, err := c.List(t.Context(), upstream.Listing{Publisher: "acme"}); err == nil {
		t.Error("an error is taken for an empty list")
	}
}

// FuzzDecode decodes responses. What is kept of them must be usable in the names of files.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"totalSize":1,"extensions":[{"namespace":"a","name":"b","version":"1.0.0","targetPlatform":"web",` +
		`"files":{"download":"https://host/a.vsix"},"dependencies":[{"namespace":"a","extension":"c"}]}]}`))
	f.Add([]byte(`{"changes":[{"namespace":"a","name":"b","version":"1.0.0","state":"ACTIVE"}],"nextCursor":"x","hasMore":true}`))
	c, err := New("https://host", upstream.Requests{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p page
		if err := c.decode(text, &p); err == nil {
			for i := range p.Extensions {
				checkRelease(t, c, &p.Extensions[i])
			}
		}
		var list feed
		if err := c.decode(text, &list); err == nil {
			for _, change := range list.Changes {
				for _, kept := range appendChange(nil, change) {
					checkNames(t, kept.ID, kept.Version, kept.Platform)
				}
			}
		}
		_, _ = parseChecksum(text)
		_ = replacementID(string(text))
	})
}

// checkRelease checks a release that is kept.
func checkRelease(t *testing.T, c *Client, r *release) {
	t.Helper()
	kept, err := c.release(r)
	if err != nil {
		return
	}
	checkNames(t, c.extension(r).ID, kept.Version, kept.Platform)
	if !strings.HasPrefix(kept.Package.URL, "https://") {
		t.Errorf("the address is %q", kept.Package.URL)
	}
	for _, id := range slices.Concat(kept.Dependencies, kept.Pack) {
		checkNames(t, id, "1.0.0", "")
	}
}

// checkNames checks that names can be part of the name of a file.
func checkNames(t *testing.T, id, version, platform string) {
	t.Helper()
	if _, err := catalog.ParseID(id + "@" + version); err != nil || strings.ContainsAny(id+version+platform, `/\:`) {
		t.Errorf("%q %q %q: %v", id, version, platform, err)
	}
}
