package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Gallery is the addresses of a gallery, as in the settings of an editor. Templates have
// {publisher}, {name}, {version} and {path}. An address that is not known is "".
type Gallery struct {
	Service   string // the prefix of queries, without a slash at the end
	Item      string
	Publisher string
	Resource  string // template of files of web extensions and themes
	Latest    string // template, a second address of the newest version
	Control   string
	Manifest  string // of the policy of VS Code
}

// serviceEnds are the paths with which service URLs end, the longest first, with the templates
// that belong to them.
var serviceEnds = []struct{ end, resource string }{
	{"/_apis/public/gallery", "/files/{publisher}/{name}/{version}/{path}"},
	{"/vscode/gallery", "/vscode/unpkg/{publisher}/{name}/{version}/{path}"},
	{"/api", "/files/{publisher}/{name}/{version}/{path}"},
}

// ParseURL returns the addresses of the gallery at a URL: its base URL, a service URL, or that of
// the manifest for the policy of VS Code.
func ParseURL(text string) (Gallery, error) {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return Gallery{}, errors.New("must begin with http:// or https://")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Gallery{}, errors.New("is not a URL") // without the text, which may have a token
	case u.Hostname() == "":
		return Gallery{}, errors.New("has no host")
	case u.User != nil:
		return Gallery{}, errors.New("has a user and a password, which editors do not send")
	case u.RawQuery != "" || u.Fragment != "":
		return Gallery{}, errors.New("may have only a host, a port and a path")
	}
	plain := strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/")
	for _, end := range []string{"/manifest.json", "/extensionquery"} {
		plain = strings.TrimSuffix(plain, end)
	}
	g := Gallery{Service: plain}
	if splitService(plain).end == "" {
		g.Service = plain + "/api"
	}
	return g.complete(), nil
}

// A service is a service URL in two parts.
type service struct{ base, end, resource string }

// splitService splits a service URL. The end is "" if it is none of the usual ones.
func splitService(text string) service {
	for _, s := range serviceEnds {
		if base, ok := strings.CutSuffix(text, s.end); ok {
			return service{base, s.end, s.resource}
		}
	}
	return service{base: text}
}

// complete fills in addresses that follow from the service URL.
func (g Gallery) complete() Gallery {
	s := splitService(g.Service)
	if s.end == "" {
		return g
	}
	g.Item = cmp.Or(g.Item, s.base+"/item")
	g.Resource = cmp.Or(g.Resource, s.base+s.resource)
	g.Control = cmp.Or(g.Control, s.base+"/control.json")
	g.Manifest = cmp.Or(g.Manifest, s.base+"/manifest.json")
	return g
}

// base returns the base URL: the service URL without its usual end.
func (g Gallery) base() string { return splitService(g.Service).base }

// latest returns the address of the newest version of an extension.
func (g Gallery) latest(publisher, name string) string {
	return g.Service + "/vscode/" + url.PathEscape(publisher) + "/" + url.PathEscape(name) + "/latest"
}

// resource returns the address of a file of a version.
func (g Gallery) resource(publisher, name, version, path string) string {
	return strings.NewReplacer("{publisher}", publisher, "{name}", name, "{version}", version, "{path}", path).Replace(g.Resource)
}

// tokenOf returns the token in the path of a URL, /t/TOKEN/…, or "".
func tokenOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	_, rest, found := strings.Cut(u.EscapedPath()+"/", "/t/")
	token, _, _ := strings.Cut(rest, "/")
	if !found {
		return ""
	}
	return token
}

// originOf returns the scheme and the host of a URL.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// checkAddress returns an error for an address in settings that an editor cannot use.
func checkAddress(key, address string) error {
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(address))
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a URL", key)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%s does not begin with http:// or https://", key)
	case u.Hostname() == "":
		return fmt.Errorf("%s has no host", key)
	}
	return nil
}
