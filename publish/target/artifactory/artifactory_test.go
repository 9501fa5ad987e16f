package artifactory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/publish/target"
	"galbuild/publish/target/artifactory/artifactorytest"
	"galbuild/publish/target/internal/resttest"
)

func newTarget(t *testing.T, h http.Handler, change func(*Config)) *Target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := Config{
		URL: s.URL + "/artifactory", Repo: artifactorytest.Repo, Prefix: "/galleries/a b;c=1/", Token: artifactorytest.Token,
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	if change != nil {
		change(&c)
	}
	at, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestTarget runs the suite on a fake server, with and without faults. If
// GALBUILD_TEST_ARTIFACTORY is set, it also runs on a real repository.
func TestTarget(t *testing.T) {
	resttest.Suite{
		Kind: Kind(), Variable: "GALBUILD_TEST_ARTIFACTORY",
		Fake: func(t *testing.T) http.Handler { return artifactorytest.New(t.TempDir()) },
		Open: func(t *testing.T, h http.Handler) target.Target { return newTarget(t, h, nil) },
	}.Run(t)
}

// TestDeploy checks that content which the server has is not sent again, unless it is small.
func TestDeploy(t *testing.T) {
	s := artifactorytest.New(t.TempDir())
	at := newTarget(t, s, nil)
	text := strings.Repeat("the same ", minDeploy)
	for _, key := range []string{"a", "b", "c", "a"} {
		resttest.Put(t, at, resttest.Object(key, text))
	}
	if err := at.Copy(t.Context(), "a", resttest.Object("d", text)); err != nil {
		t.Error(err)
	}
	if want := int64(len(text)); s.Sent() != want {
		t.Errorf("%d bytes were sent, want %d", s.Sent(), want)
	}
}

// TestCopyUnknown checks that Copy sends the content if the server cannot find it.
func TestCopyUnknown(t *testing.T) {
	s := artifactorytest.New(t.TempDir())
	at := newTarget(t, s, nil)
	resttest.Put(t, at, resttest.Object("from", "something else"))
	if err := at.Copy(t.Context(), "from", resttest.Object("to", "text")); err != nil {
		t.Fatal(err)
	}
	r, err := at.Get(t.Context(), "to", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := target.ReadAll(r, 100); err != nil || string(b) != "text" {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestDeleteFolder checks that deleting a folder's key does not delete the objects below it.
func TestDeleteFolder(t *testing.T) {
	s := artifactorytest.New(t.TempDir())
	at := newTarget(t, s, nil)
	resttest.Put(t, at, resttest.Object("folder/x", "text"))
	if err := at.Delete(t.Context(), []string{"folder"}); err != nil {
		t.Fatal(err)
	}
	r, err := at.Get(t.Context(), "folder/x", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
}

// corrupting is a transport that changes bytes, like a bad proxy.
type corrupting struct{}

func (corrupting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(bytes.ToUpper(b)))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestCorrupted checks that changed bytes are an error, on servers that check the hash and on those
// that do not.
func TestCorrupted(t *testing.T) {
	for _, unchecked := range []bool{false, true} {
		s := artifactorytest.New(t.TempDir())
		s.Unchecked = unchecked
		at := newTarget(t, s, func(c *Config) { c.Transport = corrupting{} })
		err := at.Put(t.Context(), resttest.Object("x", "text"))
		want := "409 Conflict"
		if unchecked {
			want = "has stored different content"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestErrors checks that errors name the target, the key, the reason and a hint, and no secret.
func TestErrors(t *testing.T) {
	forbidding := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		artifactorytest.Refuse(w, http.StatusForbidden, "Not enough permissions to overwrite artifact")
	})
	for _, x := range []struct {
		name    string
		handler http.Handler
		change  func(*Config)
		want    []string
	}{
		{"token", nil, func(c *Config) { c.Token = "wrong-s3cret-token" }, []string{"does not accept the token", "ARTIFACTORY_TOKEN", "Bad credentials"}},
		{"no token", nil, func(c *Config) { c.Token = "" }, []string{"requires a token", "ARTIFACTORY_TOKEN"}},
		{"forbidden", forbidding, nil, []string{"deploy and delete in generic-local", "to overwrite artifact"}},
		{"repository", nil, func(c *Config) { c.Repo = "other" }, []string{`no repository "other"`, "/artifactory"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Setenv("ARTIFACTORY_TOKEN", "")
			if x.handler == nil {
				x.handler = artifactorytest.New(t.TempDir())
			}
			at := newTarget(t, x.handler, x.change)
			err := at.Put(t.Context(), resttest.Object("some/key", "text"))
			if err == nil {
				t.Fatal("it was stored")
			}
			for _, want := range append(x.want, at.String(), "some/key") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not contain %q", err, want)
				}
			}
			if strings.Contains(err.Error()+at.String(), "s3cret") {
				t.Errorf("%q contains the token", err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	for _, c := range []Config{
		{}, {URL: "repo.example.com", Repo: "r"}, {URL: "https://me:s3cret@host/artifactory", Repo: "r"}, {URL: "https://me:s3cret@host:x/", Repo: "r"},
		{URL: "https://host/artifactory"}, {URL: "https://host/artifactory", Repo: "a/b"}, {URL: "https://host/?x", Repo: "r"},
		{URL: "https://host/artifactory", Repo: "r", CA: "none.pem"},
	} {
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: got %v", c, err)
		}
	}
	t.Setenv("ARTIFACTORY_TOKEN", "from the environment\n")
	at, err := New(Config{URL: "https://host/artifactory/", Repo: "r", Prefix: "a/b/"})
	if err != nil || at.Request(http.MethodGet, "", "x").Header.Get("Authorization") != "Bearer from the environment" || at.String() != "https://host/artifactory/r/a/b" {
		t.Errorf("got %q, %v", at, err)
	}
}

// TestList reads sizes as strings, as in the documentation, and as numbers, and times with a zone.
func TestList(t *testing.T) {
	at := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.URL.RequestURI(), "/artifactory/api/storage/generic-local/galleries/a%20b%3Bc%3D1/dir?list&deep=1&listFolders=0"; got != want {
			t.Errorf("requested %s, want %s", got, want)
		}
		_, _ = io.WriteString(w, `{"files": [{"uri": "/x.txt", "size": "12", "lastModified": "2025-04-06T11:13:04.174+02:00"},
			{"uri": "/y.txt", "size": 13, "lastModified": "2025-04-06T11:13:04.174+0200"}]}`)
	}), nil)
	modified := time.Date(2025, 4, 6, 9, 13, 4, 174e6, time.UTC)
	want := []target.Entry{{Key: "dir/x.txt", Size: 12, Modified: modified}, {Key: "dir/y.txt", Size: 13, Modified: modified}}
	var got []target.Entry
	for e, err := range at.List(t.Context(), "dir/") {
		if err != nil {
			t.Fatal(err)
		}
		e.Modified = e.Modified.UTC()
		got = append(got, e)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBadList(t *testing.T) {
	for _, text := range []string{"<html>", `{"files": [{"uri": "/x", "size": "many"}]}`, `{"files": [{"uri": "/x", "size": 1, "lastModified": "yesterday"}]}`} {
		at := newTarget(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }), nil)
		var got error
		for _, err := range at.List(t.Context(), "") {
			got = err
		}
		if got == nil {
			t.Errorf("%s: accepted", text)
		}
	}
}

// TestRedirected checks that the redirect to a storage service is followed without the token.
func TestRedirected(t *testing.T) {
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the storage service received the token")
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789"))
	}))
	defer storage.Close()
	away := strings.Replace(storage.URL, "127.0.0.1", "localhost", 1) + "/signed"
	at := newTarget(t, http.RedirectHandler(away, http.StatusFound), nil)
	r, err := at.Get(t.Context(), "x", 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := target.ReadAll(r, 100); err != nil || string(b) != "234" {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestNotExist reads a missing object.
func TestNotExist(t *testing.T) {
	at := newTarget(t, artifactorytest.New(t.TempDir()), nil)
	if _, err := at.Get(t.Context(), "none", 0, -1); !errors.Is(err, target.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
