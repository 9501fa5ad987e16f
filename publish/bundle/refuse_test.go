package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"galbuild/build/blob"
	"galbuild/build/history"
	"galbuild/build/site"
)

// An entry is an entry of a forged archive.
type entry struct {
	header *tar.Header
	text   []byte
}

func readEntries(t testing.TB, file string) (all []entry) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry{h, text})
	}
}

func writeEntries(t testing.TB, all []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range all {
		if e.header.Typeflag == tar.TypeReg {
			e.header.Size = int64(len(e.text))
		}
		if err := w.WriteHeader(e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// resum rewrites SHA256SUMS for the entries after it. A link has the hash of its blob.
func resum(all []entry) []entry {
	var l listing
	for _, e := range all[1:] {
		ref := blob.Sum(e.text)
		if e.header.Typeflag == tar.TypeLink {
			_ = ref.UnmarshalText([]byte(filepath.Base(e.header.Linkname))) // zero, for a bad one
		}
		l = append(l, line{ref, e.header.Name})
	}
	all[0].text = l.text()
	return all
}

// sorted sorts the entries after SHA256SUMS, and then calls resum.
func sorted(all []entry) []entry {
	slices.SortFunc(all[1:], func(a, b entry) int {
		if before(a.header.Name, b.header.Name) {
			return -1
		}
		return 1
	})
	return resum(all)
}

// clone returns a copy of an entry, whose header may be changed.
func clone(e entry) entry {
	h := *e.header
	h.Format = tar.FormatUnknown
	return entry{&h, slices.Clone(e.text)}
}

// with inserts a new entry.
func with(all []entry, at int, path string, kind byte, link, text string) []entry {
	e := clone(all[1])
	e.header.Name, e.header.Typeflag, e.header.Linkname, e.text = path, kind, link, []byte(text)
	if kind != tar.TypeReg {
		e.header.Size = 0
	}
	return slices.Insert(all, at, e)
}

// newHead replaces the head of the history, its name, and CURRENT.
func newHead(t *testing.T, all []entry, text []byte) []entry {
	t.Helper()
	head := site.Head{Number: 1, SHA256: blob.Sum(text)}
	at, current := &all[len(all)-2], &all[len(all)-1]
	at.header.Name, at.text = head.Path(), text
	lines := bytes.SplitAfter(current.text, []byte("\n"))
	c, err := site.ParseGeneration(bytes.Join(lines[:len(lines)-2], nil))
	if err != nil {
		t.Fatal(err)
	}
	current.text = site.FormatCurrent(c, head)
	return resum(all)
}

func find(all []entry, part string) int {
	return slices.IndexFunc(all, func(e entry) bool { return strings.Contains(e.header.Name, part) })
}

// TestForged imports archives that are valid except in one respect.
func TestForged(t *testing.T) {
	good := export(t, newSite(t, "one", "two"))
	target := newSite(t, "one")
	before := snapshot(t, target)
	for name, forge := range map[string]struct {
		edit func(all []entry) []entry
		want string
	}{
		"a climbing path": {func(all []entry) []entry { return with(all, 2, "blobs/../../evil", tar.TypeReg, "", "x") },
			`entry "blobs/../../evil": found instead of`},
		"a climbing path, listed": {func(all []entry) []entry { return resum(with(all, len(all)-3, "../evil", tar.TypeReg, "", "x")) },
			`the path "../evil" is absolute or leads out of the site`},
		"an absolute path": {func(all []entry) []entry { return with(all, 2, "/evil", tar.TypeReg, "", "x") },
			`entry "/evil": the path "/evil" is absolute or leads out of the site`},
		"an absolute path, listed": {func(all []entry) []entry { return resum(with(all, len(all)-3, "/evil", tar.TypeReg, "", "x")) },
			`the path "/evil" is absolute or leads out of the site`},
		"the work directory": {func(all []entry) []entry {
			return resum(with(all, len(all)-3, ".galbuild/lock", tar.TypeReg, "", "x"))
		}, `the path ".galbuild/lock" is hidden`},
		"a symlink": {func(all []entry) []entry {
			all[1].header.Typeflag, all[1].header.Linkname, all[1].text, all[1].header.Size = tar.TypeSymlink, "/etc/passwd", nil, 0
			return all
		}, "it is neither a file nor a hard link"},
		"a device": {func(all []entry) []entry {
			all[1].header.Typeflag, all[1].text, all[1].header.Size = tar.TypeChar, nil, 0
			return all
		}, "it is neither a file nor a hard link"},
		"a folder": {func(all []entry) []entry {
			all[1].header.Typeflag, all[1].text, all[1].header.Size = tar.TypeDir, nil, 0
			return all
		}, "it is neither a file nor a hard link"},
		"a link to elsewhere": {func(all []entry) []entry {
			all[find(all, "assets/")].header.Linkname = "/etc/passwd"
			return all
		}, "its tar header is not the one that galbuild writes"},
		"a link to another blob": {func(all []entry) []entry {
			all[find(all, "assets/")].header.Linkname = all[1].header.Name
			all[find(all, "LICENSE")].header.Linkname = all[1].header.Name
			return all
		}, "its tar header is not the one that galbuild writes"},
		"a file instead of a link": {func(all []entry) []entry {
			i := find(all, "assets/")
			all[i].header.Typeflag, all[i].header.Linkname, all[i].text = tar.TypeReg, "", []byte("x")
			return all
		}, "its tar header is not the one that galbuild writes"},
		"an owner": {func(all []entry) []entry { all[5].header.Uname = "root"; return all },
			"its tar header is not the one that galbuild writes"},
		"a path twice": {func(all []entry) []entry { return slices.Insert(all, 3, clone(all[2])) },
			"found instead of"},
		"a path twice, listed": {func(all []entry) []entry { return resum(slices.Insert(all, 3, clone(all[2]))) },
			"duplicate or out of order"},
		"out of order": {func(all []entry) []entry { all[1], all[2] = all[2], all[1]; return resum(all) },
			"duplicate or out of order"},
		"not listed": {func(all []entry) []entry { return with(all, len(all)-3, "news.html", tar.TypeReg, "", "x") },
			`entry "news.html": found instead of "index/`},
		"not listed, at the end": {func(all []entry) []entry { return with(all, len(all), "news.html", tar.TypeReg, "", "x") },
			`entry "news.html": it is not listed`},
		"listed, missing": {func(all []entry) []entry { return slices.Delete(all, 3, 4) },
			"the listed file is missing"},
		"listed, missing at the end": {func(all []entry) []entry { return all[:len(all)-1] },
			"index/CURRENT: it is listed, but the archive is truncated before it"},
		"different content": {func(all []entry) []entry { all[1].text = []byte("evil"); return all },
			"its SHA-256 is"},
		"different content, listed": {func(all []entry) []entry { all[1].text = []byte("evil"); return resum(all) },
			"is not that of a blob with this SHA-256"},
		"another response, listed": {func(all []entry) []entry {
			for i := range all {
				if strings.HasSuffix(all[i].header.Name, "/two/latest") {
					all[i].text = []byte("evil")
				}
			}
			return resum(all)
		}, "two/latest: its content differs from what is derived from the catalogue"},
		"a response too many": {func(all []entry) []entry {
			return sorted(with(all, find(all, "/two/latest"), "api/vscode/acme/three/latest", tar.TypeReg, "", "x"))
		}, "three/latest: it is not derived from the catalogue"},
		"a file too many": {func(all []entry) []entry {
			return sorted(with(all, find(all, "item/"), "item/evil.html", tar.TypeReg, "", "x"))
		}, "item/evil.html: the index does not list this file"},
		"a blob too many": {func(all []entry) []entry {
			return resum(with(all, find(all, "assets/"), "blobs/sha256/ff/"+blob.Sum([]byte("1077")).String(), tar.TypeReg, "", "1077"))
		}, "is not that of a blob with this SHA-256"},
		"a file too few": {func(all []entry) []entry {
			i := find(all, "LICENSE")
			return resum(slices.Delete(all, i, i+1))
		}, "blobs, and the archive has"},
		"no generation": {func(all []entry) []entry { return resum(all[:len(all)-4]) },
			"where the head of the history should be"},
		"two generations": {func(all []entry) []entry {
			return resum(with(all, len(all)-4, "index/0000000000000000/gallery.v2.idx.zst", tar.TypeReg, "", "x"))
		}, "belongs to no generation"},
		"another catalogue": {func(all []entry) []entry { all[len(all)-4].text = []byte("evil"); return resum(all) },
			"where a generation should have"},
		"no head": {func(all []entry) []entry { return resum(slices.Delete(all, len(all)-2, len(all)-1)) },
			"where the head of the history should be"},
		"another head": {func(all []entry) []entry { all[len(all)-2].text = []byte("evil"); return resum(all) },
			"where the head of the history should be"},
		"an evil head": {func(all []entry) []entry { return newHead(t, all, []byte("evil")) },
			"lines are missing, unknown or in another order"},
		"the head of another generation": {func(all []entry) []entry {
			head, err := history.ParseHead(all[len(all)-2].text)
			if err != nil {
				t.Fatal(err)
			}
			head.Catalog = blob.Sum(nil)
			return newHead(t, all, head.File())
		}, "is the head of generation"},
		"an entry": {func(all []entry) []entry {
			return resum(with(all, len(all)-1, "private/history/1-0000000000000000.json", tar.TypeReg, "", "x"))
		}, "where a generation should have"},
		"names that differ in case": {func(all []entry) []entry {
			return sorted(with(all, find(all, "item/"), "INDEX.html", tar.TypeReg, "", "x"))
		}, `"INDEX.html" and "index.html" differ only in case`},
		"a folder that differs in case": {func(all []entry) []entry {
			return sorted(with(all, find(all, "item/"), "Blobs/x", tar.TypeReg, "", "x"))
		}, `"Blobs/x" is in the folder of the blobs`},
		"an index that differs in case": {func(all []entry) []entry {
			return sorted(with(all, find(all, "item/"), "Index/x", tar.TypeReg, "", "x"))
		}, `"Index/x" belongs to no generation`},
		"a file that is a folder": {func(all []entry) []entry {
			return sorted(with(all, find(all, "item/"), "index.html/x", tar.TypeReg, "", "x"))
		}, "is a file and also a folder"},
		"a listing that is not one": {func(all []entry) []entry { all[0].text = []byte("evil\n"); return all },
			"SHA256SUMS: line 1: not of the form"},
		"no listing": {func(all []entry) []entry { return all[1:] },
			"found instead of \"SHA256SUMS\""},
	} {
		t.Run(name, func(t *testing.T) {
			all := forge.edit(readEntries(t, good))
			_, err := Import(t.Context(), ImportConfig{Stream: bytes.NewReader(writeEntries(t, all)), Site: target})
			if err == nil || !strings.Contains(err.Error(), forge.want) {
				t.Errorf("got %v, want %q", err, forge.want)
			}
			compare(t, snapshot(t, target), before)
		})
	}
}

// TestHugeSizes imports archives whose headers state impossible sizes.
func TestHugeSizes(t *testing.T) {
	all := readEntries(t, export(t, newSite(t, "one")))
	for _, size := range []int64{1 << 30, 1 << 42, 1<<63 - 1} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, e := range all[:1] {
			if err := errors.Join(w.WriteHeader(e.header)); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(e.text); err != nil {
				t.Fatal(err)
			}
		}
		huge := clone(all[1])
		huge.header.Size = size
		if err := w.WriteHeader(huge.header); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "g.tar")
		if err := os.WriteFile(file, append(b.Bytes(), make([]byte, 4096)...), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Import(t.Context(), ImportConfig{Archive: file, Site: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), huge.header.Name+": its header states") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestBomb imports a compressed archive with a very high compression ratio.
func TestBomb(t *testing.T) {
	zeros := make([]byte, 1<<20)
	for name, pack := range map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	} {
		var b bytes.Buffer
		z := pack(&b)
		w := tar.NewWriter(z)
		if err := w.WriteHeader(header(SumsName, "", 400<<20, seconds(testTime))); err != nil {
			t.Fatal(err)
		}
		for range 400 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(t.Context(), ImportConfig{Stream: &b, Site: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "more than 200 times") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFlippedBits flips bits all over an archive, with and without a listing next to it.
func TestFlippedBits(t *testing.T) {
	root, target := newSite(t, "one"), newSite(t, "two")
	before := snapshot(t, target)
	for _, name := range []string{"g.tar", "g.tar.zst", "g.tar.gz"} {
		file := filepath.Join(t.TempDir(), name)
		mustExport(t, ExportConfig{Site: root, Output: file})
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(good); at += 1 + len(good)/60 {
			bad := slices.Clone(good)
			bad[at] ^= 1 << (at % 8)
			if err := os.WriteFile(file, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Import(t.Context(), ImportConfig{Archive: file, Site: target})
			if err == nil || !strings.Contains(err.Error(), name+": its SHA-256 is") {
				t.Errorf("%s, byte %d: %v", name, at, err)
			}
			if name != "g.tar" {
				continue
			}
			_, err = Import(t.Context(), ImportConfig{Stream: bytes.NewReader(bad), Site: target})
			if _, ok := errors.AsType[*FormatError](err); !ok {
				t.Errorf("%s alone, byte %d: %v", name, at, err)
			}
		}
		compare(t, snapshot(t, target), before)
	}
}

// TestTruncated imports truncated archives, and archives followed by other data.
func TestTruncated(t *testing.T) {
	root, target := newSite(t, "one"), filepath.Join(t.TempDir(), "target")
	for _, name := range []string{"g.tar", "g.tar.gz", "g.tar.zst"} {
		file := filepath.Join(t.TempDir(), name)
		mustExport(t, ExportConfig{Site: root, Output: file})
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var broken [][]byte
		for n := 0; n < len(good); n += 1 + len(good)/30 {
			broken = append(broken, good[:n])
		}
		broken = append(broken, good[:len(good)-1], slices.Concat(good, []byte("x")), slices.Concat(good, make([]byte, 512)), slices.Concat(good, good))
		for _, b := range broken {
			_, err := Import(t.Context(), ImportConfig{Stream: bytes.NewReader(b), Site: target})
			if _, ok := errors.AsType[*FormatError](err); !ok {
				t.Errorf("%s, %d bytes of %d: %v", name, len(b), len(good), err)
			}
			if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("%d bytes: %s was made", len(b), target)
			}
		}
	}
}

func TestParts(t *testing.T) {
	dir, other, target := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "target")
	file := filepath.Join(dir, "g.tar")
	parts := mustExport(t, ExportConfig{Site: newSite(t, "one", "two"), Output: file, Split: 20_000}).Parts
	mustExport(t, ExportConfig{Site: newSite(t, "one", "six"), Output: filepath.Join(other, "g.tar"), Split: 20_000})
	if len(parts) < 3 {
		t.Fatalf("only %d parts", len(parts))
	}
	second := filepath.Join(dir, parts[1].Name)
	text, err := os.ReadFile(second)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(filepath.Join(other, parts[1].Name))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what, want string) {
		t.Helper()
		_, err := Import(t.Context(), ImportConfig{Archive: file, Site: target})
		if _, ok := errors.AsType[*FormatError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	refused("a missing part", parts[1].Name+": this part is missing")
	if err := os.WriteFile(second, foreign, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("a part of another export", parts[1].Name+": its SHA-256 is")
	sums := file + SumsSuffix
	if err := os.Remove(sums); err != nil {
		t.Fatal(err)
	}
	refused("the same without the sums", "")
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	refused("a missing part without the sums", "truncated")
	if err := os.WriteFile(second, text, 0o644); err != nil {
		t.Fatal(err)
	}
	mustImport(t, ImportConfig{Archive: file, Site: target})
	for what, text := range map[string]string{"empty": "", "evil": "evil", "climbing": parts[0].SHA256.String() + "  ../g.tar\n",
		"a part twice": parts[0].SHA256.String() + "  g.tar.001\n" + parts[0].SHA256.String() + "  g.tar.001\n"} {
		if err := os.WriteFile(sums, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		refused(what, "g.tar"+SumsSuffix+": ")
	}
}
