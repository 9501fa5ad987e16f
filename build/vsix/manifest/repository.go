package manifest

import (
	"net/url"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// repository contains the address of the source, and those of its issues and its readme, which are
// "" if the host is unknown.
type repository struct{ url, issues, readme string }

// host is a host of repositories with known forms of addresses.
//
// Source: https://github.com/npm/hosted-git-info, version 4.1, with noGitPlus as in vsce.
type host struct {
	shortcut, domain string
	schemes          []string // schemes of its URLs
	tree             string   // path element of branches in URLs of pages
}

var hosts = []host{
	{"github", "github.com", []string{"git", "http", "git+ssh", "git+https", "ssh", "https"}, "tree"},
	{"gitlab", "gitlab.com", []string{"git+ssh", "git+https", "ssh", "https"}, "tree"},
	{"bitbucket", "bitbucket.org", []string{"git+ssh", "git+https", "ssh", "https"}, "src"},
	{"gist", "gist.github.com", []string{"git", "git+ssh", "git+https", "ssh", "https"}, ""},
	{"sourcehut", "git.sr.ht", []string{"git+ssh", "https"}, "tree"},
}

// withUser are the schemes with which the user and password are kept.
var withUser = []string{"git", "https", "git+https", "http"}

// hosted is a repository on a known host. Only for a gist, its owner may be "".
type hosted struct {
	host
	user, owner, name, branch string
}

// parseRepository parses the repository of package.json. If it is not on a known host, its URL is
// returned as written.
func parseRepository(s string) repository {
	p, ok := findHosted(s)
	if !ok {
		return repository{url: s}
	}
	return repository{p.source(), p.issues(), p.readme()}
}

func findHosted(s string) (hosted, bool) {
	a, ok := parseAddress(s)
	if !ok {
		return hosted{}, false
	}
	if i := slices.IndexFunc(hosts, func(h host) bool { return h.shortcut == a.scheme }); i >= 0 {
		return hosts[i].short(a)
	}
	domain := strings.TrimPrefix(a.host, "www.")
	i := slices.IndexFunc(hosts, func(h host) bool { return h.domain == domain })
	if i < 0 || !slices.Contains(hosts[i].schemes, a.scheme) {
		return hosted{}, false
	}
	return hosts[i].full(a)
}

// short parses github:owner/name#branch. It ignores a user and password before an @.
func (h host) short(a address) (hosted, bool) {
	path := strings.TrimPrefix(a.path, "/")
	if _, after, ok := strings.Cut(path, "@"); ok {
		path = after
	}
	p := hosted{host: h, name: path, branch: a.fragment}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		p.owner, p.name = path[:i], path[i+1:]
	}
	ok := p.decode()
	p.name = strings.TrimSuffix(p.name, ".git")
	return p, ok && p.complete()
}

// full parses https://host/owner/name, and a branch after it.
func (h host) full(a address) (hosted, bool) {
	p := hosted{host: h, branch: a.fragment}
	if slices.Contains(withUser, a.scheme) {
		p.user = a.user
	}
	// The parts are owner, name and the rest.
	parts := append(strings.Split(strings.TrimPrefix(a.path, "/"), "/"), "", "", "", "")
	p.owner, p.name = parts[0], parts[1]
	more := parts[2]
	switch h.shortcut {
	case "github":
		if more == "tree" {
			p.branch = parts[3]
		}
	case "gitlab":
		p.owner, p.name = lastPart(strings.TrimPrefix(a.path, "/"))
	case "gist":
		if p.name == "" {
			p.owner, p.name = "", p.owner
		}
	}
	if h.isFile(a.path, more) {
		return hosted{}, false
	}
	p.name = strings.TrimSuffix(p.name, ".git")
	return p, p.complete() && p.decode()
}

// complete reports whether it has a name and an owner. vsce writes null or undefined for missing
// parts.
func (p hosted) complete() bool {
	return p.name != "" && (p.owner != "" || p.shortcut == "gist")
}

// isFile reports whether the address is that of a file in a repository. more is the path element
// after the name.
func (h host) isFile(path, more string) bool {
	switch h.shortcut {
	case "github":
		return more != "" && more != "tree"
	case "gitlab": // repositories may be in folders
		rest := path[min(1, len(path)):]
		return strings.Contains(rest, "/-/") || strings.Contains(rest, "/archive.tar.gz")
	case "bitbucket":
		return more == "get"
	case "gist":
		return more == "raw"
	}
	return more == "archive"
}

func lastPart(path string) (before, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// decode decodes percent-encoding. It returns false if the result is not UTF-8.
func (p *hosted) decode() bool {
	for _, s := range []*string{&p.owner, &p.name, &p.branch} {
		plain, err := url.PathUnescape(*s)
		if err != nil || strings.ToValidUTF8(plain, "") != plain {
			return false
		}
		*s = plain
	}
	return true
}

func (p hosted) source() string {
	fragment := ""
	if p.branch != "" {
		fragment = "#" + p.branch
	}
	switch {
	case p.shortcut == "gist":
		return p.page() + ".git" + fragment
	case p.user != "" && p.shortcut != "sourcehut":
		return "https://" + p.user + "@" + strings.TrimPrefix(p.page(), "https://") + ".git" + fragment
	}
	return p.page() + ".git" + fragment
}

func (p hosted) page() string {
	if p.shortcut == "gist" {
		return "https://" + p.domain + "/" + p.name
	}
	return "https://" + p.domain + "/" + p.owner + "/" + p.name
}

func (p hosted) issues() string {
	switch p.shortcut {
	case "gist":
		return p.page()
	case "sourcehut":
		return "https://todo.sr.ht/" + p.owner + "/" + p.name
	}
	return p.page() + "/issues"
}

func (p hosted) readme() string {
	page, branch := p.page(), ecmascript.EncodeURIComponent(p.branch)
	switch {
	case p.shortcut == "gist" && branch != "":
		return page + "/" + branch
	case p.shortcut == "gist":
		return page
	case branch != "":
		page += "/" + p.tree + "/" + branch
	}
	return page + "#readme"
}
