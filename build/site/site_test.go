package site_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

func sample() *catalog.Catalog {
	when := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	file := catalog.File{Ref: blob.Sum([]byte("package")), Size: 7, Type: "application/octet-stream"}
	r := catalog.Record{Kind: "removed", Subject: catalog.Subject{ID: catalog.ID{Extension: "acme.notes"}}, Counter: 1, When: when, Private: &catalog.Private{By: "alice"}}
	var err error
	if r.ID, err = r.Identity(); err != nil {
		panic(err)
	}
	return &catalog.Catalog{
		Records:  []catalog.Record{r},
		Settings: catalog.Settings{Render: 1, BaseURL: "https://gal.example", Unpack: "web"},
		Extensions: []catalog.Extension{{
			Publisher: catalog.Publisher{ID: "11111111-2222-3333-4444-555555555555", Name: "Acme", DisplayName: "Acme"}, Name: "hello", UUID: "11111111-2222-3333-4444-555555555555",
			Released: when, Published: when, Updated: when,
			Versions: []catalog.Version{{Version: "1.0.0", DisplayName: "Hello <3", Updated: when, Package: file,
				Assets: []catalog.Asset{{Type: catalog.PackageAsset, File: file}}}},
		}},
	}
}

func lock(t *testing.T, root string) *site.Dir {
	t.Helper()
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

func privateWriter(c *catalog.Catalog) func(io.Writer) error {
	if !c.HasPrivate() {
		return nil
	}
	return func(w io.Writer) error { return site.WritePrivate(w, c) }
}

func write(t *testing.T, dir *site.Dir, c *catalog.Catalog, index string) site.Current {
	t.Helper()
	current, err := dir.WriteGeneration(
		func(w io.Writer) error { return site.WriteCatalog(w, c) },
		func(w io.Writer) error { _, err := io.WriteString(w, index); return err },
		privateWriter(c),
	)
	if err != nil {
		t.Fatal(err)
	}
	return current
}

func TestGeneration(t *testing.T) {
	root := t.TempDir()
	dir := lock(t, root)
	if c, err := site.ReadCurrent(root); err != nil || !c.IsZero() {
		t.Fatalf("an empty folder has the generation %v, %v", c, err)
	}
	want := sample()
	current := write(t, dir, want, "index")
	if c, err := site.ReadCurrent(root); err != nil || !c.IsZero() {
		t.Fatalf("a generation is current before Switch: %v, %v", c, err)
	}
	if err := dir.Switch(t.Context(), current, head); err != nil {
		t.Fatal(err)
	}
	if c, err := site.ReadCurrent(root); err != nil || c != current {
		t.Fatalf("ReadCurrent = %v, %v; want %v", c, err, current)
	}
	got, err := site.ReadCatalog(root, current)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("ReadCatalog = %+v, %v; want %+v", got, err, want)
	}
	if again := write(t, dir, want, "index"); again != current {
		t.Errorf("the same content has the generations %v and %v", current, again)
	}
}

func TestReadCatalogDamaged(t *testing.T) {
	root := t.TempDir()
	dir := lock(t, root)
	current := write(t, dir, sample(), "index")
	file := dir.Path(current.CatalogPath())
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := errors.Join(os.Remove(file), os.WriteFile(file, text, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := site.ReadCatalog(root, current); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a damaged catalogue: %v", err)
	}
}

// TestReadPrivate checks when the private parts of records may be missing.
func TestReadPrivate(t *testing.T) {
	root := t.TempDir()
	dir := lock(t, root)
	current := write(t, dir, sample(), "index")
	file := dir.Path(current.PrivatePath())
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := site.ReadCatalog(root, current); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without its private parts, a site is read: %v", err)
	}
	if err := dir.SetPublicOnly(true); err != nil {
		t.Fatal(err)
	}
	if c, err := site.ReadCatalog(root, current); err != nil || len(c.Records) != 1 || c.HasPrivate() {
		t.Errorf("a copy of what is public: %+v, %v", c, err)
	}
	text[len(text)-1] ^= 1
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := site.ReadCatalog(root, current); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("damaged private parts: %v", err)
	}
}

func TestLockIsExclusive(t *testing.T) {
	root := t.TempDir()
	first := lock(t, root)
	if _, err := site.Lock(root); !errors.Is(err, site.ErrLocked) {
		t.Fatalf("second lock: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	lock(t, root)
}

func TestDirty(t *testing.T) {
	root := t.TempDir()
	first := lock(t, root)
	if first.Dirty {
		t.Error("a new site is dirty")
	}
	if err := errors.Join(first.MarkDirty(), first.Close()); err != nil { // as if killed
		t.Fatal(err)
	}
	second := lock(t, root)
	if !second.Dirty {
		t.Error("a site is not dirty after its builder was killed")
	}
	if err := errors.Join(second.MarkDirty(), second.ClearDirty(), second.Close()); err != nil {
		t.Fatal(err)
	}
	if lock(t, root).Dirty {
		t.Error("a site is dirty after its builder has finished")
	}
}

// head is the head of some history.
var head = site.Head{Number: 12, SHA256: blob.Sum([]byte("head"))}

func TestParseCurrent(t *testing.T) {
	private := site.MakeCurrent(blob.Sum([]byte("a")), blob.Sum([]byte("b")), blob.Sum([]byte("c")))
	withPrivate := string(site.FormatCurrent(private, head))
	if c, h, err := site.ParseCurrent([]byte(withPrivate)); err != nil || c != private || h != head || len(c.Files()) != 3 {
		t.Errorf("ParseCurrent(FormatCurrent()) = %v, %v, %v", c, h, err)
	}
	lines := strings.SplitAfter(withPrivate, "\n")
	if c, _, err := site.ParseCurrent([]byte(lines[0] + lines[1] + lines[3])); err == nil {
		t.Errorf("without the line of the private file, CURRENT is %v", c)
	}
	const want = "its last line does not name the head of the history"
	if _, _, err := site.ParseCurrent(private.Bytes()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("without the line of the head: %v", err)
	}
	good := site.MakeCurrent(blob.Sum([]byte("a")), blob.Sum([]byte("b")), blob.Ref{})
	text := string(site.FormatCurrent(good, head))
	if c, h, err := site.ParseCurrent([]byte(text)); err != nil || c != good || h != head {
		t.Errorf("ParseCurrent(FormatCurrent()) = %v, %v, %v", c, h, err)
	}
	half, _, _ := strings.Cut(text, "\n")
	for name, bad := range map[string]string{
		"empty": "", "half": half + "\n", "no newline": text[:len(text)-1], "other hash": strings.Replace(text, text[:8], "00000000", 1),
		"climbing": strings.ReplaceAll(text, "index/", "../index/"), "twice": text + text,
		"no head": string(good.Bytes()), "head first": lines[3] + string(good.Bytes()), "two heads": text + lines[3],
		"other hash of the head": strings.Replace(text, head.SHA256.String()[:20], strings.Repeat("0", 20), 1),
		"zero":                   strings.Replace(text, "/12-", "/0-", 1), "leading zero": strings.Replace(text, "/12-", "/012-", 1),
		"large": strings.Replace(text, "/12-", "/"+strings.Repeat("9", 30)+"-", 1),
	} {
		if c, _, err := site.ParseCurrent([]byte(bad)); err == nil {
			t.Errorf("%s: parsed as %v", name, c)
		}
	}
	if c, err := site.ParseGeneration(private.Bytes()); err != nil || c != private {
		t.Errorf("ParseGeneration(Bytes()) = %v, %v", c, err)
	}
}

func FuzzParseCurrent(f *testing.F) {
	f.Add(site.FormatCurrent(site.MakeCurrent(blob.Sum([]byte("a")), blob.Sum([]byte("b")), blob.Ref{}), head))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, h, err := site.ParseCurrent(text); err == nil && string(site.FormatCurrent(c, h)) != string(text) {
			t.Errorf("%q was parsed as %q", text, site.FormatCurrent(c, h))
		}
	})
}

func FuzzDecompressCatalog(f *testing.F) {
	var packed bytes.Buffer
	if err := site.WriteCatalog(&packed, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add([]byte("no zstd"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := site.DecompressCatalog(text)
		if err != nil {
			return
		}
		if err := c.Write(io.Discard); err != nil {
			t.Errorf("a catalogue that was read cannot be written: %v", err)
		}
	})
}

// TestCatalogBomb checks that a small compressed catalogue cannot expand without limit, in a line
// of spaces or of text.
func TestCatalogBomb(t *testing.T) {
	for name, bomb := range map[string]string{"spaces": " ", "text": `{"name":"aaaaaaaaaaaaaaaaaaaa"`} {
		var packed bytes.Buffer
		enc, err := zstd.NewWriter(&packed)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(enc, `{"galbuild":2,"render":1}`+"\n")
		mebibyte := strings.Repeat(bomb, 1<<20/len(bomb))
		for range 80 {
			io.WriteString(enc, mebibyte)
		}
		if err := enc.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := site.DecompressCatalog(packed.Bytes()); err == nil || !strings.Contains(err.Error(), "more than 67108864 bytes, the limit") {
			t.Errorf("%s: %d bytes that expand to 80 MiB: %v", name, packed.Len(), err)
		}
	}
}

// TestRequireCurrent has folders without a generation.
func TestRequireCurrent(t *testing.T) {
	root := t.TempDir()
	dir := lock(t, root)
	_, _, err := site.Read(root)
	for _, err := range []error{err, func() error { _, err := site.RequireCurrent(root); return err }()} {
		if want := root + " is not a site: it has no index/CURRENT"; !errors.Is(err, site.ErrNoGeneration) || err.Error() != want {
			t.Errorf("an empty site: got %v, want %s", err, want)
		}
	}
	want := write(t, dir, sample(), "index")
	if err := dir.Switch(t.Context(), want, head); err != nil {
		t.Fatal(err)
	}
	if got, err := site.RequireCurrent(root); err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestGenerations(t *testing.T) {
	dir := lock(t, t.TempDir())
	var want []string
	for i := range 3 {
		c := write(t, dir, sample(), fmt.Sprint("index", i))
		want = append(want, c.Generation)
	}
	if err := os.Mkdir(filepath.Join(dir.Root, "index", "history"), 0o755); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	if got, err := dir.Generations(); err != nil || !slices.Equal(got, want) {
		t.Errorf("Generations() = %v, %v; want %v", got, err, want)
	}
}
