package deploy

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"regexp"
	"strings"
	"text/template"
	"unicode"
)

// Nginx is a server block that serves a site, with galshim behind it for what is
// no file. It needs nginx 1.18 or later with nothing added, and takes nothing
// from the machine's mime.types.
type Nginx struct {
	BaseURL    string // the address clients use; its path is where the site is
	Root       string // folder of the site, absolute
	Shim       string // host:port, or unix:/path of a socket; "" means 127.0.0.1:8080
	Listen     string // as nginx's listen; "" means the port of BaseURL, or 80 if the TLS of an https address ends elsewhere
	ServerName string // "" means the host of BaseURL
	Cert, Key  string // PEM files, absolute; both or none, in which case the server speaks http
}

//go:embed nginx.conf.tmpl
var nginxText string

var nginxTemplate = template.Must(template.New("nginx").Funcs(template.FuncMap{"quote": quote}).Parse(nginxText))

// Write prints the configuration, to be included inside http { }. An error that
// is not w's names the field that cannot be used.
func (n Nginx) Write(w io.Writer) error {
	b, err := parseBase(n.BaseURL)
	if err != nil {
		return err
	}
	n.Shim = cmp.Or(n.Shim, "127.0.0.1:8080")
	n.ServerName = cmp.Or(n.ServerName, b.name())
	if n.Listen == "" {
		n.Listen = b.port()
		if b.scheme == "https" && n.Cert == "" {
			n.Listen = "80"
		}
	}
	if err := n.check(); err != nil {
		return err
	}
	return nginxTemplate.Execute(w, struct {
		Nginx
		Base, Scheme, Host, Prefix string
		Upstream, Internal         string
		Allow, Platforms           string
	}{
		Nginx: n,
		Base:  b.String(), Scheme: b.scheme, Host: b.host, Prefix: b.prefix,
		Upstream: "galshim_" + slug(b.name()+b.prefix),
		Internal: internal(b.prefix),
		Allow:    allowHeaders, Platforms: platforms,
	})
}

// allowHeaders is what editors send with a request. Browsers do not take * to
// cover Authorization, and not at all if they are old.
const allowHeaders = "*, Authorization, Content-Type, VSCode-SessionId, X-Market-Client-Id, X-Market-User-Id, " +
	"X-Market-Search-Activity-Id, X-Client-Name, X-Client-Version, X-Client-Commit, X-Machine-Id"

// platforms matches the target platforms that editors write behind a version.
const platforms = `(?:win32|linux|alpine|darwin)-[a-z0-9]+|web`

// internal keeps the locations of a site at a sub-path from being asked for
// without it.
func internal(prefix string) string {
	if prefix == "" {
		return ""
	}
	return "internal; "
}

var unslug = regexp.MustCompile(`[^A-Za-z0-9]+`)

func slug(s string) string { return unslug.ReplaceAllString(s, "_") }

// check finds what nginx would not take, or would take for something else.
func (n Nginx) check() error {
	for _, f := range []struct{ name, value string }{{"root", n.Root}, {"certificate", n.Cert}, {"key", n.Key}} {
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
	if err := checkAddress(n.Shim); err != nil {
		return err
	}
	for _, f := range []struct{ name, value string }{{"listen", n.Listen}, {"server name", n.ServerName}} {
		if strings.ContainsFunc(f.value, notWord) {
			return fmt.Errorf("%s %q: want one word", f.name, f.value)
		}
	}
	return nil
}

// drive starts a path on Windows, where nginx takes C:/… too.
var drive = regexp.MustCompile(`^[A-Za-z]:[/\\]`)

// checkPath refuses variables: nginx has no way to write a dollar sign.
func checkPath(name, value string) error {
	switch {
	case value == "":
		return nil
	case !path.IsAbs(value) && !drive.MatchString(value):
		return fmt.Errorf("%s %q: want an absolute path", name, value)
	case strings.Contains(value, "$"), strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s %q: nginx cannot be told of a path with a dollar sign or control characters", name, value)
	}
	return nil
}

func checkAddress(shim string) error {
	socket, isSocket := strings.CutPrefix(shim, "unix:")
	if isSocket {
		return checkPath("shim", cmp.Or(socket, "."))
	}
	host, port, err := net.SplitHostPort(shim)
	if err != nil || host == "" || port == "" || strings.ContainsFunc(shim, notWord) {
		return fmt.Errorf("shim %q: want host:port or unix:/path", shim)
	}
	return nil
}

func notWord(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`;{}"'\$#`, r)
}

// quote writes a string of nginx's configuration.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
