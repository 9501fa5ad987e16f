package source

import (
	"net/url"
	"path/filepath"
	"strings"
)

// The origin of an item is kept in the site for auditors. It tells nothing about the machine that
// the item was read on, so that the same sources give the same site everywhere:
//
//	acme/hello-1.0.0.vsix          a path below a folder that was given, or where a glob begins
//	hello-1.0.0.vsix               the name of a file that was given itself
//	https://host/hello-1.0.0.vsix  the URL, without user, query and fragment
//	-                              standard input
const stdinOrigin = "-"

// originOf returns the origin of a download.
func originOf(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// IsURL reports whether an origin is a URL.
func IsURL(origin string) bool { return scheme.MatchString(origin) }

// below returns the origin of a file with this name in messages.
func (x *expansion) below(name string) string {
	rest, ok := strings.CutPrefix(name, x.base)
	if x.base == "." {
		rest, ok = name, !filepath.IsAbs(name)
	}
	rest = strings.TrimLeft(filepath.ToSlash(rest), "/")
	if !ok || rest == "" {
		return filepath.Base(name)
	}
	return rest
}
