// Package deploy prints configuration for the web server in front of a site, and for editors.
//
// The printed text works as it is: an nginx configuration, a shell script, or JSON. Lines that
// begin with # are comments, which explain the rest and name its source.
//
// These addresses are in the configuration of editors. VS Code's
// extensionGalleryManifestService.ts derives its requests from them:
//
//	serviceUrl            {base}/api
//	itemUrl               {base}/item
//	publisherUrl          {base}/publishers
//	resourceUrlTemplate   {content}/files/{publisher}/{name}/{version}/{path}
//	extensionUrlTemplate  {base}/api/vscode/{publisher}/{name}/latest
//	controlUrl            {base}/control.json
//	served manifest       {base}/manifest.json
//
// {content} is the content URL, or the base URL if there is none. Files of packages are
// written by strangers. On a separate host, they cannot run in a browser as part of the
// gallery.
//
// A base URL is http or https with a host and an optional path of letters, digits and -._~/.
// Other characters are refused, because each of the printed languages would need another way
// to escape them.
package deploy

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// A base is the parts of a base URL.
type base struct {
	scheme string // http or https
	host   string // with the port, if there is one
	prefix string // "/tools/gallery", or "" at the root
}

var (
	goodHost   = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)
	goodPrefix = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
)

func parseBase(text string) (base, error) { return parseURL("base URL", text) }

func parseContent(text string) (base, error) { return parseURL("content URL", text) }

func parseURL(what, text string) (base, error) {
	u, err := url.Parse(text)
	if err != nil {
		return base{}, fmt.Errorf("%s %q: not an address", what, text)
	}
	b := base{scheme: u.Scheme, host: u.Host, prefix: strings.TrimRight(u.Path, "/")}
	switch {
	case b.scheme != "http" && b.scheme != "https":
		err = fmt.Errorf("%s %q: want http:// or https://", what, text)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		err = fmt.Errorf("%s %q: want a host and a path, nothing else", what, text)
	case !goodHost.MatchString(b.host):
		err = fmt.Errorf("%s %q: %q is not a host", what, text, b.host)
	case !goodPrefix.MatchString(b.prefix) || strings.Contains(b.prefix+"/", "/../") || strings.Contains(b.prefix+"/", "/./"):
		err = fmt.Errorf("%s %q: path %q: want names of letters, digits and -._~ between single slashes", what, text, u.Path)
	}
	return b, err
}

func (b base) String() string { return b.scheme + "://" + b.host + b.prefix }

// name returns the host without the port.
func (b base) name() string {
	name, _, err := net.SplitHostPort(b.host)
	if err != nil {
		return strings.Trim(b.host, "[]")
	}
	return name
}

// port returns the port that b is served at.
func (b base) port() string {
	if _, port, err := net.SplitHostPort(b.host); err == nil {
		return port
	}
	if b.scheme == "https" {
		return "443"
	}
	return "80"
}
