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

// decodeName decodes a name. If it is not marked as UTF-8, it is CP437, as in editors.
func decodeName(name string, flags uint16) string {
	if flags&flagUTF8 != 0 || isASCII(name) {
		return name
	}
	// CP437 has a character for each byte.
	decoded, _ := charmap.CodePage437.NewDecoder().String(name)
	return decoded
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// checkEncoding warns about a UTF-8 name that is not marked as such. Some tools write these names,
// and editors show other characters. The name must be safe in both encodings.
func (a *archive) checkEncoding(h *header) error {
	raw := strings.ReplaceAll(string(h.raw), `\`, "/")
	if h.flags&flagUTF8 != 0 || isASCII(raw) || !utf8.ValidString(raw) || h.name == raw {
		return nil
	}
	if strings.ContainsFunc(raw, unicode.IsControl) {
		return refuse(raw, "control character in the name")
	}
	a.warn("entry %q is not marked as UTF-8: editors unpack it as %q", clip(raw), clip(h.name))
	return nil
}

var drive = regexp.MustCompile(`^[A-Za-z]:`)

// cleanName returns a name with slashes, without "." and empty elements and without a slash at its
// end. It refuses names that could lead out of a folder.
func cleanName(name string, l Limits) (string, error) {
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
	case strings.Contains(slashed, "..") && slices.Contains(strings.Split(slashed, "/"), ".."):
		return "", refuse(name, "path contains ..")
	case len(clean) > int(l.PathBytes):
		return "", refuse(name, "name has %d bytes, more than the limit of %d", len(clean), l.PathBytes)
	case strings.HasPrefix(clean, installedPrefix) != strings.HasPrefix(slashed, installedPrefix):
		return "", refuse(name, "editors do not unpack an entry whose name begins with ./")
	}
	for element := range strings.SplitSeq(clean, "/") {
		if len(element) > int(l.PathElementBytes) {
			return "", refuse(name, "name has %d bytes between slashes, more than the limit of %d",
				len(element), l.PathElementBytes)
		}
	}
	return clean, nil
}

// checkFolders refuses a path that is both a file and a folder, in the archive or after
// editors unpack it.
func (a *archive) checkFolders() error {
	asNamed := func(name string) (string, bool) { return name, true }
	if err := a.checkFoldersAt(asNamed); err != nil {
		return err
	}
	return a.checkFoldersAt(installedPath)
}

func (a *archive) checkFoldersAt(pathOf func(name string) (string, bool)) error {
	files := make(map[string]bool, len(a.files))
	for _, f := range a.files {
		if at, ok := pathOf(f.name); ok {
			files[at] = true
		}
	}
	checked := map[string]bool{".": true, "": true}
	check := func(name string, folder bool) error {
		at, ok := pathOf(name)
		if !folder {
			at = path.Dir(at)
		}
		for ; ok && !checked[at]; at = path.Dir(at) {
			if files[at] {
				return refuse(at, "is both a file and a folder that contains %q", name)
			}
			checked[at] = true
		}
		return nil
	}
	for _, f := range a.files {
		if err := check(f.name, false); err != nil {
			return err
		}
	}
	for _, name := range a.folders {
		if err := check(name, true); err != nil {
			return err
		}
	}
	return nil
}
