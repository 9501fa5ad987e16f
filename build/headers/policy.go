package headers

import (
	"regexp"
	"strings"
)

// FilePolicy is the Content-Security-Policy of files of packages that a browser could run: a
// sandbox without scripts, in which only the file's own styles work. Other files have no policy,
// because a worker takes its policy from the response that its script came with, and would lose
// importScripts and fetch.
const FilePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

// PagePolicy returns the Content-Security-Policy of the gallery's pages. It allows their own script
// and style sheet, and pictures and requests from their own host and, if contentURL is set, from
// the host of the files of packages. Pages also contain the policy, for servers that do not send
// the header.
func PagePolicy(contentURL string) string {
	self := "'self'"
	if content := Origin(contentURL); content != "" {
		self += " " + content
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + self + "; connect-src " + self +
		"; base-uri 'none'; form-action 'none'"
}

// NoFrames forbids other pages to show the gallery's pages in a frame. It is appended to PagePolicy
// in the header; in a page it would have no effect.
const NoFrames = "; frame-ancestors 'none'"

// httpOrigin matches the scheme, host and port of a URL.
var httpOrigin = regexp.MustCompile(`^https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:/|$)`)

// Origin returns the scheme, host and port of an http or https URL, or "" if they cannot be
// part of a policy.
func Origin(url string) string { return strings.TrimSuffix(httpOrigin.FindString(url), "/") }
