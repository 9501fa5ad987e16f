package manifest

import (
	"net/url"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// repository is where the source is, and what follows from it: addresses of its
// issues and its readme, "" if the host is unknown.
type repository struct{ url, issues, readme string }

// host is one whose addresses follow rules.
// Source: https://github.com/npm/hosted-git-info, version 4.1, as vsce calls it
// (noGitPlus).
type host struct {
	shortcut, domain string
	schemes          []string // of addresses in full
	tree             string   // folder of branches in addresses of pages
}

var hosts = []host{
	{"github", "github.com", []string{"git", "http", "git+ssh", "git+https", "ssh", "https"}, "tree"},
	{"gitlab", "gitlab.com", []string{"git+ssh", "git+https", "ssh", "https"}, "tree"},
	{"bitbucket", "bitbucket.org", []string{"git+ssh", "git+https", "ssh", "https"}, "src"},
	{"gist", "gist.github.com", []string{"git", "git+ssh", "git+https", "ssh", "https"}, ""},
	{"sourcehut", "git.sr.ht", []string{"git+ssh", "https"}, "tree"},
}

// withUser are the schemes whose user and password are kept.
var withUser = []string{"git", "https", "git+https", "http"}

// place is a repository on a known host. Its owner is "" for a gist only.
type place struct {
	host
	user, owner, name, branch string
}

// parseRepository reads package.json's repository. What is not on a known host is
// kept as written.
func parseRepository(s string) repository {
	p, ok := findPlace(s)
	if !ok {
		return repository{url: s}
	}
	return repository{p.source(), p.issues(), p.readme()}
}

func findPlace(s string) (place, bool) {
	a, ok := parseAddress(s)
	if !ok {
		return place{}, false
	}
	if i := slices.IndexFunc(hosts, func(h host) bool { return h.shortcut == a.scheme }); i >= 0 {
		return hosts[i].short(a)
	}
	domain := strings.TrimPrefix(a.host, "www.")
	i := slices.IndexFunc(hosts, func(h host) bool { return h.domain == domain })
	if i < 0 || !slices.Contains(hosts[i].schemes, a.scheme) {
		return place{}, false
	}
	return hosts[i].full(a)
}

// short reads github:owner/name#branch; user and password before an @ are dropped.
func (h host) short(a address) (place, bool) {
	path := strings.TrimPrefix(a.path, "/")
	if _, after, ok := strings.Cut(path, "@"); ok {
		path = after
	}
	p := place{host: h, name: path, branch: a.fragment}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		p.owner, p.name = path[:i], path[i+1:]
	}
	ok := p.decode()
	p.name = strings.TrimSuffix(p.name, ".git")
	return p, ok && p.complete()
}

// full reads https://host/owner/name and what may follow it.
func (h host) full(a address) (place, bool) {
	p := place{host: h, branch: a.fragment}
	if slices.Contains(withUser, a.scheme) {
		p.user = a.user
	}
	parts := append(strings.Split(strings.TrimPrefix(a.path, "/"), "/"), "", "", "", "") // owner, name, more
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
		return place{}, false
	}
	p.name = strings.TrimSuffix(p.name, ".git")
	return p, p.complete() && p.decode()
}

// complete tells whether nothing is missing in it. vsce goes on with null or
// undefined for what is.
func (p place) complete() bool {
	return p.name != "" && (p.owner != "" || p.shortcut == "gist")
}

// isFile tells whether the address is of something in the repository. more is
// what follows the name.
func (h host) isFile(path, more string) bool {
	switch h.shortcut {
	case "github":
		return more != "" && more != "tree"
	case "gitlab": // its repositories may be in folders
		return strings.Contains(path[min(1, len(path)):], "/-/") || strings.Contains(path[min(1, len(path)):], "/archive.tar.gz")
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

// decode replaces %20 and the like, unless they hide bytes that are no text.
func (p *place) decode() bool {
	for _, s := range []*string{&p.owner, &p.name, &p.branch} {
		plain, err := url.PathUnescape(*s)
		if err != nil || strings.ToValidUTF8(plain, "") != plain {
			return false
		}
		*s = plain
	}
	return true
}

func (p place) source() string {
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

func (p place) page() string {
	if p.shortcut == "gist" {
		return "https://" + p.domain + "/" + p.name
	}
	return "https://" + p.domain + "/" + p.owner + "/" + p.name
}

func (p place) issues() string {
	switch p.shortcut {
	case "gist":
		return p.page()
	case "sourcehut":
		return "https://todo.sr.ht/" + p.owner + "/" + p.name
	}
	return p.page() + "/issues"
}

func (p place) readme() string {
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
