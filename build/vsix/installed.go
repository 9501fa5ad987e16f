package vsix

import (
	"path"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"galbuild/build/vsix/manifest"
)

// installedPrefix is the prefix of the entries that editors unpack. They remove it from the name,
// and skip entries without it.
// Source: https://github.com/microsoft/vscode/blob/1.100.0/src/vs/base/node/zip.ts, extract, with
// the sourcePath "extension" that extensionManagementService.ts gives: it makes the
// regular expression /^extension/.
const installedPrefix = "extension"

// installedPath returns the clean path, below the folder of an extension, to which editors unpack a
// file with a clean name, and false if they do not. They remove the prefix whatever follows it:
// extension.vsixmanifest becomes .vsixmanifest.
func installedPath(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, installedPrefix)
	if ok && strings.HasPrefix(rest, "/") {
		return rest[1:], true // as name is clean
	}
	return strings.TrimPrefix(path.Clean("/"+rest), "/"), ok
}

// checkInstalled refuses files that editors unpack to the same path, or to package.json on file
// systems that ignore case. It warns about other files with equal paths on such file systems.
func (a *archive) checkInstalled() error {
	t := tree{
		archive: a, fold: cases.Fold(),
		files: make(map[string]int, len(a.files)), folded: make(map[string]int, len(a.files)),
	}
	for i := range a.files {
		if err := t.add(i); err != nil {
			return err
		}
	}
	return nil
}

// A tree is the folder of an extension, as editors unpack it.
type tree struct {
	*archive
	files  map[string]int // by path
	folded map[string]int // by folded path; of several files, the first
	fold   cases.Caser
}

func (t *tree) add(i int) error {
	name := t.archive.files[i].name
	at, ok := installedPath(name)
	if !ok {
		return t.compare(name, i, name) // not unpacked by editors, but served
	}
	if first, duplicate := t.files[at]; duplicate {
		return refuse(name, "editors unpack it as %q, like entry %q", at, t.archive.files[first].name)
	}
	if !strings.HasPrefix(name, installedPrefix+"/") && name != manifest.XMLPath {
		t.warn("entry %q is unpacked as %q by editors", name, at)
	}
	t.files[at] = i
	return t.compare("extension/"+at, i, name)
}

// compare warns about a file whose path is equal to that of another file on some file systems, or
// refuses it.
func (t *tree) compare(at string, i int, name string) error {
	folded := t.foldPath(at)
	first, duplicate := t.folded[folded]
	if !duplicate {
		t.folded[folded] = i
		return nil
	}
	other := t.archive.files[first].name
	switch {
	case folded == manifest.PackagePath:
		return refuse(name, "it and entry %q are the same file on macOS or Windows, so that editors may read "+
			"another package.json", other)
	case strings.EqualFold(other, name):
		t.warn("entries %q and %q differ only in case", other, name)
	default:
		t.warn("entries %q and %q are the same file on macOS or Windows", other, name)
	}
	return nil
}

// foldPath returns equal texts for paths that are equal on file systems of macOS or Windows. These
// ignore case, the composition of characters, invisible characters, dots and spaces at the end of
// a name, and what follows a colon.
func (t *tree) foldPath(p string) string {
	if !isASCII(p) || strings.Contains(p, ":") || endsInDotOrSpace(p) {
		elements := strings.Split(p, "/")
		for i, e := range elements {
			elements[i] = t.foldElement(e)
		}
		p = strings.Join(elements, "/")
	}
	p = strings.ToLower(p)
	if folder, name, ok := strings.Cut(p, "/"); ok && shortPackageJSON.MatchString(name) {
		return folder + "/package.json"
	}
	return p
}

// endsInDotOrSpace reports whether an element of a path does.
func endsInDotOrSpace(p string) bool {
	return strings.Contains(p, "./") || strings.Contains(p, " /") || strings.HasSuffix(p, ".") || strings.HasSuffix(p, " ")
}

func (t *tree) foldElement(e string) string {
	if at := strings.IndexByte(e, ':'); at > 0 {
		e = e[:at]
	}
	visible := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.TrimRight(e, ". "))
	return norm.NFC.String(t.fold.String(norm.NFD.String(visible)))
}

// shortPackageJSON matches the 8.3 names of package.json on Windows.
var shortPackageJSON = regexp.MustCompile(`^packag~[0-9]+\.jso$`)
