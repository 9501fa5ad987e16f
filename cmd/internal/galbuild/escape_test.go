package galbuild

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamesCannotForgeLines has names with lines that look like messages of galbuild, and names
// with control sequences of a terminal.
func TestNamesCannotForgeLines(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		connection.Write([]byte("HTTP/1.1 404 oops\x1b]0;pwned\x07\r\nContent-Length: 0\r\n\r\n"))
	}))
	defer server.Close()
	out := filepath.Join(t.TempDir(), "site")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"source":        {[]string{"x\ngalbuild: all is well.vsix", "-o", out}, `galbuild: refused: x\u000agalbuild: all is well.vsix: no such`},
		"flag":          {[]string{"x.vsix", "-o", out, "--base-url", "\ngalbuild: all is well"}, "\n  galbuild: all is well"},
		"argument":      {[]string{"show", "-o", out, "a", "b", "c", "d\x1b[2J\u202e"}, `"d\x1b[2J\u202e": galbuild show takes at most 3 arguments`},
		"server":        {[]string{server.URL + "/x.vsix", "-o", out}, `(404 oops\u001b]0;pwned\u0007)`},
		"target":        {[]string{"ls-remote", "-o", "x\ngalbuild: all is well"}, "\n  galbuild: all is well"},
		"verify":        {[]string{"verify", "x\x1b\ngalbuild: all is well"}, `x\u001b`},
		"unknown limit": {[]string{"x.vsix", "--limit", "\x1b=1"}, `unknown limit "\x1b"`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			program{}.run(t.Context(), c.args, strings.NewReader(""), &stdout, &stderr)
			if !strings.Contains(stderr.String(), c.want) {
				t.Errorf("stderr %q, want %q", stderr.String(), c.want)
			}
			for line := range strings.Lines(stdout.String() + stderr.String()) {
				if strings.HasPrefix(line, "galbuild: all is well") || strings.ContainsAny(line, "\x1b\x07\u202e") {
					t.Errorf("line %q", line)
				}
			}
		})
	}
}
