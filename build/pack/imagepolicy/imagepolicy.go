// Package imagepolicy has the rules for the images that galleries show: they must come over HTTPS,
// and must not be SVG, except from trusted hosts, which are services that generate badges.
//
// The rules are those of vsce, for readmes, change logs and the badges of package.json, with
// one difference: a host name with invalid Punycode after xn-- is an error, which Node.js does
// not report.
package imagepolicy

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"galbuild/build/ecmascript"
)

// The reasons why galleries do not show an image.
var (
	ErrEscape  = errors.New("has a broken percent escape")
	ErrAddress = errors.New("is not an absolute address")
	ErrScheme  = errors.New("does not come over HTTPS")
	ErrSVG     = errors.New("is SVG from a host that is not trusted")
)

// Check returns the reason why galleries do not show an image, one of the errors of this
// package, or nil if they show it. src is the source of an <img> or the url of a badge. It is
// parsed as in browsers, which accept more than net/url does.
func Check(src string) error {
	src, ok := ecmascript.DecodeURI(src)
	if !ok {
		return ErrEscape
	}
	u, err := url.Parse(src)
	switch {
	case err != nil:
		return ErrAddress
	case u.Scheme() != "https":
		return ErrScheme
	case strings.HasSuffix(strings.ToLower(u.Pathname()), ".svg") && !isTrusted(u):
		return ErrSVG
	}
	return nil
}

// hosts are the trusted hosts, sorted.
// Source: src/validation.ts and src/package.ts of
// https://github.com/microsoft/vscode-vsce at 4.1.
var hosts = []string{
	"api.travis-ci.com", "app.fossa.io", "badge.buildkite.com", "badge.fury.io", "badgen.net", "badges.frapsoft.com",
	"badges.gitter.im", "cdn.travis-ci.com", "ci.appveyor.com", "circleci.com", "cla.opensource.microsoft.com",
	"codacy.com", "codeclimate.com", "codecov.io", "coveralls.io", "david-dm.org", "deepscan.io", "dev.azure.com",
	"docs.rs", "flat.badgen.net", "gitlab.com", "godoc.org", "goreportcard.com", "img.shields.io", "isitmaintained.com",
	"marketplace.visualstudio.com", "nodesecurity.io", "opencollective.com", "snyk.io", "travis-ci.com",
	"visualstudio.com", "vsmarketplacebadges.dev",
}

var workflowBadge = regexp.MustCompile(`^https://github\.com/[^/]+/[^/]+/(actions/)?workflows/.*badge\.svg`)

// isTrusted reports whether u is on one of hosts, or is the badge of a GitHub workflow.
func isTrusted(u *url.Url) bool {
	_, found := slices.BinarySearch(hosts, u.Host())
	return found || workflowBadge.MatchString(u.Href(false))
}
