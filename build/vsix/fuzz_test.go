package vsix

import (
	"bytes"
	"io"
	"path"
	"strings"
	"testing"
)

// FuzzOpen feeds anything to Open and Walk: they do not panic, and what they
// take keeps to its limits and can be unpacked below a folder.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("PK"))
	f.Add(pack(f, nil))
	f.Add(pack(f, []entry{packageJSON}))
	f.Add(pack(f, []entry{packageJSON, {name: `extension\a`, content: "text"}, {name: "extension/package.nls.json", content: "{}"}}))
	f.Add(pack(f, []entry{packageJSON, {name: "extension.vsixmanifest", content: `<PackageManifest><Metadata><Identity Id="hello"/></Metadata></PackageManifest>`}}))
	f.Add(zip64(pack(f, []entry{packageJSON})))
	for _, all := range []map[string]sample{lies(), lies64()} {
		for _, s := range all {
			if len(s.archive) < 10_000 {
				f.Add(s.archive)
			}
		}
	}
	for _, archive := range odd() {
		f.Add(archive)
	}
	limits := Limits{PackageBytes: 1 << 20, EntryBytes: 1 << 20, UnpackedBytes: 2 << 20, Entries: 100}
	f.Fuzz(func(t *testing.T, archive []byte) {
		p, err := Open(bytes.NewReader(archive), int64(len(archive)), limits)
		if panicked, ok := err.(*PanicError); ok {
			t.Fatalf("%v\n%s", err, panicked.Stack)
		}
		if err != nil {
			return
		}
		if p.Publisher == "" || p.Name == "" || p.Version == "" || p.DisplayName == "" {
			t.Errorf("taken without an identity: %+v", p)
		}
		var total int64
		err = p.Walk(func(e Entry, r io.Reader) error {
			if e.Name != path.Clean(e.Name) || path.IsAbs(e.Name) || strings.HasPrefix(e.Name+"/", "../") {
				t.Errorf("unclean name %q", e.Name)
			}
			n, err := io.Copy(io.Discard, r)
			// package.json may grow by two bytes for each that is not UTF-8.
			if n > e.Size || e.Size > 3*limits.EntryBytes {
				t.Errorf("%q: %d bytes handed out, entry says %d", e.Name, n, e.Size)
			}
			total += n
			return err
		})
		if panicked, ok := err.(*PanicError); ok {
			t.Fatalf("%v\n%s", err, panicked.Stack)
		}
		if n := p.metadataBytes(); n > limits.WithDefaults().MetadataBytes {
			t.Errorf("metadata of %d bytes taken", n)
		}
		if total > 3*limits.UnpackedBytes {
			t.Errorf("%d bytes handed out", total)
		}
	})
}
