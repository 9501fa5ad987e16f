package deploy

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"galbuild/build/headers"
	"galbuild/build/mediatype"
)

// Caddy is a site of a Caddyfile that serves a gallery's site and passes requests that are not for
// files to galshim. Unlike nginx, it follows symbolic links, of which a site has none.
type Caddy struct {
	BaseURL   string // the address clients use; its path is where the site is
	Root      string // folder of the site, absolute
	Shim      string // host:port, or unix:/path of a socket; "" means 127.0.0.1:8080
	Listen    string // host:port or :port, if another server terminates TLS; "" means the address of BaseURL
	Cert, Key string // PEM files, absolute; without them, Caddy gets a certificate for an https BaseURL
}

//go:embed Caddyfile.tmpl
var caddyText string

var caddyTemplate = template.Must(template.New("caddy").Funcs(template.FuncMap{"caddy": caddyWord, "regexp": regexp.QuoteMeta}).Parse(caddyText))

// caddyData is the data of the template. Patterns are regular expressions.
type caddyData struct {
	Caddy
	Base, Scheme, Host, Prefix string
	Own, Site, Upstream        string
	Every                      []headers.Header
	Rules                      []caddyRule
	Types                      []caddyType
	NoStore, NoReferrer        string
	PackageAsset, Attachment   string
	PagePolicy, Policy         string
	Untrusted, Details         string
	Active, Inert, Platforms   string
}

// A caddyRule is a Cache-Control. The rule that applies first is the last one.
type caddyRule struct {
	Number int
	headers.Rule
}

// A caddyType is the media type of files.
type caddyType struct{ Pattern, Type string }

// Write prints the site. An error is that of w, or names the field that cannot be used.
func (c Caddy) Write(w io.Writer) error {
	b, err := parseBase(c.BaseURL)
	if err != nil {
		return err
	}
	c.Shim = cmp.Or(c.Shim, "127.0.0.1:8080")
	if err := c.check(b); err != nil {
		return err
	}
	d := caddyData{
		Caddy: c, Base: b.String(), Scheme: b.scheme, Host: b.host, Prefix: b.prefix,
		Own: ownPrefix(b), Site: b.scheme + "://" + b.host, Upstream: strings.Replace(c.Shim, "unix:", "unix/", 1),
		Every: headers.Every(), Types: caddyTypes(), NoStore: headers.NoStore, NoReferrer: headers.NoReferrer,
		PackageAsset: headers.PackageAsset, Attachment: headers.Attachment,
		PagePolicy: headers.PagePolicy("") + headers.NoFrames, Policy: headers.FilePolicy,
		Untrusted: headers.Untrusted(), Details: headers.Details(),
		Active: names(mediatype.Extensions(), mediatype.Active), Inert: inertPattern(), Platforms: platforms,
	}
	if c.Listen != "" {
		d.Site = "http://" + c.Listen
	}
	for i, r := range slices.Backward(headers.Rules()) {
		d.Rules = append(d.Rules, caddyRule{i, r})
	}
	return caddyTemplate.Execute(w, d)
}

// inertPattern matches the files of packages that browsers do not run.
func inertPattern() string {
	return `^/(?:(?:files|companions)/.*[^/]\.(?i:` + names(mediatype.Extensions(), inert) + `)|assets/.*(?:[^/]\.(?i:` +
		names(mediatype.AssetEnds(), inert) + `)|/` + regexp.QuoteMeta(mediatype.Translation) + `[^/]+))$`
}

// caddyTypes returns the media types. The first pattern that matches applies.
func caddyTypes() (all []caddyType) {
	all = []caddyType{
		{`^/index/history/`, mediatype.Of("x.txt")},
		{`^/(?:index|blobs)/`, mediatype.Octets},
		{`^/assets/.*/` + regexp.QuoteMeta(mediatype.Translation) + `[^/]+$`, mediatype.Of("x.json")},
		{`^/api/vscode/.*/latest$`, mediatype.Of("x.json")},
	}
	for mediaType, names := range mediatype.AssetEnds() {
		if strings.HasPrefix(mediaType, "text/") {
			mediaType += "; charset=utf-8"
		}
		all = append(all, caddyType{`^/assets/.*[^/]\.(?i:` + alternatives(names) + `)$`, mediaType})
	}
	all = append(all, caddyType{`^/assets/`, mediatype.Octets})
	for _, names := range mediatype.Extensions() {
		all = append(all, caddyType{`[^/]\.(?i:` + alternatives(names) + `)$`, mediatype.Of("x." + names[0])})
	}
	return all
}

func alternatives(names []string) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, regexp.QuoteMeta(name))
	}
	return strings.Join(quoted, "|")
}

// check returns an error for a value that Caddy would refuse or misread.
func (c Caddy) check(b base) error {
	for _, f := range []struct{ name, value string }{{"root", c.Root}, {"certificate", c.Cert}, {"key", c.Key}} {
		if err := checkPath(f.name, f.value); err != nil {
			return err
		}
		if strings.ContainsAny(f.value, "{}`") {
			return fmt.Errorf("%s %q: Caddy does not support a path with braces or backquotes", f.name, f.value)
		}
	}
	switch {
	case c.Root == "":
		return errors.New("root: the folder of the site is not given")
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("certificate and key: want both or none")
	case c.Cert != "" && (b.scheme != "https" || c.Listen != ""):
		return errors.New("certificate: Caddy needs one only for an https base URL, and if no other server terminates TLS")
	}
	if err := checkAddress("shim", c.Shim); err != nil || c.Listen == "" {
		return err
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" || strings.ContainsFunc(c.Listen, notWord) {
		return fmt.Errorf("listen %q: want host:port or :port", c.Listen)
	}
	return nil
}

// caddyWord returns a string as one word of a Caddyfile.
func caddyWord(s string) string { return "`" + s + "`" }
