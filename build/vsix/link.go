package vsix

import (
	"bytes"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkLinks checks the targets of symbolic links, and warns about the links. Editors do not
// create links: they write a file with the target as text, and so does Walk. Other programs that
// unpack the package create links. Therefore a link must lead to a path within the package, and a
// link below extension/, the folder of an installed extension, to a path below extension/.
//
// Source: https://github.com/microsoft/vscode/blob/1.100.0/src/vs/base/node/zip.ts: extractEntry
// writes every entry with createWriteStream, whatever its mode.
func (a *archive) checkLinks(l Limits) error {
	links := links{archive: a, at: make(map[string]int), resolved: make(map[int]string)}
	var all []int
	for i, f := range a.files {
		if f.isLink() {
			links.at["/"+strings.ToLower(f.name)] = i
			all = append(all, i)
		}
	}
	if n := int64(len(all)); n > l.Links {
		return refuse(a.files[all[l.Links]].name, "one of %d symbolic links, more than the limit of %d",
			n, l.Links)
	}
	for _, i := range all {
		if _, err := links.resolve(i, l); err != nil {
			return err
		}
	}
	if len(all) > 0 {
		a.warn("entry %q is a symbolic link: editors write a small file with the link's target in its place",
			a.files[all[0]].name)
	}
	if len(all) > 1 {
		a.warn("%d more entries are symbolic links", len(all)-1)
	}
	return nil
}

// links resolves links that lead to other links.
type links struct {
	*archive
	at       map[string]int // by slash and lower-case name, because some file systems ignore case
	resolved map[int]string // resolved target by index; "" while the link is being resolved
}

// resolve returns the path to which a link leads, in lower case and without links.
func (s *links) resolve(i int, l Limits) (string, error) {
	f := &s.files[i]
	if at, ok := s.resolved[i]; ok {
		if at == "" {
			return "", refuse(f.name, "symbolic link that leads to itself")
		}
		return at, nil
	}
	s.resolved[i] = ""
	target, err := f.target(l)
	if err != nil {
		return "", err
	}
	at := []byte("/")
	for element := range strings.SplitSeq(strings.ToLower(path.Dir(f.name)+"/"+target), "/") {
		var inside bool
		if at, inside = step(at, element); !inside || !f.mayLeadTo(at) {
			return "", refuse(f.name, "symbolic link to %q, which is outside of the package", clip(target))
		}
		next, isLink := s.at[string(at)]
		if !isLink {
			continue
		}
		to, err := s.resolve(next, l)
		if err != nil {
			return "", err
		}
		if at = append(at[:0], to...); !f.mayLeadTo(at) {
			return "", refuse(f.name, "symbolic link to %q, which leads out of the package by the link %q",
				clip(target), s.files[next].name)
		}
	}
	s.resolved[i] = string(at)
	return s.resolved[i], nil
}

// step follows an element of a path from at, which begins with a slash. It returns false if the
// element leads out of the package. It changes at in place, because paths have many elements.
func step(at []byte, element string) ([]byte, bool) {
	switch {
	case element == "" || element == ".":
		return at, true
	case element == ".." && len(at) == 1:
		return at, false
	case element == "..":
		return at[:max(bytes.LastIndexByte(at, '/'), 1)], true
	case len(at) > 1:
		at = append(at, '/')
	}
	return append(at, element...), true
}

// mayLeadTo reports whether a link may have a target: if the link is below extension/, the target
// must be too.
func (f *file) mayLeadTo(at []byte) bool {
	const root = "/extension"
	rest, below := bytes.CutPrefix(at, []byte(root))
	return !strings.HasPrefix(f.name, root[1:]+"/") || below && (len(rest) == 0 || rest[0] == '/')
}

// target returns where a link points to, with slashes. It refuses absolute targets.
func (f *file) target(l Limits) (string, error) {
	if f.size() > l.PathBytes {
		return "", refuse(f.name, "symbolic link with a target of %d bytes, more than the limit of %d",
			f.size(), l.PathBytes)
	}
	var text bytes.Buffer
	err := f.read(func(r io.Reader) error {
		_, err := text.ReadFrom(r)
		return err
	})
	if err != nil {
		return "", err
	}
	target := strings.ReplaceAll(text.String(), `\`, "/")
	switch {
	case !utf8.ValidString(target) || strings.ContainsFunc(target, unicode.IsControl):
		return "", refuse(f.name, "symbolic link whose target contains control characters or is not UTF-8")
	case strings.HasPrefix(target, "/") || drive.MatchString(target):
		return "", refuse(f.name, "symbolic link to %q, an absolute path", clip(target))
	}
	return target, nil
}
