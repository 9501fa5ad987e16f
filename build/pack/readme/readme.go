// Package readme prepares the readme and change log of an extension for galleries, where
// relative links do not work.
//
// [Rewrite] returns the same bytes as vsce 4.1 (https://github.com/microsoft/vscode-vsce). The
// changes, in this order, are:
//
//	invalid UTF-8                    becomes U+FFFD; a byte order mark, CR and NUL stay
//	[text](docs/a.md)                the base URL of contents is put before the target
//	![text](a.png)                   the base URL of images is put before the target
//	<img src="a.png">, <video …>     the base URL of images is put before the source
//	#12, owner/repository#12         becomes a link to the issue, if the repository is on
//	                                 GitHub or GitLab
//
// As in vsce, these are patterns in the text, independent of Markdown. So links in code and
// comments are rewritten, too. Reference definitions, <a href>, tags in upper case, and sources
// that are unquoted or have unusual characters are not. A target is relative if it does not
// begin with # or with a scheme and ://, so command:x is relative.
//
// The result is then parsed as GitHub's Markdown to check its images by package imagepolicy.
// Galleries do not show <svg> elements.
//
// There are three differences from vsce. A $ in a base URL is literal, whereas vsce expands $& in
// the base URL of an <img>. All problems are reported, not only the first one. And Markdown is
// parsed by another library, with limits. The libraries disagree about images in a few texts, such
// as <select><img> or an image directly after a bare URL, but in none of 762 real readmes and
// change logs.
package readme

import (
	"strings"

	"golang.org/x/text/encoding/unicode"

	"galbuild/build/pack/finding"
)

// Options determine the targets of links. The zero value derives them from the repository.
type Options struct {
	// Repository is the repository of package.json, or its url.
	Repository string
	// ContentURL and ImagesURL are the base URLs of relative links and images. An empty
	// ImagesURL is the same as ContentURL; an empty ContentURL is derived from Repository.
	ContentURL, ImagesURL string
	// GitHubBranch or GitLabBranch is the branch in derived base URLs, on either host. The
	// first that is not empty is used; the default is HEAD.
	GitHubBranch, GitLabBranch string
	// KeepLinks leaves the text unchanged, and checks only for <svg>.
	KeepLinks bool
	// KeepGitHubIssues and KeepGitLabIssues leave references such as #123 unchanged.
	KeepGitHubIssues, KeepGitLabIssues bool
}

// Rewrite returns the text with absolute links, and findings of broken links and of images that
// galleries do not show. name is the name of the file in findings.
func Rewrite(name string, text []byte, o Options) ([]byte, []finding.Finding) {
	r := report{name: name}
	// This never fails. Invalid UTF-8 becomes as many U+FFFD as in Node.js.
	s, _ := unicode.UTF8.NewDecoder().String(string(text))
	checkTemplate(s, &r)
	if !o.KeepLinks {
		s = rewrite(s, o, &r)
	}
	checkImages(s, o, &r)
	return []byte(s), r.findings
}

func rewrite(s string, o Options, r *report) string {
	h := detectHost(o)
	l := linker{base: h.base(o), options: o, report: r}
	s = l.markdown(s)
	s = l.tags(s)
	return linkIssues(s, h, o)
}

// template is a text in the readme of VS Code's extension generator.
const template = "This is the README for your extension "

func checkTemplate(s string, r *report) {
	if i := strings.Index(s, template); i >= 0 {
		r.add(newLines(s).at(i), "describe your extension, and remove this text",
			"template text of the extension generator, %q, is still there", strings.TrimSpace(template))
	}
}
