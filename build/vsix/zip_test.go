package vsix

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// entry is an entry of an archive. change may set wrong values in its header.
type entry struct {
	name, content string
	change        func(*zip.FileHeader)
}

// packageJSON is the only entry that a package must have.
var packageJSON = entry{name: "extension/package.json", content: `{"name":"hello","publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.90.0"}}`}

// pack returns an archive, written with the standard library, which the package under test does not
// use.
func pack(t testing.TB, entries []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		if err := add(z, e); err != nil {
			t.Fatalf("%q: %v", e.name, err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func add(z *zip.Writer, e entry) error {
	h := &zip.FileHeader{
		Name: e.name, Method: zip.Deflate,
		CRC32: crc32.ChecksumIEEE([]byte(e.content)), UncompressedSize64: uint64(len(e.content)),
	}
	if e.change != nil {
		e.change(h)
	}
	compressed := []byte(e.content)
	switch {
	case h.Method == zip.Deflate && e.content == "":
		h.Method = zip.Store // as in the entries of folders
	case h.Method == zip.Deflate:
		compressed = deflate(compressed)
	}
	h.CompressedSize64 = uint64(len(compressed))
	w, err := z.CreateRaw(h)
	if err == nil && len(compressed) > 0 {
		_, err = w.Write(compressed)
	}
	return err
}

func deflate(b []byte) []byte {
	var compressed bytes.Buffer
	w, _ := flate.NewWriter(&compressed, flate.BestSpeed)
	w.Write(b)
	w.Close()
	return compressed.Bytes()
}

// TestRefusedArchives has archives with one mistake each.
func TestRefusedArchives(t *testing.T) {
	text := strings.Repeat("text ", 100)
	with := func(name, content string, change func(*zip.FileHeader)) []byte {
		return pack(t, []entry{packageJSON, {name, content, change}})
	}
	valid := with("extension/a", text, nil)
	damaged := bytes.Clone(valid)
	copy(damaged[bytes.Index(damaged, []byte("extension/a"))+len("extension/a"):], "\xff\xff\xff")

	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"empty":         {nil, "empty file"},
		"html":          {[]byte("\n<!doctype html><title>Sign in</title>"), "an HTML page"},
		"gzip":          {[]byte("\x1f\x8b\x08\x00rest"), "gzip data"},
		"json":          {[]byte(`{"error":1}`), "JSON text"},
		"other":         {[]byte("MZ\x90\x00"), `it begins with "MZ`},
		"cut off":       {valid[:len(valid)/2], "cut off or damaged"},
		"trailing":      {append(bytes.Clone(valid), "junk"...), "other bytes follow"},
		"no extension":  {pack(t, nil), `no entry "extension/package.json"`},
		"damaged":       {damaged, `entry "extension/a": compressed data`},
		"encrypted":     {with("x", text, func(h *zip.FileHeader) { h.Flags |= 1 }), "encrypted"},
		"bzip2":         {with("x", text, func(h *zip.FileHeader) { h.Method = 12 }), "compressed with bzip2"},
		"method":        {with("x", text, func(h *zip.FileHeader) { h.Method = 77 }), "unknown method 77"},
		"link":          {with("x", "/etc/passwd", func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }), `entry "x": symbolic link to "/etc/passwd", an absolute path`},
		"device":        {with("x", "", func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o600) }), "special file"},
		"full folder":   {with("x", text, func(h *zip.FileHeader) { h.SetMode(fs.ModeDir | 0o700) }), "special file"},
		"crc":           {with("x", text, func(h *zip.FileHeader) { h.CRC32++ }), "CRC-32 is"},
		"crc zero":      {with("x", text, func(h *zip.FileHeader) { h.CRC32 = 0 }), "but the directory gives 00000000"},
		"stored crc":    {with("x", text, func(h *zip.FileHeader) { h.Method, h.CRC32 = zip.Store, 1 }), "CRC-32 is"},
		"too long":      {with("x", text, func(h *zip.FileHeader) { h.UncompressedSize64-- }), "more than the 499 bytes"},
		"claims none":   {with("x", text, func(h *zip.FileHeader) { h.UncompressedSize64 = 0 }), "more than the 0 bytes"},
		"too short":     {with("x", text, func(h *zip.FileHeader) { h.UncompressedSize64++ }), "has 500 bytes, but the directory gives 501"},
		"ratio":         {with("x", strings.Repeat(" ", 2<<20), nil), "more than the limit of 200 times"},
		"entry size":    {with("x", text, func(h *zip.FileHeader) { h.UncompressedSize64 = 1<<30 + 1 }), "1073741825 uncompressed bytes, more than the limit of 1073741824"},
		"entry size 64": {with("x", text, func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 63 }), "9223372036854775808 uncompressed bytes"},
		"name bytes":    {with("extension/\xff", "", func(h *zip.FileHeader) { h.Flags |= 0x800 }), "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := openAndWalk(c.archive)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if _, ok := errors.AsType[*FormatError](err); !ok {
				t.Errorf("error %v is a %T, want a FormatError", err, err)
			}
		})
	}
}

func TestAcceptedArchives(t *testing.T) {
	with := func(change func(*zip.FileHeader)) []byte {
		return pack(t, []entry{packageJSON, {"extension/a", "text", change}})
	}
	streamed := func() []byte { // sizes follow the data
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, e := range []entry{packageJSON, {name: "extension/a", content: "text"}} {
			w, _ := z.Create(e.name)
			io.WriteString(w, e.content)
		}
		z.SetComment("made by hand")
		z.Close()
		return b.Bytes()
	}
	for name, archive := range map[string][]byte{
		"plain":       with(nil),
		"stored":      with(func(h *zip.FileHeader) { h.Method = zip.Store }),
		"streamed":    streamed(),
		"no mode":     with(func(h *zip.FileHeader) { h.ExternalAttrs = 0 }),
		"zip64 entry": zip64(with(func(h *zip.FileHeader) { h.Extra = zip64Extra(4, uint64(len(deflate([]byte("text"))))) })),
		"folder":      pack(t, []entry{packageJSON, {"extension/", "", nil}, {"./", "", nil}, {"extension/a", "text", nil}}),
		"folder by mode": pack(t, []entry{packageJSON, {"extension/a", "text", nil},
			{"extension/b", "", func(h *zip.FileHeader) { h.SetMode(fs.ModeDir | 0o755) }}}),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			err = p.Walk(func(e Entry, r io.Reader) error {
				b, err := io.ReadAll(r)
				got = append(got, fmt.Sprintf("%s %v %s", e.Name, e.Mode, b))
				return err
			})
			want := []string{"extension/package.json -rw-r--r-- " + packageJSON.content, "extension/a -rw-r--r-- text"}
			if name == "folder by mode" { // its name has no slash at the end: editors create an empty file
				want = append(want, "extension/b -rwxr-xr-x ")
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("walked %q, %v; want %q", got, err, want)
			}
		})
	}
}

// zip64Extra returns the extra field with sizes of 64 bits.
func zip64Extra(uncompressed, compressed uint64) []byte {
	b := binary.LittleEndian.AppendUint16(nil, 1)
	b = binary.LittleEndian.AppendUint16(b, 16)
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, uncompressed), compressed)
}

// zip64 changes the sizes of the last entry in the directory to references to its extra field.
func zip64(archive []byte) []byte {
	header := archive[bytes.LastIndex(archive, []byte("PK\x01\x02")):]
	copy(header[20:28], "\xff\xff\xff\xff\xff\xff\xff\xff")
	return archive
}

func TestLimits(t *testing.T) {
	archive := pack(t, []entry{packageJSON, {name: "extension/a", content: strings.Repeat("a", 1000)}})
	for _, c := range []struct {
		limits Limits
		want   string
	}{
		{Limits{PackageBytes: 10}, fmt.Sprintf("package has %d bytes, more than the limit of 10", len(archive))},
		{Limits{EntryBytes: 999}, "1000 uncompressed bytes, more than the limit of 999"},
		{Limits{UnpackedBytes: 1000}, "more than the limit of 1000"},
		{Limits{Entries: 1}, "2 entries, more than the limit of 1"},
	} {
		_, err := Open(bytes.NewReader(archive), int64(len(archive)), c.limits)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.limits, err, c.want)
		}
	}
}

// TestManyEntries opens a package with as many entries as the limit, which needs a zip64 directory,
// and then with a lower limit.
func TestManyEntries(t *testing.T) {
	entries := []entry{packageJSON}
	most := int(Limits{}.WithDefaults().Entries)
	for i := range most - 1 {
		entries = append(entries, entry{fmt.Sprintf("extension/%03d/%05d", i%1000, i), "", nil})
	}
	archive := pack(t, entries)
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	err = p.Walk(func(Entry, io.Reader) error { count++; return nil })
	if err != nil || count != most {
		t.Errorf("walked %d entries, %v; want %d", count, err, most)
	}
	_, err = Open(bytes.NewReader(archive), int64(len(archive)), Limits{Entries: int64(most) - 1})
	if err == nil || !strings.Contains(err.Error(), "100000 entries, more than the limit of 99999") {
		t.Errorf("one more entry than allowed: error %v", err)
	}
}

// TestWalkMemory checks that the memory of Walk does not depend on the size of the files.
func TestWalkMemory(t *testing.T) {
	archive := pack(t, []entry{packageJSON, {name: "extension/big", content: strings.Repeat("\x00", 32<<20)}})
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{Ratio: 2000})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := p.Walk(func(Entry, io.Reader) error { return nil }); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated to read 32 MiB, want less than 1 MiB", got)
	}
}

// TestWalkReadsAll has callbacks that read nothing, some bytes, or ignore an error. Walk must find
// the damage nevertheless.
func TestWalkReadsAll(t *testing.T) {
	archive := pack(t, []entry{packageJSON, {"extension/a", "some text", func(h *zip.FileHeader) { h.CRC32++ }}})
	p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(Entry, io.Reader) error{
		"nothing": func(Entry, io.Reader) error { return nil },
		"some":    func(_ Entry, r io.Reader) error { _, err := r.Read(make([]byte, 2)); return err },
		"ignored": func(_ Entry, r io.Reader) error { io.Copy(io.Discard, r); return nil },
	} {
		if err := p.Walk(f); err == nil || !strings.Contains(err.Error(), "CRC-32") {
			t.Errorf("%s read: error %v, want a wrong CRC-32", name, err)
		}
	}
	stop := errors.New("stop")
	if err := p.Walk(func(Entry, io.Reader) error { return stop }); err != stop {
		t.Errorf("error %v, want the unchanged error of the callback", err)
	}
}

// TestReaderFails has a reader that fails. Its error must be returned, and not a *FormatError.
func TestReaderFails(t *testing.T) {
	archive := pack(t, []entry{packageJSON})
	failure := errors.New("read failed")
	for limit := range len(archive) {
		r := &failing{bytes.NewReader(archive), int64(limit), failure}
		_, err := Open(r, int64(len(archive)), Limits{})
		if !errors.Is(err, failure) {
			t.Fatalf("reading fails from byte %d on: error %v, want %v", limit, err, failure)
		}
	}
}

type failing struct {
	r     io.ReaderAt
	limit int64
	err   error
}

func (f *failing) ReadAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.limit {
		return 0, f.err
	}
	return f.r.ReadAt(b, off)
}

func TestModified(t *testing.T) {
	at := func(when ...time.Time) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, _ := z.Create(packageJSON.name)
		io.WriteString(w, packageJSON.content)
		for i, t := range when {
			z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("extension/%d", i), Modified: t})
		}
		z.Close()
		return b.Bytes()
	}
	day := time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC)
	for _, c := range []struct {
		archive []byte
		want    time.Time
	}{
		{at(), time.Time{}},
		{at(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)), time.Time{}},
		{at(day, day.AddDate(-1, 0, 0)), day},
	} {
		p, err := Open(bytes.NewReader(c.archive), int64(len(c.archive)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !p.Modified.Equal(c.want) || p.Modified.Location() != time.UTC {
			t.Errorf("modified %v, want %v", p.Modified, c.want)
		}
	}
}

// TestLargeDocuments has an icon and manifests that are too large.
func TestLargeDocuments(t *testing.T) {
	stored := func(h *zip.FileHeader) { h.Method = zip.Store }
	large := strings.Repeat(" ", int(Limits{}.WithDefaults().IconBytes)+1)
	icon := entry{"extension/icon.png", large, stored}
	listing := entry{name: packageJSON.name, content: strings.Replace(packageJSON.content, "{", `{"icon":"icon.png",`, 1)}
	p, _, err := openAndWalk(pack(t, []entry{listing, icon}))
	if err != nil {
		t.Fatal(err)
	}
	isIcon := func(a Asset) bool { return a.Entry == icon.name }
	if slices.ContainsFunc(p.Assets, isIcon) || !strings.Contains(strings.Join(p.Warnings, "\n"), "5242881 bytes, more than the limit") {
		t.Errorf("assets %v, warnings %q; want no icon, and a warning", p.Assets, p.Warnings)
	}
	for _, name := range []string{"extension/package.json", "extension/package.nls.json", "extension.vsixmanifest"} {
		entries := []entry{{name, strings.Repeat(" ", int(Limits{}.WithDefaults().ManifestBytes)+1), stored}}
		if name != packageJSON.name {
			entries = append(entries, packageJSON)
		}
		if _, _, err := openAndWalk(pack(t, entries)); err == nil || !strings.Contains(err.Error(), "for manifests") {
			t.Errorf("%s: error %v, want that of the limit", name, err)
		}
	}
}
