package download

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"

	"galbuild/build/vsix"
)

// Package returns the kind of packages. A package that was downloaded in parts is read with the
// limits.
func Package(limits vsix.Limits) Kind {
	return Kind{
		Name: "package", Suffix: ".vsix", Limit: "package-bytes", Is: IsPackage,
		Verify: func(file *os.File, start []byte) error { return verifyPackage(file, start, limits) },
	}
}

// MagicSize is the number of bytes that IsPackage needs.
const MagicSize = 4

// gzipMagic is the start of gzip data.
const gzipMagic = "\x1f\x8b"

// IsPackage reports whether a file that starts with these bytes may be a package: a zip archive,
// or one that is compressed with gzip, as Microsoft's gallery sends it and curl saves it.
func IsPackage(start []byte) bool {
	s := string(start)
	return strings.HasPrefix(s, "PK\x03\x04") || strings.HasPrefix(s, "PK\x05\x06") ||
		strings.HasPrefix(s, gzipMagic)
}

// verifyPackage reads all of a package, or of one that is compressed with gzip.
func verifyPackage(file *os.File, start []byte, limits vsix.Limits) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if bytes.HasPrefix(start, []byte(gzipMagic)) {
		unzipped, err := gzip.NewReader(bufio.NewReader(file))
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, limits.Decompressed(unzipped, info.Size()))
		return err
	}
	p, err := vsix.Open(file, info.Size(), limits)
	if err != nil {
		return err
	}
	return p.Walk(func(vsix.Entry, io.Reader) error { return nil })
}
