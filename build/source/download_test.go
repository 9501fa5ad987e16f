package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/retry"
)

// A server serves packages and records the requests.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

// serve starts a server. It calls respond with each request and its number, from 0.
func serve(t *testing.T, respond func(w http.ResponseWriter, r *http.Request, number int)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		number := len(s.requests)
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		respond(w, r, number)
	}))
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, c retry.Config) *retry.Client {
	t.Helper()
	client, err := retry.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// withoutRetries returns a client that does not repeat requests: each pause returns an error.
func withoutRetries(t *testing.T) *retry.Client {
	return newClient(t, retry.Config{Sleep: func(context.Context, time.Duration) error { return errNoRetry }})
}

var errNoRetry = errors.New("the request is not repeated")

// fetch calls Expand with a new folder for downloads, without pauses between attempts.
func fetch(t *testing.T, c Config, args ...string) ([]Item, []string) {
	t.Helper()
	if c.Downloads == "" {
		c.Downloads = filepath.Join(t.TempDir(), "downloads")
	}
	if c.Client == nil {
		c.Client = newClient(t, retry.Config{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	}
	items, problems, err := Expand(t.Context(), args, c)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Name+": "+p.Err.Error())
	}
	return items, texts
}

// wantFiles compares the names of the files in a folder.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	for i := range want {
		want[i] = filepath.Base(want[i])
	}
	slices.Sort(want)
	wantList(t, "files in "+dir, got, want...)
}

// TestDownload has a package with two addresses that differ in their fragments. It is downloaded
// once, and again only if it has changed.
func TestDownload(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "x.vsix", time.Time{}, strings.NewReader(packageText))
	})
	dir := t.TempDir()
	for range 2 {
		items, problems := fetch(t, Config{Downloads: dir}, s.URL+"/x.vsix", s.URL+"/x.vsix#part")
		if len(items) != 1 || len(problems) != 0 || items[0].Origin != s.URL+"/x.vsix" || items[0].Size != int64(len(packageText)) {
			t.Errorf("got %+v, %v", items, problems)
		}
	}
	if len(s.requests) != 2 || s.requests[1].Header.Get("If-None-Match") != `"v1"` {
		t.Errorf("got %d requests, the last with %v", len(s.requests), s.requests[len(s.requests)-1].Header)
	}
}

// secret is a password that must not be in any message or file.
const secret = "hunter2"

func TestSecrets(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		switch _, password, _ := r.BasicAuth(); {
		case password != secret:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/refused":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/cut":
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/x.vsix", http.StatusFound)
		default:
			io.WriteString(w, packageText)
		}
	})
	host := strings.TrimPrefix(s.URL, "http://")
	with := "http://mallory:" + secret + "@" + host
	dir := t.TempDir()
	items, problems := fetch(t, Config{Downloads: dir, Client: withoutRetries(t)},
		with+"/x.vsix?sig="+secret+"&v=1&X-Amz-Credential="+secret, with+"/moved", with+"/refused", with+"/cut",
		"http://mallory:"+secret+"@%zz/x", "http://mallory:a/"+secret+"@host/x", "ftp://mallory:"+secret+"@host/x", "https://mallory:"+secret+"@127.0.0.1:1/x")
	if len(items) != 2 || items[0].Name == items[1].Name {
		t.Fatal(items, problems)
	}
	shown := fmt.Sprintf("%+v %v", items, problems)
	if !strings.Contains(shown, s.URL+"/x.vsix?sig=…&v=1&X-Amz-Credential=…") || !strings.Contains(shown, host+" does not accept the credentials (401 Unauthorized)") {
		t.Errorf("shown: %s", shown)
	}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if text, readErr := os.ReadFile(path); readErr == nil {
			shown += path + string(text)
		}
		return err
	})
	if err != nil || strings.Contains(shown, secret) || strings.Contains(shown, "mallory") {
		t.Errorf("the password is in %s (%v)", shown, err)
	}
	if len(problems) != 6 {
		t.Errorf("problems %v", problems)
	}
}

// TestSeveral has sources of which some cannot be read. The others are returned.
func TestSeveral(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/3" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		io.WriteString(w, packageText+r.URL.Path)
	})
	tree(t, "a.vsix")
	args := []string{"a.vsix", "missing"}
	for i := range 10 {
		args = append(args, fmt.Sprint(s.URL, "/", i))
	}
	items, problems := fetch(t, Config{}, args...)
	if len(items) != 10 || len(problems) != 2 {
		t.Fatal(items, problems)
	}
	wantList(t, "problems", problems, "missing: no such file or directory", s.URL+"/3: there is no such file on "+strings.TrimPrefix(s.URL, "http://")+" (404 Not Found)")
}

func TestCancelledDownloads(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var requested sync.WaitGroup
	requested.Add(parallel)
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, packageText)
		w.(http.Flusher).Flush()
		if number < parallel {
			requested.Done()
		}
		<-r.Context().Done()
	})
	go func() {
		requested.Wait()
		cancel()
	}()
	var args []string
	for i := range 3 * parallel {
		args = append(args, fmt.Sprint(s.URL, "/", i))
	}
	items, problems, err := Expand(ctx, args, Config{Downloads: t.TempDir()})
	if !errors.Is(err, context.Canceled) || items != nil || problems != nil {
		t.Errorf("got %v, %v, %v", items, problems, err)
	}
}
