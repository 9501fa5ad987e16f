package gallery

import (
	"regexp"
	"strings"
)

// PagePolicy returns the Content-Security-Policy of the gallery's page: its own
// script and style sheet, requests to its own host, and pictures and documents from
// there and from where the assets are, if contentURL says that they are elsewhere.
// The page holds it too, for servers that send no such header.
func PagePolicy(contentURL string) string {
	self := "'self'"
	if content := Origin(contentURL); content != "" {
		self += " " + content
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src " + self + "; connect-src " + self +
		"; base-uri 'none'; form-action 'none'"
}

// NoFrames forbids other pages to show the gallery's page inside them. It works in a
// header only, behind PagePolicy.
const NoFrames = "; frame-ancestors 'none'"

// httpOrigin matches the scheme, host and port of a URL.
var httpOrigin = regexp.MustCompile(`^https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:/|$)`)

// Origin returns the scheme, host and port of an http or https URL, or "" if it has
// none that could stand in a policy.
func Origin(url string) string { return strings.TrimSuffix(httpOrigin.FindString(url), "/") }
