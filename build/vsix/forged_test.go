package vsix

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// A forger writes an archive byte by byte, so that it may contain wrong values.
type forger struct {
	local, central bytes.Buffer
	entries        int
}

// A forgery is an entry. Its functions change the bytes of a header before they are written.
type forgery struct {
	name, content string
	extra, after  []byte // extra fields of the directory; bytes after the data
	local         func([]byte) []byte
	central       func([]byte) []byte
}

// add writes a stored entry and returns the offset of its local header.
func (z *forger) add(f forgery) int {
	at := z.local.Len()
	sum, size := crc32.ChecksumIEEE([]byte(f.content)), uint32(len(f.content))
	le := binary.LittleEndian
	common := le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, 20), 0), 0) // version, flags, method and time
	common = le.AppendUint32(append(common, 0x21, 0x5a), sum)
	common = le.AppendUint32(le.AppendUint32(common, size), size)
	common = le.AppendUint16(common, uint16(len(f.name)))
	local := append(append([]byte(localSignature), common...), 0, 0)
	local = append(local, f.name...)
	central := append(append([]byte(headerSignature), 20, 3), common...)
	central = append(le.AppendUint16(central, uint16(len(f.extra))), 0, 0, 0, 0, 0, 0) // comment, disk, attributes
	central = le.AppendUint32(central, 0o100644<<16)
	central = append(le.AppendUint32(central, uint32(at)), f.name...)
	central = append(central, f.extra...)
	if f.local != nil {
		local = f.local(local)
	}
	if f.central != nil {
		central = f.central(central)
	}
	z.local.Write(local)
	z.local.WriteString(f.content)
	z.local.Write(f.after)
	z.central.Write(central)
	z.entries++
	return at
}

// bytes returns the archive. change may change its end record.
func (z *forger) bytes(change func(end []byte) []byte) []byte {
	le := binary.LittleEndian
	end := append([]byte(endSignature), 0, 0, 0, 0)
	end = le.AppendUint16(le.AppendUint16(end, uint16(z.entries)), uint16(z.entries))
	end = le.AppendUint32(le.AppendUint32(end, uint32(z.central.Len())), uint32(z.local.Len()))
	end = append(end, 0, 0)
	if change != nil {
		end = change(end)
	}
	return bytes.Join([][]byte{z.local.Bytes(), z.central.Bytes(), end}, nil)
}

// forge returns a package with these entries after package.json.
func forge(more ...forgery) []byte {
	z := forgeFirst()
	for _, f := range more {
		z.add(f)
	}
	return z.bytes(nil)
}

func forgeFirst() *forger {
	z := &forger{}
	z.add(forgery{name: packageJSON.name, content: packageJSON.content})
	return z
}

// put returns a function that replaces bytes of a record at a position.
func put(at int, b ...byte) func([]byte) []byte {
	return func(record []byte) []byte { return append(append(record[:at:at], b...), record[at+len(b):]...) }
}

func put32(at int, n uint32) func([]byte) []byte {
	return put(at, binary.LittleEndian.AppendUint32(nil, n)...)
}

// extraField returns an extra field.
func extraField(id uint16, data ...byte) []byte {
	b := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, id), uint16(len(data)))
	return append(b, data...)
}

// unicodePath returns an Info-ZIP Unicode Path field with a name for the entry of the stored name.
func unicodePath(stored, name string) []byte {
	data := binary.LittleEndian.AppendUint32([]byte{1}, crc32.ChecksumIEEE([]byte(stored)))
	return extraField(extraUnicodePath, append(data, name...)...)
}

// offset64 returns an entry whose offset is in a zip64 field.
func offset64(offset uint64) forgery {
	return forgery{name: "extension/a", content: "text", extra: extraField(extraZip64, binary.LittleEndian.AppendUint64(nil, offset)...), central: put32(42, in64Long)}
}

// end64 returns an end with a zip64 record of these values, at the given position.
func (z *forger) end64(entries, size, offset, at uint64) func([]byte) []byte {
	le := binary.LittleEndian
	record := le.AppendUint64([]byte(end64Signature), end64Bytes-12)
	record = append(record, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	record = le.AppendUint64(le.AppendUint64(record, entries), entries)
	record = le.AppendUint64(le.AppendUint64(record, size), offset)
	locator := le.AppendUint64(append([]byte(locatorSignature), 0, 0, 0, 0), at)
	locator = append(locator, 1, 0, 0, 0)
	return func(end []byte) []byte {
		end = put(8, bytes.Repeat([]byte{0xff}, 12)...)(end)
		return bytes.Join([][]byte{record, locator, end}, nil)
	}
}

// A sample is an archive with wrong values, and the error for it.
type sample struct {
	archive []byte
	want    string
}

// ambiguousArchives are archives that programs could read differently, or with positions outside of
// the archive.
func ambiguousArchives() map[string]sample {
	text := forgery{name: "extension/a", content: "text"}
	with := func(change func(*forgery)) []byte {
		f := text
		change(&f)
		return forge(f)
	}
	all := map[string]sample{
		"local name":        {with(func(f *forgery) { f.local = put(localBytes, 'E') }), `its local header has the name "Extension/a"`},
		"local name longer": {with(func(f *forgery) { f.local = func(b []byte) []byte { return append(put(26, 12)(b), 'x') } }), `its local header has the name "extension/ax"`},
		"local size":        {with(func(f *forgery) { f.local = put(18, 3) }), "its local header has 3 compressed bytes"},
		"local checksum":    {with(func(f *forgery) { f.local = put(14, 1, 2, 3, 4) }), "CRC-32 04030201; the directory"},
		"local method":      {with(func(f *forgery) { f.local = put(8, 8) }), "method 8, the directory"},
		"local encoding":    {forge(forgery{name: "extension/ü", local: put(7, 8)}), "its local header has flags 0x800"},
		"local encrypted":   {with(func(f *forgery) { f.local = put(6, 1) }), "its local header has flags 0x1"},
		"local unicode path": {with(func(f *forgery) {
			f.local = func(b []byte) []byte {
				u := unicodePath("extension/a", "extension/b")
				return append(put(28, byte(len(u)))(b), u...)
			}
		}), `its Unicode Path field gives the name "extension/b"`},
		"descriptor":       {with(func(f *forgery) { f.local = put(6, 8); f.after = []byte(descriptorSignature + "123412341234") }), "data descriptor differs from the directory"},
		"descriptor, bare": {with(func(f *forgery) { f.local = put(6, 8); f.after = []byte("123412341234") }), "data descriptor differs from the directory"},
		"unicode path":     {with(func(f *forgery) { f.extra = unicodePath("extension/a", "extension/package.json") }), `its Unicode Path field gives the name "extension/package.json"`},
		"second unicode path": {with(func(f *forgery) {
			f.extra = append(unicodePath("other", "extension/b"), unicodePath("extension/a", "extension/b")...)
		}), `its Unicode Path field gives the name "extension/b"`},
		"extra cut off":       {with(func(f *forgery) { f.extra = []byte{1, 0, 9, 0} }), "extra fields are damaged"},
		"zip64 field empty":   {with(func(f *forgery) { f.extra = extraField(extraZip64); f.central = put32(24, in64Long) }), "zip64 field lacks a size"},
		"stored sizes":        {with(func(f *forgery) { f.local, f.central = put(22, 3), put(24, 3) }), "is stored without compression, with 4 compressed and 3 uncompressed bytes"},
		"prefix":              {append([]byte("PK\x05\x06 and a script"), forge(text)...), "its end record gives a directory of"},
		"installed twice":     {forge(forgery{name: "extensionpackage.json", content: "{}"}), `editors unpack it as "package.json", like entry "extension/package.json"`},
		"installed in folder": {forge(text, forgery{name: "extensiona/b", content: "x"}), "is both a file and a folder"},
		"folder entry":        {forge(text, forgery{name: "extension/a/"}), "is both a file and a folder"},
		"folder, installed":   {forge(text, forgery{name: "extensiona/"}), "is both a file and a folder"},
		"dot in front":        {forge(forgery{name: "./extension/a", content: "x"}), "editors do not unpack an entry whose name begins with ./"},
		"overlap, padded": {func() []byte {
			z := forgeFirst()
			at := z.add(text)
			z.add(forgery{name: "extension/padding", content: strings.Repeat("x", 10_000)})
			z.add(forgery{name: "extension/a", content: "text", local: func([]byte) []byte { return nil }, central: put32(42, uint32(at))})
			return z.bytes(nil)
		}(), `overlaps entry "extension/a"`},
		"in the directory": {with(func(f *forgery) {
			sizes := []byte{60, 0, 0, 0, 60, 0, 0, 0}
			f.local, f.central = put(18, sizes...), put(20, sizes...)
		}), "fewer than its 60 compressed bytes at byte"},
		"local signature": {forge(forgery{name: "extension/folder/", local: put(0, 'X')}), "is not at its position in the directory"},
		"local unicode path only": {with(func(f *forgery) {
			u := unicodePath("extension/ü", "extension/ü")
			f.name = "extension/ü"
			f.local = func(b []byte) []byte { return append(put(28, byte(len(u)))(b), u...) }
		}), `its local header has the name "extension/ü"`},
		"fewer entries": {forgeEnd(text, put(8, 1, 0, 1, 0)), "bytes more than its 1 entries"},
		"more entries":  {forgeEnd(text, put(8, 3, 0, 3, 0)), "3 entries in a directory of"},
		"65,537 entries": {func() []byte { // programs with 16-bit counts see one
			z := forgeFirst()
			for i := range 1 << 16 {
				z.add(forgery{name: fmt.Sprintf("extension/%d", i)})
			}
			return z.bytes(put(8, 1, 0, 1, 0))
		}(), "bytes more than its 1 entries"},
		"disk":            {forgeEnd(text, put(4, 1)), "one of several parts"},
		"directory late":  {forgeEnd(text, put32(16, 1<<31)), "its end record gives a directory of"},
		"directory early": {forgeEnd(text, put32(16, 3)), "its end record gives a directory of"},
		"directory small": {forgeEnd(text, put32(12, 5)), "its end record gives a directory of"},
		"directory large": {forgeEnd(text, put32(12, 1<<31)), "its end record gives a directory of"},
		"end in comment": {forgeEnd(text, func(end []byte) []byte {
			c := []byte(endSignature + strings.Repeat("\x00", 18))
			return append(put(20, byte(len(c)))(end), c...)
		}), "its end record gives a directory of"},
		"comment cut off":            {forgeEnd(text, put(20, 7)), "its comment has 0 bytes, its end record gives 7"},
		"control character in UTF-8": {with(func(f *forgery) { f.name = "extension/\u0085" }), "control character in the name"},
		"name not as UTF-8":          {with(func(f *forgery) { f.name = "extension/\xff"; f.local, f.central = put(7, 8), put(9, 8) }), "not UTF-8"},
	}
	for _, offset := range []uint64{1 << 31, 1 << 40, 1 << 62, 1<<63 - 1, 1 << 63, 1<<63 + 30, 1<<64 - 500, 1<<64 - 30, 1<<64 - 1} {
		all[fmt.Sprintf("offset %#x", offset)] = sample{forge(offset64(offset)), "where the archive has no entries"}
	}
	for name, other := range map[string]string{
		"in capitals": "extension/PACKAGE.JSON", "with the Kelvin sign": "extension/pac\u212aage.json", "with an invisible character": "extension/package\u200c.json",
		"with a dot": "extension/package.json.", "with a stream": "extension/package.json::$DATA", "short": "extension/PACKAG~1.JSO",
	} {
		f := forgery{name: other, content: "{}"}
		if !isASCII(other) {
			f.local, f.central = put(7, 8), put(9, 8)
		}
		all["package.json "+name] = sample{forge(f), "are the same file on macOS or Windows"}
	}
	return all
}

func forgeEnd(f forgery, change func([]byte) []byte) []byte {
	z := forgeFirst()
	z.add(f)
	return z.bytes(change)
}

// wrongEnds64 are archives with wrong zip64 end records, and one with a correct record, "good".
func wrongEnds64() map[string]sample {
	z := forgeFirst()
	n, size, offset := uint64(z.entries), uint64(z.central.Len()), uint64(z.local.Len())
	at := offset + size
	all := map[string]sample{
		"good":      {z.bytes(z.end64(n, size, offset, at)), ""},
		"entries":   {z.bytes(z.end64(1<<40, size, offset, at)), "entries in a directory of"},
		"signature": {z.bytes(func(end []byte) []byte { return put(0, 'X')(z.end64(n, size, offset, at)(end)) }), fmt.Sprintf("no zip64 end record at byte %d", at)},
		"locator":   {z.bytes(z.end64(n, size, offset, 0)), "no zip64 end record at byte 0"},
		"count of the other record": {z.bytes(func(end []byte) []byte {
			forged := z.end64(n, size, offset, at)(end)
			return put(len(forged)-endBytes+8, 5, 0, 5, 0)(forged)
		}), "the two end records of the zip archive differ"},
		// Some programs use the zip64 record only if the other one refers to it.
		"not referred to": {z.bytes(func(end []byte) []byte {
			forged := z.end64(n, size, offset-1, at)(bytes.Clone(end))
			return append(forged[:len(forged)-endBytes:len(forged)-endBytes], end...)
		}), "the two end records of the zip archive differ"},
	}
	for _, huge := range []uint64{1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 56, 1<<64 - 1} {
		all[fmt.Sprintf("size %#x", huge)] = sample{z.bytes(z.end64(n, huge, offset, at)), "its end record gives a directory of"}
		all[fmt.Sprintf("offset %#x", huge)] = sample{z.bytes(z.end64(n, size, huge, at)), "its end record gives a directory of"}
		all[fmt.Sprintf("locator %#x", huge)] = sample{z.bytes(z.end64(n, size, offset, huge)), "outside of the archive"}
	}
	return all
}

func TestAmbiguousArchives(t *testing.T) {
	check := func(name string, s sample) {
		t.Run(name, func(t *testing.T) {
			_, _, err := openAndWalk(s.archive)
			if s.want == "" && err == nil {
				return
			}
			if err == nil || s.want == "" || !strings.Contains(err.Error(), s.want) {
				t.Fatalf("error %v, want %q", err, s.want)
			}
			if _, ok := err.(*FormatError); !ok {
				t.Errorf("error %v is a %T, want a FormatError", err, err)
			}
		})
	}
	for name, s := range ambiguousArchives() {
		check(name, s)
	}
	for name, s := range wrongEnds64() {
		check("zip64 end: "+name, s)
	}
}

// An unusualEntry is an entry that is accepted, because all programs read it in the same way.
type unusualEntry struct {
	entry    forgery
	wantName string
	wantWarn string
}

func unusualEntries() map[string]unusualEntry {
	return map[string]unusualEntry{
		"unicode path repeats the name":  {forgery{name: "extension/\x81", extra: unicodePath("extension/\x81", "extension/ü")}, "extension/ü", ""},
		"unicode path of raw UTF-8":      {forgery{name: "extension/ü", extra: unicodePath("extension/ü", "extension/ü")}, "extension/ü", ""},
		"unicode path of another name":   {forgery{name: "extension/a", extra: unicodePath("extension/b", "extension/c")}, "extension/a", ""},
		"UTF-8 that is not marked":       {forgery{name: "extension/ü"}, "extension/├╝", "is not marked as UTF-8"},
		"backslashes":                    {forgery{name: `extension\sub\a`}, "extension/sub/a", ""},
		"descriptor":                     {forgery{name: "extension/a", local: func(b []byte) []byte { return put(14, make([]byte, 12)...)(put(6, 8)(b)) }, after: []byte(descriptorSignature + strings.Repeat("\x00", 12))}, "extension/a", ""},
		"descriptor missing":             {forgery{name: "extension/a", local: put(6, 8)}, "extension/a", ""},
		"bytes between entries":          {forgery{name: "extension/a", after: []byte("PK\x03\x04 hidden")}, "extension/a", "11 bytes of the package belong to no entry"},
		"hidden characters":              {forgery{name: "extension/\u202egnp.exe", local: put(7, 8), central: put(9, 8)}, "extension/\u202egnp.exe", "it contains the bidirectional character"},
		"symbolic link":                  {forgery{name: "extension/a", content: "package.json", central: put32(38, 0o120777<<16)}, "extension/a", "is a symbolic link"},
		"next to the folder":             {forgery{name: "extension-x/a"}, "extension-x/a", `is unpacked as "-x/a"`},
		"one file on other file systems": {forgery{name: "extension/PACKAGE.NLS.JSON"}, "extension/PACKAGE.NLS.JSON", ""},
	}
}

func (o unusualEntry) archive() []byte { return forge(o.entry, forgery{name: "extension/last"}) }

// unusualArchives returns the archives of all unusual entries by name.
func unusualArchives() map[string][]byte {
	all := make(map[string][]byte)
	for name, o := range unusualEntries() {
		all[name] = o.archive()
	}
	return all
}

// TestUnusualEntries checks that the names are those of editors, and that there are warnings.
func TestUnusualEntries(t *testing.T) {
	for name, c := range unusualEntries() {
		t.Run(name, func(t *testing.T) {
			archive := c.archive()
			p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := p.archive.files[1].name; got != c.wantName {
				t.Errorf("name %q, want %q", got, c.wantName)
			}
			warnings := strings.Join(p.Warnings, "\n")
			for _, word := range []string{"belong to no entry", "not marked", "is unpacked as", "is a symbolic link", "it contains the bidirectional"} {
				if want := strings.Contains(c.wantWarn, word); want != strings.Contains(warnings, word) {
					t.Errorf("warnings %q, want %q", p.Warnings, c.wantWarn)
				}
			}
		})
	}
}

// TestCollisions has pairs of files that are the same file on some file systems.
func TestCollisions(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"extension/é.js", "extension/e\u0301.js", "are the same file on macOS or Windows"},
		{"extension/ß.js", "extension/SS.js", "are the same file on macOS or Windows"},
		{"extension/a.js", "extension/A.js", "differ only in case"},
		{"extension/a.js", "extension/a.js ", "are the same file on macOS or Windows"},
		{"extension/ı.js", "extension/i.js", ""},
	} {
		marked := forgery{local: put(7, 8), central: put(9, 8)}
		a, b := marked, marked
		a.name, b.name = c.a, c.b
		archive := forge(a, b)
		p, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
		if err != nil {
			t.Fatalf("%q and %q: %v", c.a, c.b, err)
		}
		warnings := strings.Join(p.Warnings, "\n")
		if got := strings.Contains(warnings, fmt.Sprintf("entries %q and %q", c.a, c.b)); got != (c.want != "") || !strings.Contains(warnings, c.want) {
			t.Errorf("%q and %q: warnings %q, want %q", c.a, c.b, p.Warnings, c.want)
		}
	}
}
