package galbuild

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/render"
)

// TestExplain checks the hints of errors that any command can return.
func TestExplain(t *testing.T) {
	for name, tt := range map[string]struct {
		err      error
		want, no string
	}{
		"disk full":                  {syscall.ENOSPC, "free some space and run the command again; what the site serves has not changed", ""},
		"disk full after the switch": {fmt.Errorf("%w, but: %w", render.ErrSwitched, syscall.ENOSPC), "hint: the new generation is complete", "has not changed"},
		"read-only":                  {syscall.EROFS, "must be able to write there; what the site serves has not changed", ""},
		"read-only after the switch": {fmt.Errorf("%w, but: %w", render.ErrSwitched, syscall.EROFS), "hint: the new generation is complete", "has not changed"},
		"locked":                     {site.ErrLocked, "hint: wait until it ends", ""},
		"another format":             {fmt.Errorf("x: %w", catalog.ErrFormat), "hint: build it again from its packages into an empty folder", ""},
		"not a site":                 {site.ErrNoGeneration, "hint: galbuild SOURCE… -o SITE builds one", ""},
	} {
		var out strings.Builder
		hint.Print(&out, "galbuild", explain(tt.err))
		if got := out.String(); !strings.Contains(got, tt.want) || tt.no != "" && strings.Contains(got, tt.no) {
			t.Errorf("%s: got %s, want %q and not %q", name, got, tt.want, tt.no)
		}
	}
}

// TestExplainPull checks that the hints of pull are about a download.
func TestExplainPull(t *testing.T) {
	var out strings.Builder
	hint.Print(&out, "galbuild", explainPull(fmt.Errorf("get blobs: %w", context.Canceled)))
	if want := "galbuild: error: interrupted\ngalbuild: hint: the folder still has the old generation; run it again to continue, nothing is downloaded twice\n"; out.String() != want {
		t.Errorf("got %s, want %s", &out, want)
	}
}
