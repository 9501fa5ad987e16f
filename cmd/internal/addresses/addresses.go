// Package addresses distinguishes addresses from paths in the flags and arguments of both
// programs. Without it, s3://vsix/gallery would silently become a folder vsix/gallery in a folder
// called s3:.
package addresses

import (
	"regexp"
	"strings"
)

// pattern matches the scheme of an address, as in s3://vsix or dropbox:/gallery. A scheme has two
// characters or more, since one letter is a drive of Windows.
var pattern = regexp.MustCompile(`^([a-z][a-z0-9+.-]+):`)

// remote matches a folder of another machine, as scp and rsync write it: user@host:path.
var remote = regexp.MustCompile(`^[a-z0-9._-]+@[a-z0-9.-]+:`)

// Scheme returns the scheme of an address in lower case, such as "s3", "ssh" for
// user@host:path, or "" for a path. A file whose name looks like an address is named with ./
// in front, as for scp.
func Scheme(s string) string {
	s = strings.ToLower(s)
	if m := pattern.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	if remote.MatchString(s) {
		return "ssh"
	}
	return ""
}

// IsWeb reports whether s is an http or https address.
func IsWeb(s string) bool {
	scheme := Scheme(s)
	return scheme == "http" || scheme == "https"
}

// Path returns the path of a file: address.
func Path(s string) string {
	path := strings.TrimPrefix(s[len("file:"):], "//localhost/")
	return "/" + strings.TrimLeft(path, "/")
}
