package vsix

import (
	"io"
	"slices"
	"strings"

	"galbuild/build/vsix/manifest"
)

// Peek reads the metadata of a package from as few bytes as possible, for a package on another
// machine. It reads and checks only the directory of the archive, package.json, its texts and the
// VSIX manifest. The result has no other files, and Walk visits only these. Peek may accept a
// package that Open refuses.
func Peek(r io.ReaderAt, size int64, l Limits) (*Package, error) {
	return open(r, size, l, openDocuments)
}

// openDocuments returns an archive that has only the documents.
func openDocuments(r io.ReaderAt, size int64, l Limits) (*archive, error) {
	if size > l.PackageBytes {
		return nil, refuse("", "package has %d bytes, more than the limit of %d", size, l.PackageBytes)
	}
	r = io.NewSectionReader(r, 0, size)
	end, err := readEnd(r, size)
	if err != nil {
		return nil, err
	}
	headers, err := readDirectory(r, end, l)
	if err != nil {
		return nil, err
	}
	files, err := listEntries(r, size, headers)
	if err != nil {
		return nil, err
	}
	a := &archive{reader: r, exact: map[string]int{}, folded: map[string]int{}}
	for i := range headers {
		if h := &headers[i]; isDocument(h.name) {
			if _, err := h.checkLocal(r, end.offset); err != nil {
				return nil, err
			}
			if err := a.add(files[i], h, l); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func isDocument(name string) bool {
	documents := []string{manifest.PackagePath, manifest.NLSPath, manifest.XMLPath}
	return slices.ContainsFunc(documents, func(d string) bool { return strings.EqualFold(d, name) })
}
