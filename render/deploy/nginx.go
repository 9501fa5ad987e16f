package deploy

import (
	"cmp"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"galbuild/build/blob"
	"galbuild/build/headers"
	"galbuild/build/mediatype"
	"galbuild/render/gallery"
)

// Nginx is a server block that serves a site and passes requests that are not for files to
// galshim. With a content URL there are two: one for the gallery, and one for files of
// packages. It needs nginx 1.18 or later without additional modules, and does not use the
// machine's mime.types.
type Nginx struct {
	BaseURL    string   // the address clients use; its path is where the site is
	ContentURL string   // of assets and files, at another host or port; "" means BaseURL
	Root       string   // folder of the site, absolute
	Shim       string   // host:port, or unix:/path of a socket; "" means 127.0.0.1:8080
	Listen     string   // nginx's listen; "" is the port of the URL, or 80 if another server terminates TLS
	ServerName string   // of BaseURL; "" means its host
	Cert, Key  string   // PEM files, absolute; both or none, in which case the server speaks http
	Views      []string // names of views, which galshim serves with --view and --accel-redirect
	RateLimit  int      // queries a second from one address, with a burst of 1000; 0 means no limit
	Tokens     bool     // clients need a token, which galshim checks
	AccessLog  string   // with Tokens: the log, absolute; "" means that of nginx's packages
	ClientCA   string   // clients need a certificate of this PEM file's authorities, absolute
	Cache      int64    // size in bytes of a cache of responses to queries; 0 means none
	CacheDir   string   // folder of the cache, absolute; "" means one below /var/cache

	// Behind is for a host that has a server block already. Write then prints a server that
	// listens at Listen, by default 127.0.0.1:8081, and WriteLocations prints what makes the
	// existing server block pass requests for the gallery to it. ContentURL and Cert must be
	// empty.
	Behind bool
}

// behindListen is the default of Listen if Behind is set.
const behindListen = "127.0.0.1:8081"

//go:embed nginx.conf.tmpl
var nginxText string

var nginxTemplate = template.Must(nginxServers.New("access").Parse(nginxAccessText))

var nginxServers = template.Must(template.New("nginx").Funcs(template.FuncMap{
	"quote": quote, "regexp": regexp.QuoteMeta,
	"types":      func(indent int) string { return typesOf(mediatype.Extensions(), indent) },
	"assetTypes": func(indent int) string { return typesOf(mediatype.AssetEnds(), indent) },
}).Parse(nginxText))

// nginxData is the data of the template.
type nginxData struct {
	Nginx
	Main       *nginxServer
	Content    *nginxServer // nil without a content URL
	Own        string       // prefix of names that must be unique among the galleries of an nginx
	Upstream   string
	RemoteShim bool // whether the address of galshim is on another machine

	// The table of package headers. Patterns are regular expressions, or alternatives of one.
	Every                   []headers.Header
	Rules                   []headers.Rule
	NoStore, Attachment     string
	PackageAsset            string
	PagePolicy, Policy      string
	NoReferrer              string
	Untrusted, Details      string
	InertFiles, InertAssets string
	Active                  string
	Platforms, Translation  string
	Accelerated             string
	// Sent matches the $upstream_status of a response whose content nginx sends, and the colon
	// after it.
	Sent string

	CacheMap, ReferrerMap string // names of variables
	Token                 string // regular expression
}

// nginxServer is one of the servers. Its fields hide those of the same name in nginxData.
type nginxServer struct {
	*nginxData
	Base, Scheme, Host, Prefix string
	Listen, ServerName         string
	Internal                   string
	OnlyFiles                  bool // the server has only files of packages
}

// Write prints the configuration, which is included inside http { }. An error is that of w, or
// names the field that cannot be used.
func (n Nginx) Write(w io.Writer) error {
	data, err := n.data()
	if err != nil {
		return err
	}
	return nginxTemplate.ExecuteTemplate(w, "nginx", data)
}

// WriteLocations prints what the server block of the host needs if n.Behind is set.
func (n Nginx) WriteLocations(w io.Writer) error {
	data, err := n.data()
	if err != nil {
		return err
	}
	return nginxTemplate.ExecuteTemplate(w, "locations", data)
}

func (n Nginx) data() (*nginxData, error) {
	if n.Behind {
		n.Listen = cmp.Or(n.Listen, behindListen)
	}
	b, err := parseBase(n.BaseURL)
	if err != nil {
		return nil, err
	}
	n.Shim = cmp.Or(n.Shim, "127.0.0.1:8080")
	if err := n.check(); err != nil {
		return nil, err
	}
	d := &nginxData{
		Nginx: n, Own: ownPrefix(b), Upstream: "galshim_" + slug(b.name()+b.prefix) + strings.TrimPrefix(ownPrefix(b), "galbuild"),
		RemoteShim: !isLocal(n.Shim),
		Every:      headers.Every(), Rules: headers.Rules(), NoStore: headers.NoStore, Attachment: headers.Attachment,
		PackageAsset: headers.PackageAsset,
		PagePolicy:   headers.PagePolicy(n.ContentURL) + headers.NoFrames, Policy: headers.FilePolicy,
		NoReferrer: headers.NoReferrer, Untrusted: headers.Untrusted(), Details: headers.Details(),
		InertFiles: names(mediatype.Extensions(), inert), InertAssets: names(mediatype.AssetEnds(), inert),
		Active:      names(mediatype.Extensions(), mediatype.Active),
		Accelerated: gallery.AcceleratedDir, Platforms: platforms, Translation: regexp.QuoteMeta(mediatype.Translation),
	}
	if d.Sent = "^:"; len(n.Views) > 0 {
		d.Sent = "^(?:.*200)?:"
	}
	d.restrict()
	d.CacheDir = cmp.Or(n.CacheDir, "/var/cache/"+d.Own)
	d.Main = d.server(b, n.ServerName)
	if n.ContentURL == "" {
		return d, nil
	}
	content, err := parseContent(n.ContentURL)
	if err != nil {
		return nil, err
	}
	d.Content = d.server(content, "")
	d.Content.OnlyFiles = true
	if content.scheme == b.scheme && content.host == b.host {
		return nil, fmt.Errorf("content URL %q: has the host and port of the base URL, want another host", n.ContentURL)
	}
	if d.Content.Listen == d.Main.Listen && d.Content.ServerName == d.Main.ServerName {
		return nil, fmt.Errorf("content URL %q: nginx cannot distinguish it from the base URL by listen %q and server name %q", n.ContentURL, d.Main.Listen, d.Main.ServerName)
	}
	return d, nil
}

// server returns the server for an address.
func (d *nginxData) server(at base, name string) *nginxServer {
	s := &nginxServer{
		nginxData: d, Base: at.String(), Scheme: at.scheme, Host: at.host, Prefix: at.prefix,
		Listen: d.Nginx.Listen, ServerName: cmp.Or(name, at.name()), Internal: internal(at.prefix),
	}
	switch {
	case s.Listen != "":
	case at.scheme == "https" && d.Cert == "":
		s.Listen = "80"
	default:
		s.Listen = at.port()
	}
	return s
}

// typesOf prints lines for nginx's types block.
func typesOf(types iter.Seq2[string, []string], indent int) string {
	var lines []string
	for mediaType, names := range types {
		line := fmt.Sprintf("%*s%-29s", indent, "", mediaType)
		for _, name := range names {
			if len(line)+len(name) > 100 {
				lines = append(lines, line)
				line = strings.Repeat(" ", indent+29)
			}
			line += " " + name
		}
		lines = append(lines, line+";")
	}
	return strings.Join(lines, "\n")
}

// names returns the names of those types that a function selects, as alternatives of a regular
// expression.
func names(types iter.Seq2[string, []string], selected func(mediaType string) bool) string {
	var all []string
	for mediaType, names := range types {
		if selected(mediaType) {
			all = append(all, names...)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "|")
}

// inert reports whether browsers do not run files of a type.
func inert(mediaType string) bool { return !mediatype.Active(mediaType) }

// ownPrefix returns the prefix of names for a gallery. It is short, because nginx limits
// the length of a variable's name.
func ownPrefix(b base) string {
	ref := blob.Sum([]byte(b.String()))
	return "galbuild_" + hex.EncodeToString(ref[:4])
}

// isLocal reports whether galshim's address is on the same machine.
func isLocal(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return strings.HasPrefix(address, "unix:") || host == "localhost" || ip != nil && ip.IsLoopback()
}

// platforms matches the target platforms that editors write after a version.
const platforms = `(?:win32|linux|alpine|darwin)-[a-z0-9]+|web`

// internal returns the directive that makes nginx refuse requests for the locations of a site at a
// sub-path if they do not have the sub-path.
func internal(prefix string) string {
	if prefix == "" {
		return ""
	}
	return "internal; "
}

var unslug = regexp.MustCompile(`[^A-Za-z0-9]+`)

func slug(s string) string { return unslug.ReplaceAllString(s, "_") }

// check returns an error for a value that nginx would refuse or misread.
func (n Nginx) check() error {
	for _, f := range []struct{ name, value string }{{"root", n.Root}, {"certificate", n.Cert}, {"key", n.Key}, {"folder of the cache", n.CacheDir}} {
		if err := checkPath(f.name, f.value); err != nil {
			return err
		}
	}
	if n.Root == "" {
		return errors.New("root: the folder of the site is not given")
	}
	if (n.Cert == "") != (n.Key == "") {
		return errors.New("certificate and key: want both or none")
	}
	if err := checkAddress("shim", n.Shim); err != nil {
		return err
	}
	if err := errors.Join(checkViews(n.Views), n.checkBehind(), n.checkAccess()); err != nil {
		return err
	}
	for _, f := range []struct{ name, value string }{{"listen", n.Listen}, {"server name", n.ServerName}} {
		if strings.ContainsFunc(f.value, notWord) {
			return fmt.Errorf("%s %q: want one word", f.name, f.value)
		}
	}
	return nil
}

// checkViews refuses names that no view can have, and those that two views have.
func checkViews(names []string) error {
	for i, name := range names {
		if err := gallery.CheckViewName(name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("view %q: it is named twice", name)
		}
	}
	return nil
}

// drive matches the beginning of a path on Windows, where nginx also accepts C:/….
var drive = regexp.MustCompile(`^[A-Za-z]:[/\\]`)

// checkPath refuses dollar signs, because nginx cannot escape them.
func checkPath(name, value string) error {
	switch {
	case value == "":
		return nil
	case !path.IsAbs(value) && !drive.MatchString(value):
		return fmt.Errorf("%s %q: want an absolute path", name, value)
	case strings.Contains(value, "$"), strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s %q: nginx does not support a path with a dollar sign or control characters", name, value)
	}
	return nil
}

// checkBehind checks the fields if Behind is set.
func (n Nginx) checkBehind() error {
	switch {
	case !n.Behind:
		return nil
	case n.Cert != "":
		return errors.New("certificate: the server block that the host has already terminates TLS")
	case n.ContentURL != "":
		return errors.New("content URL: print the whole configuration for a gallery with a separate host for files")
	}
	return checkAddress("listen", n.Listen)
}

func checkAddress(name, address string) error {
	socket, isSocket := strings.CutPrefix(address, "unix:")
	if isSocket {
		return checkPath(name, cmp.Or(socket, "."))
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" || strings.ContainsFunc(address, notWord) {
		return fmt.Errorf("%s %q: want host:port or unix:/path", name, address)
	}
	return nil
}

func notWord(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`;{}"'\$#`, r)
}

// quote returns a string as nginx's configuration writes it.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
