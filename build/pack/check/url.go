package check

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

// parseURL reads an absolute address as browsers do (https://url.spec.whatwg.org/#url-parsing),
// so that https:\\host is one. Of addresses other than http and https it reads the
// scheme only. The path is not unescaped.
func parseURL(s string) (*url.URL, bool) {
	s = strings.TrimFunc(s, func(c rune) bool { return c <= ' ' })
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	name, rest, ok := strings.Cut(s, ":")
	if !ok || !scheme.MatchString(name) {
		return nil, false
	}
	u := &url.URL{Scheme: strings.ToLower(name)}
	if !isWebScheme(u) {
		return u, true
	}
	rest, u.Fragment, _ = strings.Cut(rest, "#")
	rest, u.RawQuery, _ = strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/"), "/")
	u.Path = "/" + path
	u.Host, ok = parseHost(authority[strings.LastIndex(authority, "@")+1:], u.Scheme)
	return u, ok
}

var hostPort = regexp.MustCompile(`^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$`)

// parseHost returns host and port in lower case, without the scheme's own port.
func parseHost(s, scheme string) (string, bool) {
	m := hostPort.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	host, err := url.PathUnescape(strings.ToLower(m[1]))
	if err != nil || !goodHost(host) {
		return "", false
	}
	port, err := strconv.ParseUint("0"+m[2], 10, 16)
	if err != nil {
		return "", false
	}
	if port == 0 && m[2] == "" || scheme == "https" && port == 443 || scheme == "http" && port == 80 {
		return host, true
	}
	return host + ":" + strconv.FormatUint(port, 10), true
}

func goodHost(host string) bool {
	if address, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(address, "]"))
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if isNumber(labels[len(labels)-1]) { // then it is an IPv4 address, in one of its forms
		for _, label := range labels {
			if !isNumber(label) {
				return false
			}
		}
		return len(labels) <= 4
	}
	return host != "" && !strings.ContainsAny(host, "#/:<>?@[\\]^|%") && !strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c == 0x7F })
}

func isNumber(label string) bool {
	_, err := strconv.ParseUint(label, 0, 32)
	return err == nil && !strings.Contains(label, "_")
}

// decodeURI replaces %XX as JavaScript's function of this name: not those of the
// characters that part an address. It fails if they are not UTF-8.
func decodeURI(s string) (string, bool) {
	var b strings.Builder
	for s != "" {
		before, rest, found := strings.Cut(s, "%")
		b.WriteString(before)
		if !found {
			break
		}
		c, size := utf8.DecodeRune(unhex("%" + rest))
		switch {
		case c == utf8.RuneError && size < 2:
			return "", false
		case strings.ContainsRune(";/?:@&=+$,#", c):
			b.WriteString("%" + rest[:2])
		default:
			b.WriteRune(c)
		}
		s = rest[3*size-1:]
	}
	return b.String(), true
}

// unhex returns the bytes of the %XX that s begins with, at most one character's.
func unhex(s string) []byte {
	var bytes []byte
	for len(s) > 2 && s[0] == '%' && len(bytes) < utf8.UTFMax {
		c, err := strconv.ParseUint(s[1:3], 16, 8)
		if err != nil {
			break
		}
		bytes = append(bytes, byte(c))
		s = s[3:]
	}
	return bytes
}
