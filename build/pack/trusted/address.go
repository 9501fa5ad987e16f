package trusted

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// parse reads an address as browsers do, who forgive much that net/url does not:
// https:\\Example.COM\a b.png is https://example.com/a%20b.png. Only of HTTPS
// addresses it tells more than the scheme. Path and the parts after it are as
// written, but for dots and backslashes in Path. The error is ErrAddress.
// Source: https://url.spec.whatwg.org/#concept-basic-url-parser
func parse(address string) (*url.URL, error) {
	address = strings.TrimFunc(address, func(r rune) bool { return r <= ' ' })
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(address)
	scheme, rest, found := strings.Cut(address, ":")
	if !found || !isScheme(scheme) {
		return nil, ErrAddress
	}
	u := &url.URL{Scheme: strings.ToLower(scheme)}
	if u.Scheme != "https" {
		u.Opaque = rest
		return u, nil
	}
	rest, u.Fragment, _ = strings.Cut(rest, "#")
	rest, u.RawQuery, _ = strings.Cut(rest, "?")
	rest = strings.TrimLeft(strings.ReplaceAll(rest, `\`, "/"), "/")
	authority, path, _ := strings.Cut(rest, "/")
	user, host, at := cutLast(authority, "@")
	if at {
		u.User = url.User(user)
	}
	u.Path = "/" + resolveDots(path)
	var ok bool
	if u.Host, ok = parseHost(host); !ok {
		return nil, ErrAddress
	}
	return u, nil
}

func isScheme(s string) bool {
	for i, c := range []byte(strings.ToLower(s)) {
		if !('a' <= c && c <= 'z') && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	return s != ""
}

// cutLast cuts s around the last sep; without one all of s is after it.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// resolveDots takes the segments . and .. out of a path.
func resolveDots(path string) string {
	var kept []string
	segments := strings.Split(path, "/")
	for i, s := range segments {
		dots := strings.ReplaceAll(strings.ToLower(s), "%2e", ".")
		if dots == ".." && len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
		if dots != "." && dots != ".." {
			kept = append(kept, s)
		} else if i == len(segments)-1 {
			kept = append(kept, "") // the slash before it stays
		}
	}
	return strings.Join(kept, "/")
}

// parseHost returns a host and its port as browsers write them.
func parseHost(s string) (string, bool) {
	name, port := splitPort(s)
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", false
		}
		port = ":" + strconv.FormatUint(n, 10)
	}
	if port == ":443" {
		port = ""
	}
	if v6, bracketed := strings.CutPrefix(name, "["); bracketed {
		v6, bracketed = strings.CutSuffix(v6, "]")
		a, err := netip.ParseAddr(v6)
		return name + port, bracketed && err == nil && a.Is6() && a.Zone() == ""
	}
	name, ok := parseDomain(name)
	return name + port, ok
}

// splitPort cuts s at the first colon outside of brackets.
func splitPort(s string) (name, port string) {
	i := strings.IndexByte(s, ':')
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if i = strings.IndexByte(s[max(end, 0):], ':'); i >= 0 {
			i += max(end, 0)
		}
	}
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// parseDomain returns a name in lower case and with xn--.
func parseDomain(s string) (string, bool) {
	s, ok := toASCII(unescape(s))
	forbidden := strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune("#/:<>?@[\\]^|%\x7f", r) })
	return s, ok && s != "" && !forbidden && (!endsInNumber(s) || isIPv4(s))
}

// toASCII does not look into the xn-- of a name that is ASCII already, as Node.
func toASCII(s string) (string, bool) {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToLower(s), true
	}
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.Transitional(false),
		idna.CheckHyphens(false), idna.StrictDomainName(false), idna.VerifyDNSLength(false))
	ascii, err := profile.ToASCII(s)
	return ascii, err == nil && utf8.ValidString(s)
}

// unescape decodes percent escapes, and leaves alone what is none.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c, ok := escaped(s[i:])
		if ok {
			i += 2
		} else {
			c = s[i]
		}
		b.WriteByte(c)
	}
	return b.String()
}

// endsInNumber tells whether browsers take the domain for an IPv4 address.
func endsInNumber(s string) bool {
	_, last, _ := cutLast(strings.TrimSuffix(s, "."), ".")
	if last == "" {
		return false
	}
	if strings.Trim(last, "0123456789") == "" {
		return true
	}
	_, ok := parseNumber(last)
	return ok
}

// isIPv4 tells whether s is one to four numbers; the last fills what is left of 32 bits.
func isIPv4(s string) bool {
	parts := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(parts) > 4 {
		return false
	}
	for i, p := range parts {
		n, ok := parseNumber(p)
		limit := uint64(1) << 8
		if i == len(parts)-1 {
			limit = 1 << (8 * (5 - len(parts)))
		}
		if !ok || n >= limit {
			return false
		}
	}
	return true
}

// parseNumber reads a part of an IPv4 address: decimal, 0 and octal, 0x and hexadecimal.
func parseNumber(s string) (uint64, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		s, base = "0"+hex, 16
	} else if len(s) > 1 && s[0] == '0' {
		base = 8
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}
