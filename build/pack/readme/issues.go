package readme

import (
	"regexp"

	"galbuild/build/ecmascript"
)

// issue matches white space, an optional owner/repository, and a number.
// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
var issue = regexp.MustCompile(`([` + ecmascript.Space + `])([\w-]+/[\w-]+)?#(\d+)\b`)

// linkIssues replaces #12 and owner/repository#12 by links.
func linkIssues(s string, h host, o Options) string {
	if h.root == "" || h.root == gitHubRoot && o.KeepGitHubIssues || h.root == gitLabRoot && o.KeepGitLabIssues {
		return s
	}
	return replace(issue, s, func(m []string, _ int) string {
		space, other, number := m[1], m[2], m[3]
		repository := h.repository
		if other != "" {
			repository = h.root + "/" + other
		}
		return space + "[" + other + "#" + number + "](" + join(repository, h.issues, number) + ")"
	})
}
