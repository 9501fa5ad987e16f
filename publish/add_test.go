package publish_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/publish"
	"galbuild/publish/target"
)

// concurrent is a target that another process changes before the first attempt to replace CURRENT.
type concurrent struct {
	target.Target
	change func()
}

func (c *concurrent) Swap(ctx context.Context, old []byte, o target.Object) error {
	if change := c.change; change != nil {
		c.change = nil
		change()
	}
	return c.Target.Swap(ctx, old, o)
}

// TestAdd adds packages to a gallery that has acme.one@1.0.0.
func TestAdd(t *testing.T) {
	const one, two = "acme.one@1.0.0", "acme.one@1.0.0 acme.two@1.0.0"
	for name, tt := range map[string]struct {
		packages []string // names in the source folder; invalid is not a package
		list     bool     // the source is a list on standard input
		strict   bool
		choose   func(*catalog.Catalog) []string
		race     bool // acme.three is added at the same time
		want     error
		refused  int
		served   string
	}{
		"new":                {[]string{"two"}, false, false, nil, false, nil, 0, two},
		"exists already":     {[]string{"one"}, false, false, nil, false, nil, 0, one},
		"one of two":         {[]string{"two", "invalid"}, false, false, nil, false, nil, 1, two},
		"strict":             {[]string{"two", "invalid"}, false, true, nil, false, publish.ErrStrict, 1, one},
		"none":               {[]string{"invalid"}, false, false, nil, false, publish.ErrNoneAccepted, 1, one},
		"different content":  {[]string{"one!"}, false, false, nil, false, publish.ErrNoneAccepted, 1, one},
		"nothing is chosen":  {[]string{"two"}, false, false, func(*catalog.Catalog) []string { return nil }, false, nil, 0, one},
		"race":               {[]string{"two"}, false, false, nil, true, nil, 0, "acme.one@1.0.0 acme.three@1.0.0 acme.two@1.0.0"},
		"race, with a list":  {[]string{"two"}, true, false, nil, true, nil, 0, "acme.one@1.0.0 acme.three@1.0.0 acme.two@1.0.0"},
		"race, with refused": {[]string{"two", "invalid"}, false, false, nil, true, nil, 1, "acme.one@1.0.0 acme.three@1.0.0 acme.two@1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			buildSite(t, root, "one@1.0.0")
			at, _ := newFolder(t)
			publishSite(t, at, root)
			source, three := t.TempDir(), writePackage(t, t.TempDir(), "three", "1.0.0")
			files := writeSources(t, source, tt.packages)
			cfg := build.Config{Sources: []string{source}, Strict: tt.strict, Now: clock}
			if tt.list {
				cfg.Sources, cfg.Stdin = []string{"-"}, strings.NewReader(strings.Join(files, "\n"))
			}
			racing := &concurrent{Target: at}
			if tt.race {
				racing.change = func() {
					if _, err := add(t.Context(), at, workspace(t), three); err != nil {
						t.Error(err)
					}
				}
			}
			result, built, err := publish.Add(t.Context(), racing, workspace(t), cfg, tt.choose, publish.Options{})
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if built == nil || len(built.Report.Refused) != tt.refused {
				t.Errorf("%+v, want %d refused", built, tt.refused)
			}
			if raced := result.Attempts > 1; raced != tt.race {
				t.Errorf("%d attempts", result.Attempts)
			}
			wantServed(t, at, tt.served)
		})
	}
}

// writeSources writes packages and returns their files.
func writeSources(t *testing.T, dir string, names []string) (files []string) {
	t.Helper()
	for _, name := range names {
		switch plain, other := strings.CutSuffix(name, "!"); {
		case other:
			files = append(files, writeCode(t, dir, plain, "1.0.0", "// different"))
		case name == "invalid":
			file := filepath.Join(dir, "invalid.vsix")
			if err := os.WriteFile(file, []byte("not a zip"), 0o644); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		default:
			files = append(files, writePackage(t, dir, name, "1.0.0"))
		}
	}
	return files
}

// TestAddToNothing adds to a target without a gallery.
func TestAddToNothing(t *testing.T) {
	at, _ := newFolder(t)
	if _, err := add(t.Context(), at, workspace(t), writePackage(t, t.TempDir(), "one", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	wantServed(t, at, "acme.one@1.0.0")
	s, err := publish.Read(t.Context(), at)
	if err != nil || s.Catalog.Unpack != "web" {
		t.Errorf("%+v, %v", s.Catalog, err)
	}
}
