package vsix

import (
	"io"
	"slices"
	"strings"

	"galbuild/build/vsix/manifest"
)

// Peek reads what a package is, from as few bytes as possible, for a reader that is slow because
// the package is on another machine. Only the directory and the documents that describe the
// package are read and checked. The other entries are unknown to the result: it has no assets of
// theirs, and Walk visits the documents only. A package that Open refuses may not be refused.
func Peek(r io.ReaderAt, size int64, l Limits) (p *Package, err error) {
	defer RecoverPanic(&err)
	l = l.WithDefaults()
	a, err := openDocuments(r, size, l)
	if err != nil {
		return nil, err
	}
	d, err := readDocuments(a, l)
	if err != nil {
		return nil, err
	}
	return d.describe(a, l)
}

// openDocuments returns an archive in which only the documents are.
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
