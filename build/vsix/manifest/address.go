package manifest

import (
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"galbuild/build/ecmascript"
)

// address contains the parts of the address of a repository, in which percent-encoding is not
// decoded.
type address struct {
	scheme   string // lower case, without the colon
	user     string // user or user:password, percent-encoded
	host     string // without the port
	path     string // begins with a slash if there is a host
	fragment string // the part after #
}

// parseAddress parses a URL, owner/name, or an address of git such as git@host:owner/name. It
// parses URLs as browsers do, and first turns the other forms into URLs.
// Source: https://url.spec.whatwg.org/#url-parsing and hosted-git-info 4.1.
func parseAddress(s string) (address, bool) {
	if isShort(s) {
		s = "github:" + s
	}
	s = withScheme(s)
	if a, ok := parseURL(s); ok {
		return a, true
	}
	return parseURL(correctSCP(s))
}

// isShort reports whether s is owner/name or owner/name#branch.
func isShort(s string) bool {
	short, _, _ := strings.Cut(s, "#")
	owner, name, ok := strings.Cut(short, "/")
	return ok && owner != "" && name != "" && !strings.HasPrefix(owner, ".") &&
		!strings.Contains(name, "/") && !strings.ContainsAny(short, ":@") &&
		!strings.ContainsFunc(short, ecmascript.IsSpace)
}

// withScheme adds a scheme to an address that has a user but no scheme, and slashes after an
// unknown scheme.
func withScheme(s string) string {
	colon, at := strings.IndexByte(s, ':'), strings.IndexByte(s, '@')
	switch {
	case knownScheme(s[:colon+1]):
		return s
	case at > colon:
		return "git+ssh://" + s
	case at >= 0 || strings.Index(s, "//") == colon+1:
		return s
	}
	return s[:colon+1] + "//" + s[colon+1:]
}

func knownScheme(s string) bool {
	for _, h := range hosts {
		if s == h.shortcut+":" {
			return true
		}
	}
	switch s {
	case "http:", "https:", "git:", "git+ssh:", "git+https:", "ssh:":
		return true
	}
	return false
}

// correctSCP replaces the last colon with a slash, as in host:owner/name.
func correctSCP(s string) string {
	before, at := s, strings.IndexByte(s, '@')
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		before = s[:i]
	}
	colon := strings.LastIndexByte(before, ':')
	if colon <= at {
		return ""
	}
	corrected := s[:colon] + "/" + s[colon+1:]
	if !strings.Contains(corrected, ":") && !strings.Contains(s, "//") {
		return "git+ssh://" + corrected
	}
	return corrected
}

// parseURL parses a URL like new URL(s) in JavaScript.
func parseURL(s string) (address, bool) {
	u, err := url.Parse(s)
	if err != nil {
		return address{}, false
	}
	a := address{
		scheme: u.Scheme(), user: u.Username(), host: u.Hostname(),
		path: u.Pathname(), fragment: u.Fragment(),
	}
	if u.Password() != "" {
		a.user += ":" + u.Password()
	}
	return a, true
}
