package render

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// TestPackages makes generations with packages. A kept generation has its chunks, and those of a
// generation that is not kept are removed. New statistics change no chunk.
func TestPackages(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 1)
	identify(c)
	add := func(name string) {
		c.Packages = catalog.Packages(append(slices.Clone(c.Packages), catalog.Package{SHA256: blob.Sum([]byte(name)), ID: "acme." + name + "@1.0.0"}))
	}
	chunks := func(generations ...site.Current) (paths []string) {
		for _, g := range generations {
			files, err := site.ReadFiles(dir.Root, g)
			if err != nil {
				t.Fatal(err)
			}
			for path := range (catalog.Files{Packages: files.Packages}).All() {
				paths = append(paths, path)
			}
		}
		slices.Sort(paths)
		return slices.Compact(paths)
	}
	check := func(what string, want []string) {
		t.Helper()
		found, err := filepath.Glob(dir.Path(catalog.PackageDir + "*/*"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			if found[i], err = filepath.Rel(dir.Root, found[i]); err != nil {
				t.Fatal(err)
			}
			found[i] = filepath.ToSlash(found[i])
		}
		if !slices.Equal(found, want) {
			t.Errorf("%s: the site has %q, want %q", what, found, want)
		}
	}
	for i := range 600 {
		add(fmt.Sprint("n", i))
	}
	first := switchTo(t, dir, c, 2)
	if n := len(chunks(first)); n < 2 {
		t.Fatalf("%d chunks", n)
	}
	add("new")
	second := switchTo(t, dir, c, 2)
	if more := len(chunks(first, second)) - len(chunks(first)); more != 1 {
		t.Errorf("another package has made %d chunks", more)
	}
	check("two generations", chunks(first, second))
	c.Extensions[0].Versions[0].Sidecar = &catalog.Sidecar{Statistics: &catalog.Statistics{Install: 77}}
	c.Extensions[0].SetStatistics()
	third := switchTo(t, dir, c, 2)
	if third == second || !slices.Equal(chunks(third), chunks(second)) {
		t.Error("new statistics have changed chunks")
	}
	check("after new statistics", chunks(third))
}
