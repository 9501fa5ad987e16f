package readme

import (
	"path"
	"regexp"
	"strings"
)

// Source: https://github.com/jfromaniello/url-join at 4.0.1.
var (
	bareScheme = regexp.MustCompile(`^[^/:]+:/*$`)
	scheme     = regexp.MustCompile(`^([^/:]+):/*`)
	jointSlash = regexp.MustCompile(`/(\?|&|#[^!])`)
)

// join joins the parts of a URL, none of which is empty, with one slash each, but none before a
// query or a fragment. It combines several queries into one.
func join(parts ...string) string {
	if bareScheme.MatchString(parts[0]) && len(parts) > 1 {
		parts = append([]string{parts[0] + parts[1]}, parts[2:]...)
	}
	slashes := "://"
	if strings.HasPrefix(parts[0], "file:///") {
		slashes = ":///"
	}
	joined := make([]string, len(parts))
	for i, p := range parts {
		joined[i] = trimPart(p, i > 0, i < len(parts)-1)
	}
	joined[0] = trimPart(scheme.ReplaceAllString(parts[0], "${1}"+slashes), false, len(parts) > 1)
	s := jointSlash.ReplaceAllString(strings.Join(joined, "/"), "$1")
	address, query, found := strings.Cut(s, "?")
	if !found {
		return s
	}
	return address + "?" + strings.ReplaceAll(query, "?", "&")
}

// trimPart removes slashes at the beginning if a part precedes s, and at the end if one follows. At
// the end of the URL it keeps one slash.
func trimPart(s string, before, after bool) string {
	if before {
		s = strings.TrimLeft(s, "/")
	}
	trimmed := strings.TrimRight(s, "/")
	if !after && trimmed != s {
		return trimmed + "/"
	}
	return trimmed
}

// clean is path.Clean, but keeps a slash at the end.
// Source: https://nodejs.org/api/path.html#pathnormalizepath
func clean(s string) string {
	cleaned := path.Clean(s)
	if strings.HasSuffix(s, "/") && cleaned != "/" {
		cleaned += "/"
	}
	return cleaned
}
