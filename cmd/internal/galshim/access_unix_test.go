//go:build unix

package galshim

import (
	"errors"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
)

// TestTokenFilePipe replaces the file of tokens by a named pipe, which nobody writes to. Requests
// do not wait for it, and a file that takes its place is read.
func TestTokenFilePipe(t *testing.T) {
	path, with := withTokens(t, slog.New(slog.DiscardHandler))
	g := openSample(t, with)
	now := time.Now()
	g.tokens.now = func() time.Time { return now }
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		now = now.Add(tokenPause)
		if status := g.request("GET", "/t/"+alice+"/api", "").StatusCode; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, tokenLine("new", unknown, ""))
	now = now.Add(tokenPause)
	if status := g.request("GET", "/t/"+unknown+"/api", "").StatusCode; status != 200 {
		t.Errorf("status %d of a new token", status)
	}
}
