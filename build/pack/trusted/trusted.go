// Package trusted knows which images galleries show: those that come over HTTPS
// and are not SVG, and SVG from the hosts of badges, which draw them anew for each
// visitor and put no script into them.
//
// The rules are vsce's, for readmes, change logs and the badges of package.json.
package trusted

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Why a gallery does not show an image.
var (
	ErrEscape  = errors.New("has a broken percent escape")
	ErrAddress = errors.New("is not an absolute address")
	ErrScheme  = errors.New("does not come over HTTPS")
	ErrSVG     = errors.New("is SVG from a host not known for badges")
)

// Image tells why a gallery does not show the image at src, an <img>'s source or a
// badge's url: one of this package's errors, or nil if it does show it.
func Image(src string) error {
	src, ok := decodeURI(src)
	if !ok {
		return ErrEscape
	}
	u, err := parse(src)
	switch {
	case err != nil:
		return err
	case u.Scheme != "https":
		return ErrScheme
	case strings.HasSuffix(strings.ToLower(u.Path), ".svg") && !SVG(u):
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

// SVG tells whether a gallery shows the SVG image at u.
func SVG(u *url.URL) bool {
	_, known := slices.BinarySearch(hosts, strings.ToLower(u.Host))
	return known || workflow.MatchString(u.String())
}
