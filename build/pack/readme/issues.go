package readme

import (
	"regexp"

	"galbuild/build/ecmascript"
)

// issue is white space, owner/repository or nothing, and a number.
// Source: src/package.ts of https://github.com/microsoft/vscode-vsce at 4.1.
var issue = regexp.MustCompile(`([` + ecmascript.Space + `])([\w-]+/[\w-]+)?#(\d+)\b`)

// linkIssues makes links of #12 and owner/repository#12.
func linkIssues(s string, h host, o Options) string {
	if h.root == "" || h.root == gitHubRoot && o.KeepGitHubIssues || h.root == gitLabRoot && o.KeepGitLabIssues {
		return s
	}
	return replace(issue, s, func(m []string, _ int) string {
		blank, other, number := m[1], m[2], m[3]
		repository := h.repository
		if other != "" {
			repository = h.root + "/" + other
		}
		return blank + "[" + other + "#" + number + "](" + join(repository, h.issues, number) + ")"
	})
}
