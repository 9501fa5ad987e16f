// Package trusted knows which images galleries show: those that come over HTTPS
// and are not SVG, and SVG from the hosts of badges, which draw them anew for each
// visitor and put no script into them.
//
// The rules are vsce's, for readmes, change logs and the badges of package.json. Only the
// name of a host with a broken xn-- in it is refused here, which Node.js takes.
package trusted

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"galbuild/build/ecmascript"
)

// Why a gallery does not show an image.
var (
	ErrEscape  = errors.New("has a broken percent escape")
	ErrAddress = errors.New("is not an absolute address")
	ErrScheme  = errors.New("does not come over HTTPS")
	ErrSVG     = errors.New("is SVG from a host not known for badges")
)

// Image tells why a gallery does not show the image at src, an <img>'s source or a
// badge's url: one of this package's errors, or nil if it does show it. Addresses are
// read as browsers do, which forgive much that net/url does not.
func Image(src string) error {
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
	case strings.HasSuffix(strings.ToLower(u.Pathname()), ".svg") && !drawsBadges(u):
		return ErrSVG
	}
	return nil
}

// hosts is sorted.
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

var workflow = regexp.MustCompile(`^https://github\.com/[^/]+/[^/]+/(actions/)?workflows/.*badge\.svg`)

// drawsBadges tells whether the host of u is one of hosts, or u is a badge of GitHub's.
func drawsBadges(u *url.Url) bool {
	_, known := slices.BinarySearch(hosts, u.Host())
	return known || workflow.MatchString(u.Href(false))
}
