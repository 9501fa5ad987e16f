package publish_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/render"
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

// TestPurgePackage purges a package, named by its hash, whose version has been published again with
// other content. That content stays at the same paths.
func TestPurgePackage(t *testing.T) {
	at, _ := newFolder(t)
	local := t.TempDir()
	buildSite(t, local, "one@1.0.0", "two@1.0.0")
	publishSite(t, at, local)
	state, err := publish.Read(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	purgedPackage := state.Catalog.Extensions[0].Versions[0].Package.Ref
	subjects := decide(t, at, decision.Blocked, "sha256:"+purgedPackage.String())
	wantServed(t, at, "acme.two@1.0.0")
	local = t.TempDir()
	buildSite(t, local, "one@1.0.0!", "two@1.0.0")
	publishSite(t, at, local)
	purged, err := publish.Purge(t.Context(), at, subjects, publish.Options{})
	if err != nil || !slices.Contains(purged.Objects, purgedPackage.Path()) {
		t.Errorf("purged %q, %v, want %s among them", purged.Objects, err, purgedPackage.Path())
	}
	wantServed(t, at, "acme.one@1.0.0 acme.two@1.0.0")
}

// TestPurgeLikeModel purges from many chunks, among others the extension with which a chunk begins,
// and compares what is deleted and what remains with a model that goes through all files of all
// generations.
func TestPurgeLikeModel(t *testing.T) {
	at, root := newFolder(t)
	local := t.TempDir()
	var first string // of the second chunk
	for _, others := range [][]string{nil, {"a"}, {"a", "b"}} {
		setManyAs(t, local, catalog.Settings{Render: render.Version}, others...)
		publishSite(t, at, local)
		files, err := site.ReadChunks(root, currentOf(t, root))
		if err != nil || len(files) < 2 {
			t.Fatal(files, err)
		}
		first = files[1].First
	}
	subjects := decide(t, at, decision.Blocked, "acme.b", first)
	for _, subjects := range [][]catalog.Subject{subjects, decide(t, at, decision.Blocked, "acme.n7@1.0.0")} {
		want, remainders := purgeModel(t, at, root, subjects)
		purged, err := publish.Purge(t.Context(), at, subjects, publish.Options{})
		if err != nil || !slices.Equal(purged.Objects, want) {
			t.Errorf("it deletes %d objects, want %d, %v", len(purged.Objects), len(want), err)
		}
		for name, rest := range remainders {
			if got := generationAt(t, root, name); !reflect.DeepEqual(got.catalog, rest) {
				t.Errorf("%d extensions remain of %s, want %d", len(got.catalog.Extensions), name, len(rest.Extensions))
			}
		}
	}
}

// modelled is a generation of a folder, or what remains of it.
type modelled struct {
	catalog  *catalog.Catalog
	files    []catalog.ChunkFiles
	packages []catalog.PackageFile
}

// generationAt reads a generation of a folder, or what remains of it.
func generationAt(t *testing.T, root, name string) (g modelled) {
	t.Helper()
	of := site.Current{Generation: name}
	head, err := os.ReadFile(filepath.Join(root, of.CatalogPath()))
	if err != nil {
		head, err = os.ReadFile(filepath.Join(root, of.RemainderPath()))
	}
	if err == nil {
		g.catalog, g.files, err = site.DecompressCatalog(head, site.LinesIn(root))
	}
	if err != nil {
		t.Fatal(err)
	}
	if main, err := os.ReadFile(filepath.Join(root, of.PrivatePath())); err == nil {
		if g.packages, err = site.DecompressPackageFiles(main); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// purgeModel returns the keys that a purge must delete, and what must remain of generations.
func purgeModel(t *testing.T, at target.Target, root string, subjects []catalog.Subject) (keys []string, remainders map[string]*catalog.Catalog) {
	t.Helper()
	records, err := decision.Add(nil, decision.Author{}, decision.Blocked, subjects, "")
	if err != nil {
		t.Fatal(err)
	}
	doomed, needed, names := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	matches := decision.In(records, nil)
	for e, err := range at.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		dir, name := filepath.Split(e.Key)
		switch {
		case name == site.IndexName:
			names[filepath.Base(dir)] = true
		case strings.HasPrefix(e.Key, site.PrivateDir) && strings.Contains(name, "remainder"):
			names[name[:16]] = true
		}
		doomed[e.Key] = isChunk(e.Key)
	}
	remainders = make(map[string]*catalog.Catalog)
	for name := range names {
		g := generationAt(t, root, name)
		gone, rest := &catalog.Catalog{}, *g.catalog
		rest.Extensions = nil
		for _, e := range g.catalog.Extensions { // each has one version
			if len(matches.Out(e.Key()+"@1.0.0", e.Versions[0].Package.Ref)) > 0 {
				gone.Extensions = append(gone.Extensions, e)
			} else {
				rest.Extensions = append(rest.Extensions, e)
			}
		}
		if len(gone.Extensions) > 0 {
			rest.Derived = nil
		}
		for f := range render.Content(&rest) {
			needed[f.Path], needed[blob.Ref(f.SHA256).Path()] = true, true
		}
		of := site.Current{Generation: name}
		if len(gone.Extensions) == 0 {
			files := catalog.Files{Chunks: g.files, Packages: g.packages}
			for path := range files.All() {
				needed[path] = true
			}
			continue
		}
		remainders[name] = &rest
		for f := range render.DerivedContent(g.catalog) {
			doomed[blob.Ref(f.SHA256).Path()] = true
		}
		for f := range render.VersionContent(gone) {
			doomed[f.Path], doomed[blob.Ref(f.SHA256).Path()] = true, true
		}
		doomed[of.CatalogPath()], doomed[of.IndexPath()], doomed[of.PrivatePath()] = true, true, true
		for _, c := range rest.Chunks() {
			text, err := site.CompressLines(c)
			if err != nil {
				t.Fatal(err)
			}
			needed[catalog.LinesPath(blob.Sum(text))] = true
		}
	}
	for key, is := range doomed {
		if is && !needed[key] {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, remainders
}
