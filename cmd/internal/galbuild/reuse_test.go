package galbuild

import (
	"fmt"
	"os"
	"reflect"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

// TestSameBytesAfterChanges adds extensions to a site one after the other, replaces one, and
// compares the site with one that is built at once. Chunks of the generation before must be used
// again only if they are the same.
func TestSameBytesAfterChanges(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000") // when packages are first seen
	p := program{}
	for i := range 3 {
		packExtension(t, "vsixs", fmt.Sprint("hello-", i))
		p.must(t, "build vsixs -o grown -q")
	}
	packExtension(t, "more", "other")
	p.must(t, "add more grown -q")
	packExtension(t, "more", "third")
	if err := os.Remove("vsixs/hello-1.vsix"); err != nil {
		t.Fatal(err)
	}
	p.must(t, "build vsixs more -o grown -q") // with as many extensions as before
	p.must(t, "build vsixs more -o new -q")
	grown, grownChunks := chunksOf(t, "grown")
	fresh, freshChunks := chunksOf(t, "new")
	if grown.Index != fresh.Index || !reflect.DeepEqual(grownChunks, freshChunks) {
		t.Errorf("index %v with chunks %v, want %v with %v", grown.Index, grownChunks, fresh.Index, freshChunks)
	}
	p.must(t, "verify grown")
}

func chunksOf(t *testing.T, root string) (site.Current, []catalog.ChunkFiles) {
	t.Helper()
	current, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	files, err := site.ReadChunks(root, current)
	if err != nil {
		t.Fatal(err)
	}
	return current, files
}
