package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
)

// packagesOf returns a package for each id.
func packagesOf(ids ...string) (all []Package) {
	for _, id := range ids {
		all = append(all, Package{SHA256: blob.Sum([]byte(id)), ID: id, Sources: []Source{{Path: id + ".vsix"}}})
	}
	return Packages(all)
}

// manyIDs returns the ids of packages of n extensions, two of each.
func manyIDs(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("acme.n%d@1.0.0", i), fmt.Sprintf("acme.n%d@1.1.0@web", i))
	}
	return ids
}

// writtenPackages returns the files of the packages of a catalogue, and their texts.
func writtenPackages(t testing.TB, c *Catalog) (files []PackageFile, texts map[blob.Ref]string) {
	t.Helper()
	texts = make(map[blob.Ref]string)
	for _, chunk := range c.PackageChunks() {
		var text bytes.Buffer
		if err := chunk.WriteLines(&text); err != nil {
			t.Fatal(err)
		}
		f := PackageFile{chunk.First, ChunkFile{blob.Sum(text.Bytes()), int64(text.Len())}}
		files, texts[f.SHA256] = append(files, f), text.String()
	}
	return files, texts
}

// readWritten reads the files of packages into a catalogue.
func readWritten(c *Catalog, files []PackageFile, texts map[blob.Ref]string) error {
	parts := make([][]Package, len(files))
	for i, f := range files {
		var err error
		if parts[i], err = ReadPackages(strings.NewReader(texts[f.SHA256])); err != nil {
			return err
		}
	}
	return c.AddPackages(files, parts)
}

// TestPackagesInCatalog checks that the packages are read as they were written, also by a program
// that does not know some of their keys, and are not public.
func TestPackagesInCatalog(t *testing.T) {
	second := Package{SHA256: blob.Sum([]byte("b")), ID: "acme.other@2.0.0@web"}
	c := &Catalog{Records: []Record{sampleRecord(t)}, Packages: Packages([]Package{samplePackage(), second})}
	files, texts := writtenPackages(t, c)
	var public, private bytes.Buffer
	if err := errors.Join(c.Write(&public), c.WritePrivate(&private, files)); err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || strings.Contains(public.String(), "vsix") || !strings.Contains(texts[files[0].SHA256], `{"path":"acme/notes-1.0.0.vsix"}],"licence":"MIT","signed":true,"bundled":[{"name":"@types/node","version":"20.1.0","licence":"MIT"},{"name":"left-pad","version":"1.3.0"}],"scan":{"b":1,"a":2}}`) {
		t.Errorf("public:\n%sprivate:\n%s%q", &public, &private, texts)
	}
	text := private.String()
	got, err := Read(&public)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, it must not add the packages again
		named, err := got.ReadPrivate(strings.NewReader(text))
		if err == nil {
			err = readWritten(got, named, texts)
		}
		if err != nil || !reflect.DeepEqual(got, c) || !slices.Equal(named, files) {
			t.Errorf("got %+v, %v, want %+v", got, err, c)
		}
	}
	if named, err := ReadPackageFiles(strings.NewReader(text)); err != nil || !slices.Equal(named, files) {
		t.Errorf("got %v, %v, want %v", named, err, files)
	}
	lines := strings.SplitAfter(texts[files[0].SHA256], "\n")
	for want, bad := range map[string]string{
		"line 2: package " + samplePackage().SHA256.String() + " follows": lines[1] + lines[0],
		"line 2: package":              lines[0] + lines[0],
		"line 1: package: the hash is": `{"package":"acme.notes@1.0.0"}`,
		"line 1: package":              strings.Replace(lines[0], `"acme`, `"Acme`, 1),
		"unexpected EOF":               lines[0][:len(lines[0])-4],
	} {
		if _, err := ReadPackages(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", bad, err, want)
		}
	}
}

// TestPackageChunks divides the packages of many extensions. Chunks begin at the same Keys as those
// of the catalogue, and a package that is added or removed changes one of them.
func TestPackageChunks(t *testing.T) {
	c := &Catalog{Packages: packagesOf(manyIDs(2000)...)}
	files, texts := writtenPackages(t, c)
	if len(files) < 4 {
		t.Fatalf("got %d chunks", len(files))
	}
	for i, f := range files {
		if i == 0 && f.First != "" || i > 0 && !begins(f.First, catalogChunk) {
			t.Errorf("chunk %d begins at %q", i, f.First)
		}
	}
	got := new(Catalog)
	if err := readWritten(got, files, texts); err != nil || !reflect.DeepEqual(got.Packages, c.Packages) {
		t.Fatalf("not read as written: %v", err)
	}
	for name, ids := range map[string][]string{
		"another version":   append(manyIDs(2000), "acme.n77@2.0.0"),
		"another extension": append(manyIDs(2000), "acme.n77x@1.0.0"),
		"one less":          manyIDs(2000)[1:],
	} {
		changed := 0
		next, _ := writtenPackages(t, &Catalog{Packages: packagesOf(ids...)})
		for _, f := range next {
			if _, ok := texts[f.SHA256]; !ok {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("%s: %d chunks have changed, want one", name, changed)
		}
	}
	if none, _ := writtenPackages(t, new(Catalog)); len(none) != 0 {
		t.Errorf("no packages have %d chunks", len(none))
	}
}

// TestAddPackagesRefuses adds packages that do not belong to their chunks.
func TestAddPackagesRefuses(t *testing.T) {
	chunk := func(ids ...string) []Package {
		return slices.SortedFunc(slices.Values(packagesOf(ids...)), compareInChunk)
	}
	for want, tt := range map[string]struct {
		first []string
		parts [][]Package
	}{
		`no packages, want those of "a.b"`:      {[]string{"", "a.b"}, [][]Package{chunk("a.a@1.0.0"), nil}},
		"its first package is of a.c, want a.b": {[]string{"", "a.b"}, [][]Package{chunk("a.a@1.0.0"), chunk("a.c@1.0.0")}},
		"a.b follows a.c: duplicate or out of":  {[]string{"", "a.b"}, [][]Package{chunk("a.c@1.0.0"), chunk("a.b@1.0.0")}},
		"a.b follows a.b: duplicate or out of":  {[]string{"", "a.b"}, [][]Package{chunk("a.b@1.0.0"), chunk("a.b@2.0.0")}},
	} {
		files := make([]PackageFile, len(tt.first))
		for i, first := range tt.first {
			files[i].First = first
		}
		if err := new(Catalog).AddPackages(files, tt.parts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestPrivateRefuses reads main private files whose files are invalid.
func TestPrivateRefuses(t *testing.T) {
	line := func(first string, size int64) string {
		return fmt.Sprintf("{\"first\":%q,\"sha256\":\"%s\",\"size\":%d}\n", first, blob.Sum([]byte(first)), size)
	}
	if files, err := ReadPackageFiles(strings.NewReader(line("", 1) + line("a.b", 2))); err != nil || len(files) != 2 {
		t.Fatalf("got %v, %v", files, err)
	}
	for want, bad := range map[string]string{
		`the first chunk begins at "a.b"`: line("a.b", 1),
		`"a.b" follows "a.c"`:             line("", 1) + line("a.c", 1) + line("a.b", 1),
		`"a.b" follows "a.b"`:             line("", 1) + line("a.b", 1) + line("a.b", 1),
		"size: want 0 to":                 line("", MaxChunkSize+1),
		"the hash is missing":             `{"first":"","size":1}`,
		"line 2: first: want the id":      line("", 1) + line(strings.Repeat("x", maxID+1), 1),
		"more than 20000":                 strings.Repeat(" ", 0) + many(line, MaxChunks+1),
		"private file, line 2":            line("", 1) + `{"id":"x"}`,
	} {
		if _, err := ReadPackageFiles(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// many returns the lines of n files.
func many(line func(string, int64) string, n int) string {
	var text strings.Builder
	text.WriteString(line("", 1))
	for i := range n - 1 {
		text.WriteString(line(fmt.Sprintf("a.%06d", i), 1))
	}
	return text.String()
}
