package vsix

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// otherFormats have the first bytes of other files that are often saved as .vsix.
var otherFormats = []struct{ magic, what string }{
	{"\x1f\x8b", "gzip data: download it with curl --compressed, or decompress it with gunzip"},
	{"<!DOCTYPE", "an HTML page: often a login or an error page"},
	{"<html", "an HTML page: often a login or an error page"},
	{"<?xml", "an XML document: often an error message"},
	{"{", "JSON text: often an error message"},
	{"version https://git-lfs", "a Git LFS pointer: fetch the file itself with git lfs pull"},
	{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
	{"Rar!", "a RAR archive"},
	{"\x28\xb5\x2f\xfd", "Zstandard data"},
}

// sniff refuses a file that does not begin like a zip archive. The error contains what it may be.
func sniff(r io.ReaderAt, size int64) error {
	if size <= 0 {
		return refuse("", "empty file")
	}
	head := make([]byte, min(size, 64))
	if n, err := r.ReadAt(head, 0); err != nil && (err != io.EOF || n < len(head)) {
		return fmt.Errorf("read the package: %w", err)
	}
	if bytes.HasPrefix(head, []byte("PK")) {
		return nil
	}
	text := strings.TrimLeft(string(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))), " \t\r\n")
	for _, l := range otherFormats {
		if len(text) >= len(l.magic) && strings.EqualFold(text[:len(l.magic)], l.magic) {
			return refuse("", "not a zip archive but %s", l.what)
		}
	}
	return refuse("", "not a zip archive: it begins with %q", head[:min(len(head), 16)])
}
