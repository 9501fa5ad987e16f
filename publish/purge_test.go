package publish_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/publish"
	"galbuild/publish/target"
)

// decide records a decision of a kind at a target.
func decide(t *testing.T, at target.Target, kind string, subjects ...string) []catalog.Subject {
	t.Helper()
	var parsed []catalog.Subject
	for _, s := range subjects {
		subject, err := catalog.ParseSubject(s)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, subject)
	}
	_, err := publish.Decide(t.Context(), at, workspace(t), publish.Options{}, func(c *catalog.Catalog) ([]catalog.Record, error) {
		return decision.Add(c.Records, decision.Author{By: "alice"}, kind, parsed, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// keeper is a target that keeps what was deleted.
type keeper struct {
	target.Target
	asked []string
}

func (k *keeper) Purge(_ context.Context, keys []string) ([]target.Leftover, error) {
	k.asked = keys
	return []target.Leftover{{Key: keys[0], Reason: "a test"}}, nil
}

// TestPurge checks that everything of the purged versions is deleted, and nothing else. A rollback
// to a generation that listed them makes a generation without them.
func TestPurge(t *testing.T) {
	for name, tt := range map[string]struct {
		subjects []string
		gone     string // prefix of what must be gone in assets/
		left     []string
	}{
		"extension": {[]string{"acme.one"}, "acme/one/", []string{"acme/two/1.0.0"}},
		"version":   {[]string{"acme.one@1.0.0"}, "acme/one/1.0.0/", []string{"acme/one/2.0.0", "acme/two/1.0.0"}},
		"two":       {[]string{"acme.one@2.0.0", "acme.two"}, "acme/two/", []string{"acme/one/1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder, root := newFolder(t)
			at := &keeper{Target: folder}
			local := t.TempDir()
			buildSite(t, local, "one@1.0.0", "two@1.0.0")
			publishSite(t, at, local)
			buildSite(t, local, "one@1.0.0", "one@2.0.0", "two@1.0.0")
			publishSite(t, at, local)
			subjects := decide(t, at, decision.Removed, tt.subjects...)
			dry, err := publish.Purge(t.Context(), at, subjects, publish.Options{DryRun: true})
			if err != nil || at.asked != nil {
				t.Fatal(err, at.asked)
			}
			purged, err := publish.Purge(t.Context(), at, subjects, publish.Options{})
			if err != nil || !slices.Equal(dry.Objects, purged.Objects) || !slices.Equal(at.asked, purged.Objects) || len(purged.Left) != 1 {
				t.Fatalf("%+v, %+v, %v", dry, purged, err)
			}
			for e, err := range at.List(t.Context(), "") {
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(e.Key, "assets/"+tt.gone) || slices.Contains(purged.Objects, e.Key) {
					t.Errorf("%s is still there", e.Key)
				}
			}
			for _, version := range tt.left {
				if _, err := os.Stat(filepath.Join(root, "assets", version, catalog.PackageAsset)); err != nil {
					t.Error(err)
				}
			}
			if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) > 0 {
				t.Errorf("%+v, %v", report, err)
			}
			result, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 2, publish.Options{})
			if err != nil || len(result.AddedVersions) > 0 {
				t.Errorf("a rollback adds %q, %v", result.AddedVersions, err)
			}
			if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) > 0 {
				t.Errorf("after a rollback: %+v, %v", report, err)
			}
			if again, err := publish.Purge(t.Context(), at, subjects, publish.Options{}); err != nil || len(again.Objects) > 0 {
				t.Errorf("the second purge deletes %q, %v", again.Objects, err)
			}
		})
	}
}
