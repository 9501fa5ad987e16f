package site_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
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

// chunksOf writes the chunks of a catalogue, and returns their files. Those of the index have any
// content.
func chunksOf(t testing.TB, c *catalog.Catalog, put func(path string, text []byte) error) (files []catalog.ChunkFiles) {
	t.Helper()
	for _, chunk := range c.Chunks() {
		lines, err := site.CompressLines(chunk)
		index := []byte("chunk of an index " + chunk.First)
		f := catalog.ChunkFiles{
			First: chunk.First,
			Lines: catalog.ChunkFile{SHA256: blob.Sum(lines), Size: int64(len(lines))},
			Index: []catalog.IndexChunk{{ChunkFile: catalog.ChunkFile{SHA256: blob.Sum(index), Size: int64(len(index))}}},
		}
		err = errors.Join(err, put(catalog.LinesPath(f.Lines.SHA256), lines), put(catalog.IndexChunkPath(f.Index[0].SHA256), index))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func write(t *testing.T, dir *site.Dir, c *catalog.Catalog, index string) site.Current {
	t.Helper()
	main, err := site.CompressMain(c, chunksOf(t, c, dir.WriteFile))
	if err != nil {
		t.Fatal(err)
	}
	var private []byte
	if c.HasPrivate() {
		packages, err := site.CompressPackages(c, dir.WriteFile)
		if err != nil {
			t.Fatal(err)
		}
		if private, err = site.CompressPrivate(c, packages); err != nil {
			t.Fatal(err)
		}
	}
	current, err := dir.WriteGeneration(main, func(w io.Writer) error { _, err := io.WriteString(w, index); return err }, private)
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

// damage changes a file of a site: to nothing, which removes it, or to another text.
func damage(t *testing.T, dir *site.Dir, path string, change func(text []byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(dir.Path(path))
	if err := errors.Join(err, os.Remove(dir.Path(path))); err != nil {
		t.Fatal(err)
	}
	if text = change(text); text == nil {
		return
	}
	if err := os.WriteFile(dir.Path(path), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Changes for damage.
var (
	flipped = func(text []byte) []byte { text[len(text)/2] ^= 1; return text }
	shorter = func(text []byte) []byte { return text[:len(text)-1] }
	longer  = func(text []byte) []byte { return append(text, 0) }
	missing = func([]byte) []byte { return nil }
)

// TestReadCatalogDamaged damages the files of a catalogue. Errors name the file.
func TestReadCatalogDamaged(t *testing.T) {
	for name, tt := range map[string]struct {
		change func([]byte) []byte
		main   string // the error if it happens to the main file of the catalogue
		chunk  string // the error if it happens to a chunk
	}{
		"flipped": {flipped, "SHA-256 is", "SHA-256 is"},
		"shorter": {shorter, "SHA-256 is", " bytes, want "},
		"longer":  {longer, "SHA-256 is", "file too long"},
		"missing": {missing, "no such file", "no such file"},
	} {
		dir := lock(t, t.TempDir())
		current := write(t, dir, sample(), "index")
		files, err := site.ReadChunks(dir.Root, current)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{current.CatalogPath(): tt.main, catalog.LinesPath(files[0].Lines.SHA256): tt.chunk} {
			text, err := os.ReadFile(dir.Path(path))
			if err != nil {
				t.Fatal(err)
			}
			damage(t, dir, path, tt.change)
			_, err = site.ReadCatalog(dir.Root, current)
			if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %s: %v, want %s", name, path, err, want)
			}
			if err := os.WriteFile(dir.Path(path), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := site.ReadCatalog(dir.Root, current); err != nil {
			t.Error(err)
		}
	}
}

// TestHasGeneration damages the files of a generation. Sizes are compared, but not bytes.
func TestHasGeneration(t *testing.T) {
	dir := lock(t, t.TempDir())
	current := write(t, dir, sample(), "index")
	if !dir.HasGeneration(current.Generation) || dir.HasGeneration("") || dir.HasGeneration("0123456789abcdef") {
		t.Fatal("HasGeneration is wrong about a sound site")
	}
	files, err := site.ReadChunks(dir.Root, current)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{current.CatalogPath(): "", current.IndexPath(): "longer flipped"} // changes that are not noticed
	for path := range catalog.AllChunkFiles(files) {
		kept[path] = "flipped"
	}
	if len(kept) != 4 {
		t.Fatal(kept)
	}
	for path, unnoticed := range kept {
		for name, change := range map[string]func([]byte) []byte{"missing": missing, "longer": longer, "flipped": flipped} {
			text, err := os.ReadFile(dir.Path(path))
			if err != nil {
				t.Fatal(err)
			}
			damage(t, dir, path, change)
			if got, want := dir.HasGeneration(current.Generation), strings.Contains(unnoticed, name); got != want {
				t.Errorf("%s %s: got %t, want %t", path, name, got, want)
			}
			if err := os.WriteFile(dir.Path(path), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
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
	old := strings.Replace(text, "gallery.v2.idx.zst", "gallery.v1.idx", 1)
	const other = "index/CURRENT: made by another version of galbuild: it names gallery.v1.idx, this program reads gallery.v2.idx.zst"
	if _, _, err := site.ParseCurrent([]byte(old)); !errors.Is(err, catalog.ErrFormat) || err.Error() != other {
		t.Errorf("of another format: %v, want %s", err, other)
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

// compressed returns the main file of a catalogue, and the files of its chunks by path.
func compressed(t testing.TB, c *catalog.Catalog) (main []byte, chunks map[string][]byte) {
	t.Helper()
	chunks = make(map[string][]byte)
	files := chunksOf(t, c, func(path string, text []byte) error { chunks[path] = text; return nil })
	main, err := site.CompressMain(c, files)
	if err != nil {
		t.Fatal(err)
	}
	return main, chunks
}

// FuzzDecompressCatalog reads a main file, and the lines of a chunk with the hash in it.
func FuzzDecompressCatalog(f *testing.F) {
	main, chunks := compressed(f, sample())
	for path, text := range chunks {
		if strings.HasSuffix(path, ".jsonl.zst") {
			f.Add(main, text)
		}
	}
	f.Add([]byte("no zstd"), []byte("no zstd"))
	f.Fuzz(func(t *testing.T, main, lines []byte) {
		c, _, err := site.DecompressMain(main)
		if err == nil { // make the chunk the only one
			files := []catalog.ChunkFiles{{Lines: catalog.ChunkFile{SHA256: blob.Sum(lines), Size: int64(len(lines))}}}
			if main, err = site.CompressMain(c, files); err != nil {
				t.Fatalf("a main file that was read cannot be written: %v", err)
			}
		}
		c, _, err = site.DecompressCatalog(main, func(string, catalog.ChunkFile) ([]byte, error) { return lines, nil })
		if err != nil {
			return
		}
		if err := c.Write(io.Discard); err != nil {
			t.Errorf("a catalogue that was read cannot be written: %v", err)
		}
	})
}

// TestDecompressCatalog has chunks that are not those of the main file. Errors name the chunk.
func TestDecompressCatalog(t *testing.T) {
	c := manyExtensions(600)
	main, chunks := compressed(t, c)
	_, files, err := site.DecompressMain(main)
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	read := func(_ string, f catalog.ChunkFile) ([]byte, error) { return chunks[catalog.LinesPath(f.SHA256)], nil }
	if got, gotFiles, err := site.DecompressCatalog(main, read); err != nil || !reflect.DeepEqual(got, c) || !reflect.DeepEqual(gotFiles, files) {
		t.Fatalf("a sound catalogue: %v", err)
	}
	second := files[1].Lines.SHA256
	for name, tt := range map[string]struct {
		files []catalog.ChunkFiles
		get   func(path string, f catalog.ChunkFile) ([]byte, error)
		want  string
	}{
		"missing": {files, func(path string, f catalog.ChunkFile) ([]byte, error) {
			if f.SHA256 == second {
				return nil, fs.ErrNotExist
			}
			return read(path, f)
		}, catalog.LinesPath(second) + ": file does not exist"},
		"other bytes": {files, func(path string, f catalog.ChunkFile) ([]byte, error) {
			text, err := read(path, f)
			if f.SHA256 == second {
				text = flipped(slices.Clone(text))
			}
			return text, err
		}, catalog.LinesPath(second) + ": SHA-256 is "},
		"too long": {files, func(path string, f catalog.ChunkFile) ([]byte, error) {
			text, err := read(path, f)
			return append(slices.Clip(text), 0), err
		}, " bytes, want "},
		"exchanged": {exchanged(files), read, "its first extension is "},
		"repeated":  {repeated(files), read, "its first extension is "},
		"too large": {large(files), read, "its chunks have more than 536870912 compressed bytes"},
	} {
		main, err := site.CompressMain(c, tt.files)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := site.DecompressCatalog(main, tt.get); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestChunks reads two catalogues that share all chunks but one, and have other statistics. Each
// chunk is read once, and a chunk that could not be read is read again.
func TestChunks(t *testing.T) {
	c := manyExtensions(600)
	main, chunks := compressed(t, c)
	other := *c
	other.Extensions = slices.Clone(c.Extensions[:len(c.Extensions)-1])
	for i := range other.Extensions[:3] {
		e := &other.Extensions[i]
		e.Versions = slices.Clone(e.Versions)
		e.Versions[0].Sidecar = &catalog.Sidecar{Statistics: &catalog.Statistics{Install: int64(i + 1)}}
		e.SetStatistics()
	}
	otherMain, more := compressed(t, &other)
	maps.Copy(chunks, more)
	var all site.Chunks
	var read sync.Map
	failing := func(path string, f catalog.ChunkFile) ([]byte, error) { return nil, fs.ErrNotExist }
	get := func(path string, f catalog.ChunkFile) ([]byte, error) {
		if _, again := read.LoadOrStore(path, true); again {
			t.Errorf("%s is read again", path)
		}
		return chunks[path], nil
	}
	if _, _, err := all.DecompressCatalog(main, failing); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for range 2 {
		first, files, err := all.DecompressCatalog(main, get)
		if err != nil || !reflect.DeepEqual(first, c) {
			t.Errorf("%d files: %v", len(files), err)
		}
		second, _, err := all.DecompressCatalog(otherMain, get)
		if err != nil || !reflect.DeepEqual(second, &other) {
			t.Error(err)
		}
		if !reflect.DeepEqual(first, c) {
			t.Error("reading the second catalogue has changed the first one")
		}
	}
}

// exchanged exchanges the content of two chunks.
func exchanged(files []catalog.ChunkFiles) []catalog.ChunkFiles {
	files = slices.Clone(files)
	files[1].Lines, files[2].Lines = files[2].Lines, files[1].Lines
	return files
}

// repeated has the same content in two chunks.
func repeated(files []catalog.ChunkFiles) []catalog.ChunkFiles {
	files = slices.Clone(files)
	files[2].Lines = files[1].Lines
	return files
}

// large has chunks that are too large only together.
func large(files []catalog.ChunkFiles) []catalog.ChunkFiles {
	files = slices.Clone(files)
	files[0].Lines.Size, files[1].Lines.Size = site.MaxCompressedCatalog, 1
	return files
}

// manyExtensions returns a catalogue with n extensions.
func manyExtensions(n int) *catalog.Catalog {
	c := sample()
	c.Records = nil
	one := c.Extensions[0]
	c.Extensions = nil
	for i := range n {
		one.Name = fmt.Sprintf("hello%06d", i)
		c.Extensions = append(c.Extensions, one)
	}
	return c
}

// zipped compresses a text that is followed by 80 MiB.
func zipped(t *testing.T, text, repeated string) []byte {
	t.Helper()
	var packed bytes.Buffer
	enc, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(enc, text)
	mebibyte := strings.Repeat(repeated, 1<<20/len(repeated))
	for range 80 {
		io.WriteString(enc, mebibyte)
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// TestCatalogBomb checks that the small files of a catalogue cannot expand without limit, in a line
// of spaces or of text.
func TestCatalogBomb(t *testing.T) {
	const want = "more than 67108864 bytes, the limit"
	for name, repeated := range map[string]string{"spaces": " ", "text": `{"name":"aaaaaaaaaaaaaaaaaaaa"`} {
		bomb := zipped(t, `{"galbuild":4,"render":1,"chunks":1}`+"\n", repeated)
		if _, _, err := site.DecompressCatalog(bomb, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the main file, %d bytes that expand to 80 MiB: %v", name, len(bomb), err)
		}
		bomb = zipped(t, "", repeated)
		files := []catalog.ChunkFiles{{Lines: catalog.ChunkFile{SHA256: blob.Sum(bomb), Size: int64(len(bomb))}}}
		main, err := site.CompressMain(new(catalog.Catalog), files)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = site.DecompressCatalog(main, func(string, catalog.ChunkFile) ([]byte, error) { return bomb, nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: a chunk, %d bytes that expand to 80 MiB: %v", name, len(bomb), err)
		}
	}
}

// TestChunkBombs has chunks of which each expands to less than the limit, but not all together.
func TestChunkBombs(t *testing.T) {
	c := manyExtensions(1)
	c.Extensions[0].Versions[0].Description = strings.Repeat("a", 9<<20)
	bomb, err := site.CompressLines(catalog.Chunk{Extensions: c.Extensions})
	if err != nil {
		t.Fatal(err)
	}
	file := catalog.ChunkFile{SHA256: blob.Sum(bomb), Size: int64(len(bomb))}
	var files []catalog.ChunkFiles
	for i := range 10 {
		files = append(files, catalog.ChunkFiles{First: strings.Repeat("a", i), Lines: file})
	}
	main, err := site.CompressMain(new(catalog.Catalog), files)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = site.DecompressCatalog(main, func(string, catalog.ChunkFile) ([]byte, error) { return bomb, nil })
	if err == nil || !strings.Contains(err.Error(), "more than 67108864 bytes, the limit") {
		t.Errorf("10 chunks that expand to 9 MiB each: %v", err)
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
