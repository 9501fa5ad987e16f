package openvsxtest

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// start starts a registry with a package.
func start(t *testing.T, c Config) *Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tool.vsix")
	if err := (Package{JSON: `{"publisher":"acme","name":"tool","version":"1.0.0"}`}).Write(file); err != nil {
		t.Fatal(err)
	}
	c.Packages = append(c.Packages, file)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// send sends a request, and returns the status, the header and the body of the response.
func send(t *testing.T, method, address, agent string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", agent)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// TestStrict checks which requests are problems, and which are only refused.
func TestStrict(t *testing.T) {
	s := start(t, Config{})
	for _, test := range []struct {
		path    string
		status  int
		problem bool
	}{
		{"/api/v2/-/query?extensionId=acme.tool", 200, false},
		{"/api/v2/-/query?size=1000&offset=20000", 200, false},
		{"/api/v2/-/query?size=1001", 400, true},
		{"/api/v2/-/query?size=-1", 400, true},
		{"/api/v2/-/query?offset=-1", 400, true},
		{"/api/v2/-/query?size=many", 400, true},
		{"/api/v2/-/query?extensionId=tool", 400, true},
		{"/api/v2/-/query?includeAllVersions=yes", 400, true},
		{"/api/v2/-/query?extension=acme.tool", 400, true},
		{"/api/-/search?size=1000&offset=9000", 200, false},
		{"/api/-/search?sortBy=name", 400, true},
		{"/api/-/version-changes?size=0", 400, true},
		{"/api/-/version-changes?offset=1", 400, true},
		{"/api/-/version-changes?since=yesterday", 400, true},
		{"/api/-/version-changes?after=x", 400, true},
		{"/api/-/version-changes?after=x&since=2026-01-01T00:00:00Z", 400, true},
		{"/api/-/public-key/other", 404, false},
		{"/api/acme", 200, false},
		{"/api/nobody", 404, false},
		{"/api/acme/tool/1.0.0/file/other.vsix", 404, false},
		{"/api/acme/tool/2.0.0/file/acme.tool-1.0.0.vsix", 404, false},
		{"/vscode/gallery/extensionquery", 400, true},
	} {
		s.Clear()
		status, _, body := send(t, http.MethodGet, s.URL+test.path, "test")
		if status != test.status || len(s.Problems()) > 0 != test.problem {
			t.Errorf("%s: status %d %s, problems %q", test.path, status, body, s.Problems())
		}
	}
	for method, agent := range map[string]string{http.MethodGet: "Go-http-client/1.1", http.MethodPost: "test"} {
		s.Clear()
		if status, _, _ := send(t, method, s.URL+"/api/acme", agent); status != 400 || len(s.Problems()) != 1 {
			t.Errorf("%s %q: status %d, problems %q", method, agent, status, s.Problems())
		}
	}
}

// TestSearchWindow checks that nothing is found beyond the window of the index.
func TestSearchWindow(t *testing.T) {
	s := start(t, Config{})
	for query, want := range map[string]string{
		"size=1000&offset=9000": `"totalSize":1,`, "size=1000&offset=9001": `"totalSize":0,`,
	} {
		if _, _, body := send(t, http.MethodGet, s.URL+"/api/-/search?"+query, "test"); !strings.Contains(body, want) {
			t.Errorf("%s: %s", query, body)
		}
	}
}

// TestLimit checks the headers of responses with a limit.
func TestLimit(t *testing.T) {
	s := start(t, Config{Limit: 1, RetryAfter: 7})
	for _, want := range []struct {
		status                int
		remaining, retryAfter string
	}{{200, "0", ""}, {429, "0", "7"}, {200, "0", ""}} {
		status, header, _ := send(t, http.MethodGet, s.URL+"/api/acme", "test")
		if status != want.status || header.Get("X-RateLimit-Limit") != "1" ||
			header.Get("X-RateLimit-Remaining") != want.remaining || header.Get("Retry-After") != want.retryAfter {
			t.Errorf("status %d, %v, want %+v", status, header, want)
		}
	}
}

// TestSent checks that a file that is sent twice is a problem.
func TestSent(t *testing.T) {
	s := start(t, Config{})
	address := s.URL + "/api/acme/tool/1.0.0/file/acme.tool-1.0.0.vsix"
	for i, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet} {
		if status, _, _ := send(t, method, address, "test"); status != 200 {
			t.Errorf("status %d", status)
		}
		if sentTwice := len(s.Problems()) > 0; sentTwice != (i == 2) {
			t.Errorf("after request %d: %q", i+1, s.Problems())
		}
	}
	if err := s.Fail("nonsense", ""); err == nil {
		t.Error("an unknown fault is accepted")
	}
	if err := s.Remove("acme.tool@9.0.0", "REMOVED"); err == nil {
		t.Error("a version that does not exist is removed")
	}
}
