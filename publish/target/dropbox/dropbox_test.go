package dropbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/publish/target"
	"galbuild/publish/target/dropbox/dropboxtest"
	"galbuild/publish/target/internal/resttest"
	"galbuild/publish/target/targettest"
)

func newTarget(t *testing.T, h http.Handler, change func(*Config)) *Target {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c := Config{
		Path: "/Galleries/a site", Token: dropboxtest.Token, Transport: dropboxtest.Transport(s.URL),
		sleep: func(context.Context, time.Duration) error { return nil },
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

// TestTarget runs the suite on a fake server: in a folder, at the root, and with faults. If
// GALBUILD_TEST_DROPBOX is set, it also runs on a real Dropbox.
func TestTarget(t *testing.T) {
	fake := func(t *testing.T) http.Handler { return dropboxtest.New(t.TempDir()) }
	resttest.Suite{
		Kind: Kind(), Variable: "GALBUILD_TEST_DROPBOX", Large: 3 * chunkSize, Fake: fake,
		Open: func(t *testing.T, h http.Handler) target.Target { return newTarget(t, h, nil) },
	}.Run(t)
	t.Run("Root", func(t *testing.T) {
		targettest.Run(t, targettest.Options{Large: 3 * chunkSize}, func(t *testing.T) target.Target {
			return newTarget(t, fake(t), func(c *Config) { c.Path = "" })
		})
	})
}

func list(t *testing.T, at target.Target) (keys []string) {
	t.Helper()
	for e, err := range at.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key)
	}
	return keys
}

// TestContentHash checks the hash against values computed by Dropbox's Go SDK.
func TestContentHash(t *testing.T) {
	for text, want := range map[string]string{
		"":            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"a":           "bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8",
		"hello world": "bc62d4b80d9e36da29c16c5d4d9f11731f36052c72401a76c23c0fb5a9b74423",
	} {
		if got := contentHash(blocks([]byte(text))); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// TestHeader checks that arguments in headers are ASCII, as
// https://www.dropbox.com/developers/reference/json-encoding requires.
func TestHeader(t *testing.T) {
	if got, want := ascii("{\"path\":\"/ü 日🙂\x7f\"}"), `{"path":"/\u00fc \u65e5\ud83d\ude42\u007f"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestSizes stores content of sizes around those of blocks and chunks.
func TestSizes(t *testing.T) {
	s := dropboxtest.New(t.TempDir())
	at := newTarget(t, s, nil)
	for _, size := range []int64{0, 1, blockSize, blockSize + 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 2*chunkSize + 1} {
		text := bytes.Repeat([]byte("x"), int(size))
		for range 2 { // the second one replaces the first
			resttest.Put(t, at, target.Bytes("x", "", target.Immutable, text))
			text = bytes.ToUpper(text)
		}
		r, err := at.Get(t.Context(), "x", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
	if got := s.Calls("files/upload_session/append_v2"); got != 2*(1+1+2) {
		t.Errorf("%d chunks were appended", got)
	}
}

// TestRequests counts requests: one for a new object, and no second upload for an existing one.
func TestRequests(t *testing.T) {
	s := dropboxtest.New(t.TempDir())
	at := newTarget(t, s, nil)
	resttest.Put(t, at, resttest.Object("x", "one"))
	for call, want := range map[string]int{"files/upload": 1, "files/get_metadata": 0, "files/upload_session/finish": 0} {
		if got := s.Calls(call); got != want {
			t.Errorf("new: %s was called %d times, want %d", call, got, want)
		}
	}
	resttest.Put(t, at, resttest.Object("x", "two"))
	for call, want := range map[string]int{"files/upload": 2, "files/get_metadata": 1, "files/upload_session/finish": 1} {
		if got := s.Calls(call); got != want {
			t.Errorf("replaced: %s was called %d times, want %d", call, got, want)
		}
	}
}

// TestCase stores the same content under keys that differ only in case.
func TestCase(t *testing.T) {
	latest := func(key, text string) target.Object {
		return target.Bytes(key, "application/json", target.Revalidate, []byte(text))
	}
	const upper, lower = "api/vscode/Acme/Hello/latest", "api/vscode/acme/hello/latest"
	at := newTarget(t, dropboxtest.New(t.TempDir()), nil)
	for _, text := range []string{"one", "two"} {
		resttest.Put(t, at, latest(upper, text))
		resttest.Put(t, at, latest(lower, text))
		if got := resttest.Get(t, at, lower) + resttest.Get(t, at, upper); got != text+text {
			t.Errorf("got %q, want %s twice", got, text)
		}
	}
	resttest.Put(t, at, latest(lower, "three"))
	resttest.Put(t, at, latest(upper, "three"))
	if got := list(t, at); !slices.Equal(got, []string{upper}) {
		t.Errorf("got %q, want the first spelling", got)
	}
	if err := at.Delete(t.Context(), []string{upper, lower}); err != nil {
		t.Error(err)
	}
	if got := list(t, at); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

// TestCaseRefused checks that a file of a package does not replace another whose name differs
// only in case.
func TestCaseRefused(t *testing.T) {
	at := newTarget(t, dropboxtest.New(t.TempDir()), nil)
	resttest.Put(t, at, resttest.Object("files/x/Src/README.md", "one"))
	for _, key := range []string{"files/x/Src/readme.md", "files/x/src/README.md"} {
		resttest.Put(t, at, resttest.Object(key, "one")) // which the other file has already
		err := at.Put(t.Context(), resttest.Object(key, "two"))
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "files/x/Src/README.md") {
			t.Errorf("%s: got %v", key, err)
		}
		resttest.Put(t, at, resttest.Object("another", "two"))
		if err := at.Copy(t.Context(), "another", resttest.Object(key, "two")); err == nil {
			t.Errorf("%s: copied", key)
		}
	}
	if got := resttest.Get(t, at, "files/x/Src/README.md"); got != "one" {
		t.Errorf("it was replaced by %q", got)
	}
	if err := at.Delete(t.Context(), []string{"files/x/Src/readme.md"}); err != nil || len(list(t, at)) != 2 {
		t.Errorf("a file of another key was deleted, or %v", err)
	}
}

// TestNames checks that names which Dropbox does not store are refused before anything is sent.
func TestNames(t *testing.T) {
	s := dropboxtest.New(t.TempDir())
	at := newTarget(t, s, nil)
	for _, key := range []string{
		`back\slash`, "space at end /x", "files/.DS_Store", "Thumbs.db", "a\x00b", "\xff", strings.Repeat("x", 256), strings.Repeat("🙂", 128),
	} {
		if err := at.Put(t.Context(), resttest.Object(key, "text")); err == nil {
			t.Errorf("%q was stored", key)
		}
		if _, err := at.Get(t.Context(), key, 0, -1); !errors.Is(err, target.ErrNotExist) {
			t.Errorf("get %q: got %v", key, err)
		}
	}
	if n := s.Calls("files/upload"); n > 0 {
		t.Errorf("%d were sent", n)
	}
	for _, key := range []string{strings.Repeat("x", 255), strings.Repeat("🙂", 127), " space before", "ends in dot."} {
		resttest.Put(t, at, resttest.Object(key, "text"))
	}
}

// TestDelete deletes more objects than one request can, and no folder.
func TestDelete(t *testing.T) {
	s := dropboxtest.New(t.TempDir())
	at := newTarget(t, s, nil)
	var keys []string
	for i := range batch + 5 {
		key := fmt.Sprintf("many/%d", i)
		keys = append(keys, key)
		resttest.Put(t, at, resttest.Object(key, "text"))
	}
	if err := at.Delete(t.Context(), keys); err != nil || len(list(t, at)) > 0 {
		t.Errorf("%d are left, %v", len(list(t, at)), err)
	}
	resttest.Put(t, at, resttest.Object("folder/x", "text"))
	if err := at.Delete(t.Context(), []string{"folder", `back\slash`}); err != nil {
		t.Error(err)
	}
	if got := list(t, at); !slices.Equal(got, []string{"folder/x"}) {
		t.Errorf("left: %q", got)
	}
}

// corrupting is a transport that changes bytes, like a bad proxy.
type corrupting struct{ http.RoundTripper }

func (s corrupting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(b, []byte("zz"), []byte("ZZ"))))
	}
	return s.RoundTripper.RoundTrip(r)
}

// TestCorrupted checks that changed bytes are an error, in one request and in several.
func TestCorrupted(t *testing.T) {
	for _, size := range []int{10, chunkSize + 10} {
		at := newTarget(t, dropboxtest.New(t.TempDir()), func(c *Config) { c.Transport = corrupting{c.Transport} })
		err := at.Put(t.Context(), resttest.Object("x", strings.Repeat("z", size)))
		if err == nil || !strings.Contains(err.Error(), "content_hash_mismatch") {
			t.Errorf("%d bytes: got %v", size, err)
		}
		if got := list(t, at); len(got) > 0 {
			t.Errorf("left: %q", got)
		}
	}
}

// TestRefresh checks that the access token is renewed.
func TestRefresh(t *testing.T) {
	t.Setenv("DROPBOX_TOKEN", "")
	at := newTarget(t, dropboxtest.New(t.TempDir()), func(c *Config) {
		c.Token, c.RefreshToken, c.AppKey = "", dropboxtest.RefreshToken, dropboxtest.AppKey
	})
	resttest.Put(t, at, resttest.Object("x", "text"))
	if got := resttest.Get(t, at, "x"); got != "text" {
		t.Errorf("got %q", got)
	}
}

// loseOnce loses the first response to a call.
func loseOnce(h http.Handler, call string) http.Handler {
	var lost atomic.Bool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2/"+call && !lost.Swap(true) {
			resttest.LostResponses(h).ServeHTTP(w, r)
		}
		h.ServeHTTP(w, r)
	})
}

// TestLostResponse checks that a call is recognized as done if its response was lost.
func TestLostResponse(t *testing.T) {
	for call, times := range map[string]int{
		"files/upload": 3, "files/upload_session/start": 3, "files/upload_session/append_v2": 2, "files/upload_session/finish": 3, "files/copy_v2": 2,
		"files/delete_batch": 2,
	} {
		t.Run(path.Base(call), func(t *testing.T) {
			s := dropboxtest.New(t.TempDir())
			at := newTarget(t, loseOnce(s, call), nil)
			resttest.Put(t, at, resttest.Object("small", "text"))
			resttest.Put(t, at, resttest.Object("large", strings.Repeat("x", 2*chunkSize)))
			if err := at.Copy(t.Context(), "small", resttest.Object("copy", "text")); err != nil {
				t.Error(err)
			}
			if err := at.Swap(t.Context(), []byte("text"), resttest.Object("copy", "swapped")); err != nil {
				t.Error(err)
			}
			resttest.Put(t, at, resttest.Object("other", "text"))
			if err := at.Delete(t.Context(), []string{"other"}); err != nil {
				t.Error(err)
			}
			if got := list(t, at); len(got) != 3 || resttest.Get(t, at, "copy") != "swapped" {
				t.Errorf("got %q", got)
			}
			if got := s.Calls(call); got != times {
				t.Errorf("called %d times, want %d", got, times)
			}
		})
	}
}

// TestErrors checks that errors name the target, the key, the reason and a hint, and no secret.
func TestErrors(t *testing.T) {
	says := func(status int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		})
	}
	for _, x := range []struct {
		name    string
		handler http.Handler
		change  func(*Config)
		want    []string
	}{
		{"token", nil, func(c *Config) { c.Token = "wrong-s3cret" }, []string{"not accepted", "DROPBOX_TOKEN"}},
		{"expired", says(401, `{"error_summary": "expired_access_token/.", "error": {".tag": "expired_access_token"}}`), nil, []string{"expired", "DROPBOX_REFRESH_TOKEN"}},
		{"scope", says(401, `{"error_summary": "missing_scope/.", "error": {".tag": "missing_scope", "required_scope": "files.content.write"}}`), nil, []string{"files.content.write", "App Console"}},
		{"full", says(409, `{"error_summary": "path/insufficient_space/.", "error": {".tag": "path"}}`), nil, []string{"is full"}},
		{"bad", says(400, "This app has reached its user limit."), nil, []string{"user limit", "400"}},
		{"proxy", says(407, "<html>"), nil, []string{"proxy requires credentials"}},
		{"refresh", nil, func(c *Config) { c.RefreshToken, c.AppKey, c.AppSecret = "wrong-s3cret", "key", "s3cret" }, []string{"refresh token", "DROPBOX_APP_KEY"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			if x.handler == nil {
				x.handler = dropboxtest.New(t.TempDir())
			}
			at := newTarget(t, x.handler, x.change)
			err := at.Put(t.Context(), resttest.Object("some/key", "text"))
			if err == nil {
				t.Fatal("it was stored")
			}
			for _, want := range append(x.want, "dropbox:/Galleries/a site", "some/key") {
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
	for _, name := range []string{"DROPBOX_TOKEN", "DROPBOX_REFRESH_TOKEN", "DROPBOX_APP_KEY", "DROPBOX_APP_SECRET"} {
		t.Setenv(name, "")
	}
	for _, c := range []Config{{}, {RefreshToken: "r"}, {Token: "t", Path: "/.dropbox"}, {Token: "t", CA: "none.pem"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	t.Setenv("DROPBOX_TOKEN", "from the environment\n")
	at, err := New(Config{Path: "a/b/"})
	if err != nil || at.tokens.access != "from the environment" || at.String() != "dropbox:/a/b" {
		t.Errorf("got %v, %v", at, err)
	}
}

// TestSwapSame checks that Swap fails even if another process has written the same content.
func TestSwapSame(t *testing.T) {
	at := newTarget(t, dropboxtest.New(t.TempDir()), nil)
	resttest.Put(t, at, resttest.Object("x", "text"))
	if err := at.Swap(t.Context(), nil, resttest.Object("x", "text")); !errors.Is(err, target.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

// TestWrongChunks checks that content which does not match its hash is never committed.
func TestWrongChunks(t *testing.T) {
	at := newTarget(t, dropboxtest.New(t.TempDir()), nil)
	o := resttest.Object("x", strings.Repeat("x", 3*chunkSize))
	o.SHA256 = blob.Sum([]byte("other"))
	if err := at.Put(t.Context(), o); err == nil || len(list(t, at)) > 0 {
		t.Errorf("got %v", err)
	}
}
