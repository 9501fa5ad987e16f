package vsix

import (
	"bytes"
	"io"
	"path"
	"reflect"
	"strings"
	"testing"
)

// FuzzOpen calls Open, Peek and Walk with any bytes. They must not panic. A package that is
// accepted must be within the limits, its names must not lead out of a folder, and Peek must find
// the same package.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("PK"))
	f.Add(pack(f, nil))
	f.Add(pack(f, []entry{packageJSON}))
	f.Add(pack(f, []entry{packageJSON, {name: `extension\a`, content: "text"}, {name: "extension/package.nls.json", content: "{}"}}))
	f.Add(pack(f, []entry{packageJSON, {name: "extension.vsixmanifest", content: `<PackageManifest><Metadata><Identity Id="hello"/></Metadata></PackageManifest>`}}))
	f.Add(zip64(pack(f, []entry{packageJSON})))
	for _, all := range []map[string]sample{ambiguousArchives(), wrongEnds64()} {
		for _, s := range all {
			if len(s.archive) < 10_000 {
				f.Add(s.archive)
			}
		}
	}
	for _, archive := range unusualArchives() {
		f.Add(archive)
	}
	limits := Limits{PackageBytes: 1 << 20, EntryBytes: 1 << 20, UnpackedBytes: 2 << 20, Entries: 100}
	f.Fuzz(func(t *testing.T, archive []byte) {
		p, err := Open(bytes.NewReader(archive), int64(len(archive)), limits)
		if panicked, ok := err.(*PanicError); ok {
			t.Fatalf("%v\n%s", err, panicked.Stack)
		}
		peeked, peekErr := Peek(bytes.NewReader(archive), int64(len(archive)), limits)
		if panicked, ok := peekErr.(*PanicError); ok {
			t.Fatalf("%v\n%s", peekErr, panicked.Stack)
		}
		if err != nil {
			return
		}
		if peekErr != nil || !reflect.DeepEqual(identity(peeked), identity(p)) {
			t.Errorf("Peek finds another package: %v, %v", peeked, peekErr)
		}
		if p.Publisher == "" || p.Name == "" || p.Version == "" || p.DisplayName == "" {
			t.Errorf("accepted without an identity: %+v", p)
		}
		var total int64
		err = p.Walk(func(e Entry, r io.Reader) error {
			if e.Name != path.Clean(e.Name) || path.IsAbs(e.Name) || strings.HasPrefix(e.Name+"/", "../") {
				t.Errorf("unclean name %q", e.Name)
			}
			n, err := io.Copy(io.Discard, r)
			// package.json may grow by two bytes for each that is not UTF-8.
			if n > e.Size || e.Size > 3*limits.EntryBytes {
				t.Errorf("%q: read %d bytes, but Entry.Size is %d", e.Name, n, e.Size)
			}
			total += n
			return err
		})
		if panicked, ok := err.(*PanicError); ok {
			t.Fatalf("%v\n%s", err, panicked.Stack)
		}
		if n := p.metadataBytes(); n > limits.WithDefaults().MetadataBytes {
			t.Errorf("accepted with %d bytes of metadata", n)
		}
		if total > 3*limits.UnpackedBytes {
			t.Errorf("read %d bytes in all", total)
		}
	})
}
