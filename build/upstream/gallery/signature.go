package gallery

import (
	"archive/zip"
	"bytes"
)

// IsEmptySignature reports whether a signature archive has no signature, as those that
// code-marketplace makes up with --sign, and galbuild with --sign=empty. Older versions of VS Code
// look only whether there is an archive with these names.
func IsEmptySignature(archive []byte) bool {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return false
	}
	for _, f := range z.File {
		switch f.Name {
		case ".signature.p7s", ".signature.sig": // of Microsoft, and of Open VSX
			if f.UncompressedSize64 > 0 {
				return false
			}
		}
	}
	return true
}
