package pictures

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// A Repository is where the author of an extension keeps its source code.
type Repository struct {
	host, owner, name string
	dir               string // of the extension in the repository; "" for its root
}

// ParseRepository returns the repository on GitHub or GitLab with the address that package.json
// states, in which the extension is in the folder dir. Of any other address, it returns the zero
// value.
func ParseRepository(address, dir string) Repository {
	address = strings.TrimSuffix(strings.TrimPrefix(address, "git+"), "/")
	u, err := url.Parse(address)
	if err != nil {
		return Repository{}
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if host != "github.com" && host != "gitlab.com" || len(parts) < 2 {
		return Repository{}
	}
	if host == "github.com" {
		parts = parts[:2]
	}
	last := len(parts) - 1
	return Repository{
		host: host, owner: strings.Join(parts[:last], "/"), name: strings.TrimSuffix(parts[last], ".git"),
		dir: strings.Trim(path.Clean("/"+dir), "/"),
	}
}

// File returns the path, in the extension's folder, of the file that a readme shows as a picture.
// The address is relative, or one of the repository, because packers replace relative addresses by
// those, such as
//
//	https://github.com/acme/notes/raw/HEAD/images/list.png
//	https://raw.githubusercontent.com/acme/notes/main/images/list.png
//	https://gitlab.com/acme/notes/-/raw/main/images/list.png
//
// The branch does not matter: the file in the package is the one that the author packed.
func (r Repository) File(address string) (file string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", false
	}
	file = u.Path
	if u.Host != "" || u.Scheme != "" {
		if u.Scheme != "https" && u.Scheme != "http" {
			return "", false
		}
		if file, ok = r.fileOf(strings.ToLower(u.Host), u.Path); !ok {
			return "", false
		}
		if file, ok = r.below(file); !ok {
			return "", false
		}
	}
	if strings.ContainsAny(file, "\\\x00") {
		return "", false
	}
	// A path that leads out of the folder stays in it, and names no file or another one that
	// belongs to the package.
	file = strings.TrimPrefix(path.Clean("/"+file), "/")
	return file, file != ""
}

// Absolute returns the absolute address of a picture that a readme shows. If the address is
// relative, it is that of the file in the repository, which packers write. ok is false if there is
// none.
func (r Repository) Absolute(address string) (absolute string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Opaque != "" {
		return "", false
	}
	switch {
	case u.Host != "":
		u.Scheme = cmp.Or(u.Scheme, "https")
		return u.String(), u.Scheme == "https" || u.Scheme == "http"
	case u.Scheme != "" || u.Path == "" || r.host == "":
		return "", false
	}
	raw := "/raw/HEAD/"
	if r.host == "gitlab.com" {
		raw = "/-/raw/HEAD/"
	}
	file := path.Clean("/" + path.Join(r.dir, u.Path))
	at := url.URL{Scheme: "https", Host: r.host, Path: "/" + r.owner + "/" + r.name + raw + file[1:]}
	return at.String(), true
}

// fileOf returns the path in the repository of a file with an address on a host.
func (r Repository) fileOf(host, address string) (string, bool) {
	rest, ok := cutFold(address, "/"+r.owner+"/"+r.name+"/")
	if !ok {
		return "", false
	}
	switch {
	case host == "raw.githubusercontent.com" && r.host == "github.com":
	case host != r.host:
		return "", false
	case r.host == "gitlab.com":
		if rest, ok = cutAny(rest, "-/raw/", "-/blob/", "raw/", "blob/"); !ok {
			return "", false
		}
	default:
		if rest, ok = cutAny(rest, "raw/", "blob/"); !ok {
			return "", false
		}
	}
	if branch, ok := cutAny(rest, "refs/heads/", "refs/tags/"); ok {
		rest = branch
	}
	_, file, ok := strings.Cut(rest, "/")
	return file, ok
}

// below returns the path in the extension's folder of a file in the repository.
func (r Repository) below(file string) (string, bool) {
	if r.dir == "" {
		return file, true
	}
	return strings.CutPrefix(file, r.dir+"/")
}

func cutAny(s string, prefixes ...string) (string, bool) {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return rest, true
		}
	}
	return s, false
}

// cutFold cuts a prefix in any case of letters, as GitHub ignores the case of owners and names.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// Escape returns a path as a part of an address that needs no escapes in Markdown or HTML: all
// characters are percent-encoded, except for letters, digits and /.@~_-.
func Escape(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if r := rune(c); c < utf8.RuneSelf && c != '%' && c != ':' && !needsEscape(r) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
