package manifest

import (
	"strconv"
	"strings"
	"unicode"
)

// address is what a repository's address consists of, before %20 and the like are
// decoded.
type address struct {
	scheme   string // lower case, without the colon
	user     string // or user:password, encoded
	host     string // without the port
	path     string // begins with a slash, or else there is no host
	fragment string // what follows #
}

// parseAddress reads an address in full, owner/name, and the forms of git
// (git@host:owner/name). It takes what a browser takes, and corrects what is none.
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

// isShort tells whether s is owner/name, with or without #branch.
func isShort(s string) bool {
	short, _, _ := strings.Cut(s, "#")
	owner, name, ok := strings.Cut(short, "/")
	return ok && owner != "" && name != "" && !strings.HasPrefix(owner, ".") &&
		!strings.Contains(name, "/") && !strings.ContainsAny(short, ":@") && !strings.ContainsFunc(short, isSpace)
}

// isSpace is JavaScript's \s.
func isSpace(r rune) bool { return r == '\uFEFF' || unicode.IsSpace(r) && r != '\u0085' }

// withScheme puts a scheme before what has a user but no scheme, and slashes
// after an unknown scheme.
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

// correctSCP makes a path of what follows the last colon: host:owner/name.
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

// parseURL reads what new URL(s) takes, as far as known hosts can be in it.
func parseURL(s string) (address, bool) {
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }))
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !goodScheme(scheme) {
		return address{}, false
	}
	a := address{scheme: strings.ToLower(scheme)}
	rest, a.fragment, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	if a.scheme == "http" || a.scheme == "https" {
		rest = "//" + strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	}
	authority, ok := strings.CutPrefix(rest, "//")
	if !ok {
		a.path = rest
		if after, ok := strings.CutPrefix(rest, "/"); ok {
			a.path = cleanPath(after)
		}
		return a, true
	}
	authority, a.path, _ = strings.Cut(authority, "/")
	a.path = cleanPath(a.path)
	return a, a.setAuthority(authority)
}

func goodScheme(s string) bool {
	for i := range len(s) {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || !wordByte(s[i]) && !strings.Contains("+.-", s[i:i+1]) || s[i] == '_') {
			return false
		}
	}
	return s != ""
}

// setAuthority reads user:password@host:port.
func (a *address) setAuthority(s string) bool {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		user, password, _ := strings.Cut(s[:i], ":")
		a.user, s = encodeUser(user), s[i+1:]
		if password != "" {
			a.user += ":" + encodeUser(password)
		}
	}
	host, port, _ := strings.Cut(s, ":")
	if a.scheme == "http" || a.scheme == "https" {
		host = strings.ToLower(host)
	}
	a.host = host
	_, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil
}

// cleanPath resolves dots in a path without the slash before it, which it adds.
// Slashes at the end and double ones stay.
func cleanPath(p string) string {
	var clean []string
	parts := strings.Split(p, "/")
	for i, part := range parts {
		switch strings.ReplaceAll(strings.ToLower(part), "%2e", ".") {
		case ".":
		case "..":
			clean = clean[:max(len(clean)-1, 0)]
		default:
			clean = append(clean, part)
			continue
		}
		if i == len(parts)-1 {
			clean = append(clean, "")
		}
	}
	return "/" + strings.Join(clean, "/")
}

func encodeUser(s string) string {
	return percent(s, func(b byte) bool { return b <= ' ' || b >= 0x7F || strings.IndexByte("\"#<>?`{}/:;=@[\\]^|", b) >= 0 })
}

// percent writes the bytes that must not stand as they are as %20 and the like.
func percent(s string, must func(byte) bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if must(s[i]) {
			b.WriteString("%" + string(digits[s[i]>>4]) + string(digits[s[i]&15]))
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
