package vsix

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decodeName reads a name that is not marked as UTF-8 as CP437, unless it is
// UTF-8 nevertheless: some tools forget the mark.
func decodeName(name string, flags uint16) string {
	const marked = 1 << 11
	if flags&marked != 0 || utf8.ValidString(name) {
		return name
	}
	// CP437 has a character for each byte.
	decoded, _ := charmap.CodePage437.NewDecoder().String(name)
	return decoded
}

var drive = regexp.MustCompile(`^[A-Za-z]:`)

// cleanName returns a name with slashes, without "." and empty elements and
// without a slash at its end. It refuses names that could leave a folder.
func cleanName(name string) (string, error) {
	slashed := strings.ReplaceAll(name, `\`, "/")
	clean := path.Clean(slashed)
	switch {
	case name == "" || clean == "." && !strings.HasSuffix(slashed, "/"):
		return "", refuse(name, "empty name")
	case !utf8.ValidString(name):
		return "", refuse(name, "name is not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", refuse(name, "control character in the name")
	case strings.HasPrefix(slashed, "/") || drive.MatchString(slashed):
		return "", refuse(name, "absolute path")
	case slices.Contains(strings.Split(slashed, "/"), ".."):
		return "", refuse(name, "path climbs with ..")
	case len(clean) > nameBytes:
		return "", refuse(name[:80]+"…", "name has %d bytes, more than the limit of %d", len(clean), nameBytes)
	}
	for element := range strings.SplitSeq(clean, "/") {
		if len(element) > elementBytes {
			return "", refuse(name, "name has %d bytes between slashes, more than the limit of %d", len(element), elementBytes)
		}
	}
	return clean, nil
}

// checkFolders refuses a name that is a file and a folder: it could not be
// unpacked.
func (a *archive) checkFolders() error {
	known := map[string]bool{".": true}
	for _, f := range a.files {
		for dir := path.Dir(f.name); !known[dir]; dir = path.Dir(dir) {
			if _, isFile := a.exact[dir]; isFile {
				return refuse(dir, "is a file and also a folder, with %q in it", f.name)
			}
			known[dir] = true
		}
	}
	return nil
}
