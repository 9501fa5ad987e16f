// Package readme makes an extension's readme and change log fit for a gallery,
// where there is no repository around them.
//
// Rewrite gives, byte for byte, the text that vsce 4.1 gives
// (https://github.com/microsoft/vscode-vsce), in this order:
//
//	bytes that are no UTF-8          U+FFFD; a byte order mark, CR and NUL stay
//	[text](docs/a.md)                base address of contents before it
//	![text](a.png)                   base address of images before it
//	<img src="a.png">, <video …>     the same
//	#12, owner/repository#12         link to the issue, if the repository is on GitHub or GitLab
//
// As in vsce these are patterns in the text, which know nothing of Markdown: links
// are rewritten in code and comments too, while reference definitions, <a href>,
// unquoted and upper-case tags and sources with other characters than words have
// are not. What is relative has no scheme:// and no # before it, so command:x is.
//
// The result is then read as GitHub's Markdown, for the images in it: galleries show
// them if package trusted says so, and no <svg> at all.
//
// Three things differ. $ in a base address means nothing, where vsce puts in a part of
// the tag for the $& in an <img>'s. All that is wrong is found, not only the first.
// And Markdown is read by another library, within limits: the two disagree on what
// is an image in few texts, such as one with <select><img> or with an image right
// after a bare address, and in none of 762 real readmes and change logs.
package readme

import (
	"strings"

	"golang.org/x/text/encoding/unicode"

	"galbuild/build/pack/finding"
)

// Options say where links lead. The zero value guesses from the repository.
type Options struct {
	// Repository is the text of package.json's repository, or of its url.
	Repository string
	// ContentURL and ImagesURL come before relative links and images. Without
	// ImagesURL it is ContentURL for both, and without that what the repository tells.
	ContentURL, ImagesURL string
	// GitHubBranch and GitLabBranch are the branch in what the repository tells, on
	// either host; the first that is not "" counts, and without one HEAD.
	GitHubBranch, GitLabBranch string
	// KeepLinks leaves the text as it is, and its images unchecked but for <svg>.
	KeepLinks bool
	// KeepGitHubIssues and KeepGitLabIssues leave #123 as it is.
	KeepGitHubIssues, KeepGitLabIssues bool
}

// Rewrite returns the text with links that lead somewhere, and what a gallery
// would not show. name is what the findings call the file.
func Rewrite(name string, text []byte, o Options) ([]byte, []finding.Finding) {
	r := report{name: name}
	// It never fails: what is no UTF-8 becomes U+FFFD, in as many pieces as for Node.js.
	s, _ := unicode.UTF8.NewDecoder().String(string(text))
	checkTemplate(s, &r)
	if !o.KeepLinks {
		s = rewrite(s, o, &r)
	}
	checkImages(s, o, &r)
	return []byte(s), r.findings
}

func rewrite(s string, o Options, r *report) string {
	h := guess(o)
	l := linker{base: h.base(o), options: o, report: r}
	s = l.markdown(s)
	s = l.tags(s)
	return linkIssues(s, h, o)
}

// template is in the readme that VS Code's extension generator makes.
const template = "This is the README for your extension "

func checkTemplate(s string, r *report) {
	if i := strings.Index(s, template); i >= 0 {
		r.add(newLines(s).at(i), "say what your extension does, and remove this text",
			"template text of the extension generator, %q, is still there", strings.TrimSpace(template))
	}
}
