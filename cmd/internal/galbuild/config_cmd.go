package galbuild

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"galbuild/build/atomicfile"
	"galbuild/build/site"
	"galbuild/build/units"
	"galbuild/cmd/internal/hint"
	"galbuild/publish/inbox"
	"galbuild/publish/target/s3"
	"galbuild/render/deploy"
)

type configCmd struct {
	Nginx       nginxCmd       `cmd:"" help:"Print an nginx server block that serves a site and passes queries to galshim."`
	Caddy       caddyCmd       `cmd:"" help:"Print a site of a Caddyfile that serves a site and passes queries to galshim."`
	Helm        helmCmd        `cmd:"" help:"Write the Helm chart, with which Kubernetes runs a gallery, to a folder."`
	Systemd     systemdCmd     `cmd:"" help:"Write systemd units for galshim, and for galbuild sync or pull."`
	CodeServer  codeServerCmd  `cmd:"" help:"Print the settings of code-server for the gallery."`
	VSCodium    vscodiumCmd    `cmd:"" name:"vscodium" help:"Print the settings of VSCodium for the gallery."`
	VSCode      vscodeCmd      `cmd:"" name:"vscode" help:"Print the settings of VS Code for the gallery."`
	Cursor      cursorCmd      `cmd:"" help:"Print the settings of Cursor for the gallery."`
	Windsurf    windsurfCmd    `cmd:"" help:"Print the settings of Windsurf for the gallery."`
	Antigravity antigravityCmd `cmd:"" help:"Print the settings of Antigravity for the gallery."`
	Positron    positronCmd    `cmd:"" help:"Print the settings of Positron for the gallery."`
	GitLab      gitLabCmd      `cmd:"" name:"gitlab" help:"Print the settings of GitLab's Web IDE and workspaces for the gallery."`
	S3CORS      s3CORSCmd      `cmd:"" name:"s3-cors" help:"Print the CORS policy that lets editors in a browser read a bucket."`
	S3Policy    s3PolicyCmd    `cmd:"" name:"s3-policy" help:"Print the policy that lets everyone read a bucket, but not who decided what and why."`

	Prometheus prometheusCmd `cmd:"" help:"Print how Prometheus observes galshim: what to scrape, recording rules and alerts."`
	Grafana    grafanaCmd    `cmd:"" help:"Print a dashboard of galshim for Grafana."`

	VSCodePolicy vscodePolicyCmd `cmd:"" name:"vscode-policy" help:"Print the setting of VS Code with the extensions that a policy allows."`
}

type nginxCmd struct {
	Site       string   `arg:"" default:"site" type:"site" help:"Folder of the site."`
	BaseURL    string   `placeholder:"URL" default:"http://localhost" help:"Address at which the site is served, with an optional path."`
	ContentURL string   `placeholder:"URL" help:"Address from which editors load assets and files, if it is another host; nginx then gets a second server for them."`
	Shim       string   `placeholder:"HOST:PORT" default:"127.0.0.1:8080" help:"Address at which galshim listens."`
	Listen     string   `placeholder:"ADDRESS" help:"Address at which nginx listens (default: the ports of --base-url and --content-url)."`
	ServerName string   `placeholder:"NAME" help:"Value of nginx's server_name (default: the host of --base-url)."`
	Cert       string   `type:"path" placeholder:"FILE" help:"TLS certificate (PEM), for an https --base-url."`
	Key        string   `type:"path" placeholder:"FILE" help:"Private key of the certificate (PEM)."`
	Part       string   `enum:"all,http,server" default:"all" help:"What to print: everything (all), or a part for a host that already has a server block: its locations (server), or what belongs in http { } (http), including a server for the gallery at --listen or 127.0.0.1:8081."`
	View       []string `placeholder:"NAME" help:"Also serve this view, below /NAME/, as galshim --view does. Several can be named."`
	NoCheck    bool     `help:"Do not check that the site exists on this machine."`
	Tokens     bool     `help:"Serve only clients with a token, which galshim --tokens checks. It makes the responses that have addresses; build the site without --base-url."`
	AccessLog  string   `type:"path" placeholder:"FILE" help:"With --tokens, nginx's access log, in which tokens are masked (default: /var/log/nginx/access.log)."`
	ClientCA   string   `name:"client-ca" type:"path" placeholder:"FILE" help:"Serve only clients with a certificate of an authority in this file (PEM)."`
	RateLimit  int      `placeholder:"N" help:"Number of queries per second that one client address may send, with a burst of 1000. Clients that share an address share the limit (default: no limit)."`
	Output     string   `short:"o" complete:"path" placeholder:"FILE" help:"Write to this file instead of standard output, such as in a container without a shell."`

	Cache    units.Size `placeholder:"SIZE" help:"Keep up to this much of the responses of galshim to queries for five seconds, such as 256MB (default: no cache)."`
	CacheDir string     `type:"path" placeholder:"DIR" help:"Folder for --cache (default: one below /var/cache)."`
}

// Validate implements Kong's hook.
func (n *nginxCmd) Validate() error {
	if n.RateLimit < 0 {
		return fmt.Errorf("--rate-limit=%d: must not be negative", n.RateLimit)
	}
	return checkAddresses(n.BaseURL, n.ContentURL)
}

// checkSite returns an error for a folder without a site, whose name is most likely mistyped.
func (n *nginxCmd) checkSite() error {
	if n.NoCheck {
		return nil
	}
	if err := needSite(n.Site); err != nil {
		return hint.Add(err, "%s", hintNoCheck(n.Site))
	}
	if _, err := site.RequireCurrent(n.Site); err != nil {
		return hint.Add(err, "%s", hintNoCheck(n.Site))
	}
	return nil
}

func hintNoCheck(path string) string {
	return fmt.Sprintf("galbuild SOURCE… -o %s builds one; for a site on another machine, add --no-check", path)
}

func (n *nginxCmd) Run(e *env) error {
	root, err := filepath.Abs(n.Site)
	if err != nil {
		return err
	}
	if err := n.checkSite(); err != nil {
		return err
	}
	conf := deploy.Nginx{
		BaseURL: strings.TrimRight(n.BaseURL, "/"), ContentURL: strings.TrimRight(n.ContentURL, "/"), Root: root,
		Shim: n.Shim, Listen: n.Listen, ServerName: n.ServerName, Cert: n.Cert, Key: n.Key, RateLimit: n.RateLimit,
		Behind: n.Part != "all", Tokens: n.Tokens, AccessLog: n.AccessLog, ClientCA: n.ClientCA, Views: n.View,
		Cache: int64(n.Cache), CacheDir: n.CacheDir,
	}
	n.warnOfBase(e)
	write := conf.Write
	if n.Part == "server" {
		write = conf.WriteLocations
	}
	if n.Output == "" {
		return write(e.stdout)
	}
	return atomicfile.Replace(n.Output, atomicfile.FileMode, func(f *os.File) error { return write(f) })
}

// editorFlags are the flags of commands that print the settings of an editor.
type editorFlags struct {
	BaseURL    string `placeholder:"URL" default:"http://127.0.0.1:8080" help:"Address of the gallery."`
	ContentURL string `placeholder:"URL" help:"Address from which editors load assets and files, if it is another host."`
	tokenFileFlag
}

// Validate implements Kong's hook.
func (f *editorFlags) Validate() error { return checkAddresses(f.BaseURL, f.ContentURL) }

func (f *editorFlags) print(e *env, write func(io.Writer, deploy.Editor) error) error {
	token, err := f.read(e)
	if err != nil {
		return err
	}
	return write(e.stdout, deploy.Editor{BaseURL: strings.TrimRight(f.BaseURL, "/"), ContentURL: strings.TrimRight(f.ContentURL, "/"), Token: token})
}

type codeServerCmd struct{ editorFlags }

func (c *codeServerCmd) Run(e *env) error { return c.print(e, deploy.CodeServer) }

type vscodiumCmd struct{ editorFlags }

func (c *vscodiumCmd) Run(e *env) error { return c.print(e, deploy.VSCodium) }

type vscodeCmd struct {
	editorFlags
	Format string `enum:"product,patch,policy,registry,profile" default:"product" help:"What to print: the part of product.json (product), a script that changes that file (patch), or VS Code's policies for Linux (policy), Windows (registry) or macOS (profile)."`
}

func (c *vscodeCmd) Run(e *env) error {
	return c.print(e, map[string]func(io.Writer, deploy.Editor) error{
		"product": deploy.VSCode, "patch": deploy.VSCodePatch,
		"policy": deploy.VSCodePolicy, "registry": deploy.VSCodeRegistry, "profile": deploy.VSCodeProfile,
	}[c.Format])
}

type cursorCmd struct{ editorFlags }

func (c *cursorCmd) Run(e *env) error { return c.print(e, deploy.Cursor) }

type windsurfCmd struct{ editorFlags }

func (c *windsurfCmd) Run(e *env) error { return c.print(e, deploy.Windsurf) }

type antigravityCmd struct{ editorFlags }

func (c *antigravityCmd) Run(e *env) error { return c.print(e, deploy.Antigravity) }

type positronCmd struct{ editorFlags }

func (c *positronCmd) Run(e *env) error { return c.print(e, deploy.Positron) }

type gitLabCmd struct{ editorFlags }

func (c *gitLabCmd) Run(e *env) error { return c.print(e, deploy.GitLab) }

type s3CORSCmd struct {
	XML bool `name:"xml" help:"Print the policy in the XML of the S3 protocol, instead of JSON for the aws command."`
}

func (c *s3CORSCmd) Run(e *env) error {
	policy := s3.CORSJSON()
	if c.XML {
		policy = s3.CORSXML()
	}
	_, err := io.WriteString(e.stdout, policy)
	return err
}

type s3PolicyCmd struct {
	Bucket string   `arg:"" placeholder:"BUCKET" help:"The bucket with the site: BUCKET[/PREFIX]."`
	Inbox  []string `placeholder:"PUBLISHER[=USER]" help:"Also let a user, named as the server names users in bucket policies, submit packages of this publisher to the inbox. Without a user, print only the policy of such a user."`
}

func (c *s3PolicyCmd) Run(e *env) error {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(c.Bucket, "s3://"), "/")
	if bucket == "" {
		return fmt.Errorf("%q: want BUCKET[/PREFIX]", c.Bucket)
	}
	policy := deploy.BucketPolicy(bucket, prefix)
	if len(c.Inbox) > 0 {
		var err error
		if policy, err = c.inboxPolicy(bucket, prefix); err != nil {
			return err
		}
	}
	_, err := io.WriteString(e.stdout, policy)
	return err
}

// inboxPolicy returns the bucket policy with authors, or that of a single author.
func (c *s3PolicyCmd) inboxPolicy(bucket, prefix string) (string, error) {
	var authors []deploy.Author
	for _, arg := range c.Inbox {
		publisher, user, _ := strings.Cut(arg, "=")
		if err := inbox.CheckPublisher(publisher); err != nil {
			return "", fmt.Errorf("--inbox %s: %w", arg, err)
		}
		if user == "" && len(c.Inbox) > 1 {
			return "", fmt.Errorf("--inbox %s: the user is missing: only one publisher can be named without one", arg)
		}
		authors = append(authors, deploy.Author{Publisher: publisher, User: user})
	}
	if authors[0].User == "" {
		return deploy.AuthorPolicy(bucket, prefix, authors[0].Publisher), nil
	}
	return deploy.BucketPolicy(bucket, prefix, authors...), nil
}
