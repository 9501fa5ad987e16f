package build

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// newCompanion writes a file and returns a change that adds it.
func newCompanion(t *testing.T, path, text string) CompanionChange {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return CompanionChange{Path: path, File: file}
}

func TestChangeCompanions(t *testing.T) {
	a, b, again := newCompanion(t, "a", "1"), newCompanion(t, "b", "2"), newCompanion(t, "a", "3")
	locked, wrong := newCompanion(t, "c", "4"), newCompanion(t, "c", "5")
	locked.Locked, wrong.Locked = blob.Sum([]byte("4")), blob.Sum([]byte("4"))
	gone := CompanionChange{Path: "c", File: "none", Locked: locked.Locked}
	old := []catalog.Companion{{Path: "a", SHA256: blob.Sum([]byte("1")), Size: 1}}
	for name, x := range map[string]struct {
		old      []catalog.Companion
		changes  []CompanionChange
		want     string // texts by path
		warnings int
		err      string
	}{
		"stay":                    {old, nil, "a=1", 0, ""},
		"add":                     {old, []CompanionChange{b}, "a=1 b=2", 0, ""},
		"replace":                 {old, []CompanionChange{again}, "a=3", 0, ""},
		"drop":                    {old, []CompanionChange{{Path: "a"}}, "", 0, ""},
		"add and drop":            {nil, []CompanionChange{a, b, {Path: "a"}}, "b=2", 0, ""},
		"drop and add":            {old, []CompanionChange{{Path: "a"}, again}, "a=3", 0, ""},
		"drop what is not there":  {old, []CompanionChange{{Path: "b"}}, "", 0, "companion b: the gallery does not have it"},
		"file and folder":         {old, []CompanionChange{newCompanion(t, "a/b", "2")}, "", 0, `"a" is a file`},
		"missing":                 {old, []CompanionChange{{Path: "b", File: "none"}}, "", 0, "companion b: none: "},
		"locked":                  {old, []CompanionChange{locked}, "a=1 c=4", 0, ""},
		"locked, another file":    {old, []CompanionChange{wrong}, "a=1", 1, ""},
		"locked, missing":         {old, []CompanionChange{gone}, "a=1", 1, ""},
		"locked, and replaced":    {nil, []CompanionChange{locked, newCompanion(t, "c", "6")}, "c=6", 0, ""},
		"locked, and dropped":     {nil, []CompanionChange{locked, {Path: "c"}}, "", 0, ""},
		"locked, stored already":  {[]catalog.Companion{{Path: "c", SHA256: locked.Locked, Size: 1}}, []CompanionChange{gone}, "c=4", 0, ""},
		"locked, in another case": {old, []CompanionChange{{Path: "A", File: locked.File, Locked: locked.Locked}}, "", 0, "differ only in case"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newWriter(t).Config
			c.Settings.Companions, c.Companions = x.old, x.changes
			warnings, err := c.changeCompanions(t.Context())
			if x.err != "" {
				if err == nil || !strings.Contains(err.Error(), x.err) {
					t.Errorf("error %v, want %q", err, x.err)
				}
				return
			}
			var want []catalog.Companion
			for _, file := range strings.Fields(x.want) {
				path, text, _ := strings.Cut(file, "=")
				want = append(want, catalog.Companion{Path: path, SHA256: blob.Sum([]byte(text)), Size: int64(len(text))})
			}
			if err != nil || !slices.Equal(c.Settings.Companions, want) || len(warnings) != x.warnings {
				t.Errorf("%+v, %v, %v; want %+v", c.Settings.Companions, warnings, err, want)
			}
		})
	}
}

func TestCancelledCompanion(t *testing.T) {
	c := newWriter(t).Config
	c.Companions = []CompanionChange{newCompanion(t, "a", "1")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.changeCompanions(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDigestOfCompanions changes the time and the size of a file: the next run must store it again.
func TestDigestOfCompanions(t *testing.T) {
	w := newCompanion(t, "a", "1")
	digestNow := func() blob.Ref { return digest(Config{Companions: []CompanionChange{w}}, nil, nil) }
	first := digestNow()
	if err := os.Chtimes(w.File, past, past.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	second := digestNow()
	w.Path = "b"
	if third := digestNow(); first == second || second == third || digest(Config{}, nil, nil) == third {
		t.Error("a change of a companion does not change the digest")
	}
}
