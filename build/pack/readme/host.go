package readme

import (
	"cmp"
	"regexp"
	"strings"
)

const (
	gitHubRoot = "https://github.com"
	gitLabRoot = "https://gitlab.com"
)

// A host has the URLs of a repository on GitHub or GitLab. The zero value is an unknown host.
type host struct {
	root            string // gitHubRoot or gitLabRoot
	repository      string // URL
	content, images string // base URLs
	issues          string // path of issues below a repository
}

// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
var (
	gitHub = regexp.MustCompile(`github(?:\.com/|:)([^/]+/[^/]+)(?:/|$)`)
	gitLab = regexp.MustCompile(`gitlab(?:\.com/|:)([^/]+(?:/[^/]+)+)(?:/|$)`)
	dotGit = regexp.MustCompile(`(?i)\.git$`)
)

// detectHost returns the host in Options.Repository. It detects github.com and gitlab.com if the
// owner follows a slash, github: or gitlab:. It does not detect owner/name alone or
// git@github.com:owner/name.
func detectHost(o Options) host {
	branch := cmp.Or(o.GitHubBranch, o.GitLabBranch, "HEAD")
	if m := gitHub.FindStringSubmatch(o.Repository); m != nil {
		return newHost(gitHubRoot, m[1], "", branch)
	}
	if m := gitLab.FindStringSubmatch(o.Repository); m != nil {
		return newHost(gitLabRoot, m[1], "/-", branch)
	}
	return host{}
}

// newHost returns the URLs of a project. root is the URL of the host; pages is the path between
// the project and its pages.
func newHost(root, project, pages, branch string) host {
	url := root + "/" + dotGit.ReplaceAllString(project, "")
	return host{
		root:       root,
		repository: url,
		content:    url + pages + "/blob/" + branch,
		images:     url + pages + "/raw/" + branch,
		issues:     strings.TrimPrefix(pages+"/issues", "/"),
	}
}

// A base has the base URLs of relative links and images; "" is unknown.
type base struct{ content, images string }

func (h host) base(o Options) base {
	return base{
		content: cmp.Or(o.ContentURL, h.content),
		images:  cmp.Or(o.ImagesURL, o.ContentURL, h.images),
	}
}
