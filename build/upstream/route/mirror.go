package route

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// A Mirror is where some or all addresses are requested instead. [ParseMirror] returns one.
type Mirror struct {
	from  *url.URL // what addresses begin with; nil is all
	to    *url.URL // with placeholders in its path, and without credentials
	base  *url.URL // to, up to the first placeholder
	login *url.Userinfo
}

// Placeholders in the path of a mirror.
const (
	hostPlaceholder = "{host}" // the host of the original address, with its port
	pathPlaceholder = "{path}" // what follows FROM, without a slash at the beginning
)

// errMirror describes the form of a mirror.
var errMirror = errors.New("want FROM=TO, such as https://open-vsx.org=https://mirror.example/openvsx, " +
	"or https://mirror.example/{host}/{path} for all addresses")

// ParseMirror parses FROM=TO, two http or https addresses. What follows FROM in an address is
// appended to TO, or replaces {path} in it. TO may also have {host}, and is then a mirror of all
// addresses if there is no FROM. TO may have a user and a password. Errors do not contain the text.
func ParseMirror(text string) (m Mirror, err error) {
	from, to, ok := cutAddresses(text)
	if ok {
		m.from, err = parse(from)
	} else if to = text; !strings.Contains(to, hostPlaceholder) {
		err = errMirror
	}
	if err != nil {
		return m, err
	}
	if m.to, err = parse(to); err != nil {
		return m, err
	}
	if m.from != nil && m.from.User != nil {
		return m, fmt.Errorf("the first address of a mirror has credentials; %w", errMirror)
	}
	m.login, m.to.User = m.to.User, nil
	fixed, _, _ := strings.Cut(m.to.Path, "{")
	m.base = &url.URL{Scheme: m.to.Scheme, Host: m.to.Host, Path: fixed}
	return m, nil
}

// cutAddresses cuts FROM=TO. Addresses may contain other equals signs.
func cutAddresses(text string) (from, to string, ok bool) {
	for _, scheme := range []string{"=https://", "=http://"} {
		if i := strings.Index(text, scheme); i >= 0 {
			return text[:i], text[i+1:], true
		}
	}
	return "", "", false
}

// parse returns an address of a mirror.
func parse(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || !isWeb(u) || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("an address of a mirror is malformed; %w", errMirror)
	}
	return u, nil
}

// address returns where an address is requested, or nil if that is not m.
func (m *Mirror) address(u *url.URL) *url.URL {
	if _, there := rest(u, m.base); there {
		return nil
	}
	path, ok := u.EscapedPath(), true
	if m.from != nil {
		path, ok = rest(u, m.from)
	}
	if !ok {
		return nil
	}
	to := strings.NewReplacer( // String has escaped the placeholders
		url.PathEscape(hostPlaceholder), u.Host, url.PathEscape(pathPlaceholder), strings.TrimPrefix(path, "/"),
	).Replace(m.to.String())
	if !strings.Contains(m.to.Path, pathPlaceholder) {
		to = strings.TrimRight(to, "/") + path
	}
	sent, err := url.Parse(to)
	if err != nil {
		return nil
	}
	sent.RawQuery = u.RawQuery
	return sent
}

// rest returns what follows a beginning in the path of an address, "" or a path with a slash.
func rest(u, beginning *url.URL) (path string, ok bool) {
	if originOf(u) != originOf(beginning) {
		return "", false
	}
	path, ok = strings.CutPrefix(u.EscapedPath(), strings.TrimRight(beginning.EscapedPath(), "/"))
	return path, ok && (path == "" || path[0] == '/')
}
