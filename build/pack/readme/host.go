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

// A host is where the repository is; the zero value is nowhere known.
type host struct {
	root            string // gitHubRoot or gitLabRoot
	repository      string // its address
	content, images string // base addresses
	issues          string // between the address of a repository and an issue's number
}

// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
var (
	gitHub = regexp.MustCompile(`github(?:\.com/|:)([^/]+/[^/]+)(?:/|$)`)
	gitLab = regexp.MustCompile(`gitlab(?:\.com/|:)([^/]+(?:/[^/]+)+)(?:/|$)`)
	dotGit = regexp.MustCompile(`(?i)\.git$`)
)

// guess tells the host from the text of the repository. It knows github.com and
// gitlab.com, if a slash or github: or gitlab: is before the owner; owner/name alone
// and git@github.com:owner/name it does not.
func guess(o Options) host {
	branch := cmp.Or(o.GitHubBranch, o.GitLabBranch, "HEAD")
	if m := gitHub.FindStringSubmatch(o.Repository); m != nil {
		return newHost(gitHubRoot, m[1], "", branch)
	}
	if m := gitLab.FindStringSubmatch(o.Repository); m != nil {
		return newHost(gitLabRoot, m[1], "/-", branch)
	}
	return host{}
}

// newHost takes the address of a host, the project on it, and what comes between a
// project and its pages.
func newHost(root, project, pages, branch string) host {
	at := root + "/" + dotGit.ReplaceAllString(project, "")
	return host{
		root:       root,
		repository: at,
		content:    at + pages + "/blob/" + branch,
		images:     at + pages + "/raw/" + branch,
		issues:     strings.TrimPrefix(pages+"/issues", "/"),
	}
}

// A base is what comes before relative links; "" is unknown.
type base struct{ content, images string }

func (h host) base(o Options) base {
	return base{
		content: cmp.Or(o.ContentURL, h.content),
		images:  cmp.Or(o.ImagesURL, o.ContentURL, h.images),
	}
}
