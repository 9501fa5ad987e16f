package galbuild

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"galbuild/cmd/internal/addresses"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/publish/target"
	"galbuild/publish/target/artifactory"
	"galbuild/publish/target/dir"
	"galbuild/publish/target/dropbox"
	"galbuild/publish/target/s3"
	"galbuild/publish/target/website"
)

// place says where a site is kept, if that is no folder here.
type place struct {
	S3          string `name:"s3" env:"GALBUILD_S3" placeholder:"BUCKET[/PREFIX]" group:"Target:" help:"An S3 bucket. Credentials come from where AWS's tools look for them: the environment, the shared files, the machine's role."`
	OSS         string `name:"oss" placeholder:"BUCKET[/PREFIX]" group:"Target:" help:"An Aliyun OSS bucket, with the keys in OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET."`
	Endpoint    string `aliases:"endpoint-url,s3-endpoint" placeholder:"URL" group:"Target:" help:"Address of the S3 or OSS server, if it is not AWS's or Aliyun's for the region."`
	Region      string `aliases:"s3-region" placeholder:"REGION" group:"Target:" help:"Region of the bucket."`
	Artifactory string `placeholder:"URL" group:"Target:" help:"An Artifactory server, with the token in ARTIFACTORY_TOKEN."`
	Repo        string `placeholder:"REPO[/PREFIX]" group:"Target:" help:"The generic repository on the Artifactory server."`
	Dropbox     string `placeholder:"/PATH" group:"Target:" help:"A Dropbox folder, with the token in DROPBOX_TOKEN."`
	CA          string `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" group:"Target:" help:"File of certificates (PEM) to trust in addition to the system's."`
	Config      string `short:"c" type:"existingfile" placeholder:"FILE" group:"Target:" help:"A file of targets: {\"backends\": {NAME: {…}}}, as dbem has it."`
	Backend     string `placeholder:"NAME" group:"Target:" help:"Name of the target in the file (default: the first)."`
	s3Flags
}

// location is a folder or another place, the same way for every command.
type location struct {
	Output string `short:"o" complete:"path" placeholder:"SITE" group:"Target:" help:"A site's folder (default: site), or a target as one word, such as s3://BUCKET/PREFIX."`
	place
	web string // the http(s) address of a site, which can only be read
}

// given returns how many places are named.
func (p *place) given() (n int) {
	for _, s := range []string{p.S3, p.OSS, p.Artifactory, p.Dropbox, p.Config} {
		if s != "" {
			n++
		}
	}
	return n
}

// Validate implements Kong's hook.
func (p *place) Validate() error {
	switch {
	case p.given() > 1:
		return errors.New("name one target only: --s3, --oss, --artifactory, --dropbox or -c")
	case (p.Artifactory == "") != (p.Repo == ""):
		return errors.New("--artifactory and --repo go together")
	case p.Backend != "" && p.Config == "":
		return errors.New("--backend needs -c")
	case p.Dropbox != "" && !strings.HasPrefix(p.Dropbox, "/"):
		return fmt.Errorf("--dropbox=%s: the path must begin with a slash", p.Dropbox)
	}
	return nil
}

// Validate implements Kong's hook. It also takes apart an address given to -o.
func (l *location) Validate() error { return l.name("") }

// name takes a target given as an argument, or "", and checks that there is one target.
func (l *location) name(argument string) error {
	if argument != "" && (l.Output != "" || l.web != "" || l.given() > 0) {
		return errors.New("name one target only: a folder or another one")
	}
	if argument == "" {
		argument = l.Output
	}
	if addresses.Scheme(argument) == "" {
		l.Output = argument
		return l.check()
	}
	if l.given() > 0 {
		return errors.New("name one target only: -o or another one")
	}
	named, err := parsePlace(argument, l.place)
	*l = named
	return err
}

func (l *location) check() error {
	if l.Output != "" && l.given() > 0 {
		return errors.New("name one target only: -o or another one")
	}
	return l.place.Validate()
}

// open returns the place, which is to be changed.
func (l *location) open(e *env) (target.Target, error) {
	if l.web != "" {
		return nil, hint.Add(fmt.Errorf("%s: %w", l.web, website.ErrReadOnly), "name the target where the site is kept: a folder with -o, --s3, --oss, --artifactory or --dropbox")
	}
	return l.openToRead(e)
}

// openToRead returns the place. It may be a site at an http(s) address.
func (l *location) openToRead(e *env) (target.Target, error) {
	if l.web != "" {
		return opened(website.New(website.Config{URL: l.web, CA: l.CA, Transport: e.transport}))
	}
	if l.given() > 0 {
		return l.place.open(e)
	}
	if l.s3Flags != (s3Flags{}) {
		return nil, errNoBucket
	}
	return openFolder(cmp.Or(l.Output, "site"))
}

// firstWrite returns the folder as it is now; of another target, one that is not empty.
func (l *location) firstWrite() firstWrite {
	if l.given() > 0 {
		return firstWrite{}
	}
	return newFirstWrite(cmp.Or(l.Output, "site"))
}

func openFolder(path string) (target.Target, error) {
	if err := notFile(path); err != nil {
		return nil, err
	}
	return opened(dir.New(path))
}

// needSite returns an error if there is no folder at path, where a site should be.
func needSite(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return hint.Add(fmt.Errorf("%s is not a site: there is no such folder%s", path, usage.SimilarFiles(path)), "galbuild SOURCE… -o %s builds one", path)
	}
	return notFile(path)
}

// notFile returns an error if there is a file at path, where a site's folder belongs.
func notFile(path string) error {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return fmt.Errorf("%s is a file; a site is a folder", path)
	}
	return nil
}

// open returns the place.
func (p *place) open(e *env) (target.Target, error) {
	b, err := p.backend(e)
	if err != nil {
		return nil, err
	}
	if p.s3Flags != (s3Flags{}) && b.Kind != "s3" && b.Kind != "oss" {
		return nil, errNoBucket
	}
	return b.open(e)
}

var errNoBucket = errors.New("--no-sign-request and flags that begin with --s3- are for buckets, and this target is not one")

// backend returns what the flags say, as a config file would.
func (p *place) backend(e *env) (backend, error) {
	if p.Config == "" {
		return p.flags(), nil
	}
	b, warning, err := readBackend(p.Config, p.Backend)
	if warning != "" {
		e.log.Warn(warning)
	}
	b.Region, b.Endpoint, b.CA = cmp.Or(p.Region, b.Region), cmp.Or(p.Endpoint, b.Endpoint), cmp.Or(p.CA, b.CA)
	b.s3Options = p.s3Flags.options().or(b.s3Options)
	return b, err
}

func (p *place) flags() backend {
	b := backend{Region: p.Region, Endpoint: p.Endpoint, CA: p.CA, URL: p.Artifactory, s3Options: p.s3Flags.options()}
	switch {
	case p.S3 != "":
		b.Kind = "s3"
		b.Bucket, b.Path, _ = strings.Cut(p.S3, "/")
	case p.OSS != "":
		b.Kind = "oss"
		b.Bucket, b.Path, _ = strings.Cut(p.OSS, "/")
	case p.Dropbox != "":
		b.Kind, b.Path = "dropbox", p.Dropbox
	default:
		b.Kind = "artifactory"
		b.Repo, b.Path, _ = strings.Cut(p.Repo, "/")
	}
	return b
}

// open returns the place.
func (b *backend) open(e *env) (target.Target, error) {
	transport := e.transport
	switch b.Kind {
	case "s3", "oss":
		return b.bucket(e)
	case "dropbox":
		return opened(dropbox.New(dropbox.Config{Path: b.Path, Token: string(b.Token), CA: b.CA, Transport: transport}))
	case "artifactory":
		return opened(artifactory.New(artifactory.Config{URL: b.URL, Repo: b.Repo, Prefix: b.Path, Token: string(b.Token), CA: b.CA, Transport: transport}))
	}
	return openFolder(b.Path)
}

func (b *backend) bucket(e *env) (target.Target, error) {
	c := s3.Config{
		Bucket: b.Bucket, Prefix: strings.Trim(b.Path, "/"), Endpoint: b.Endpoint, Region: b.Region, CAFile: b.CA,
		AccessKey: b.AccessKey, SecretKey: string(b.SecretKey), SessionToken: string(b.SessionToken),
		Transport: e.transport, Warn: func(message string) { terminal.Fprintf(e.stderr, "galbuild: warning: %s\n", message) },
	}
	b.s3Options.apply(&c)
	if b.Kind == "oss" {
		var err error
		if c, err = s3.OSS(c); err != nil {
			return nil, err
		}
	}
	return opened(s3.New(c))
}

// opened keeps a place that could not be opened from looking like one.
func opened[T target.Target](t T, err error) (target.Target, error) {
	if err != nil {
		return nil, err
	}
	return t, nil
}

// parsePlace reads a target written as one word: a folder, s3://BUCKET/PREFIX,
// oss://BUCKET/PREFIX, dropbox:/PATH, artifactory:URL/REPO/PREFIX with a URL that ends in
// /artifactory, or the http(s) address of a site, which can only be read.
func parsePlace(s string, as place) (location, error) {
	l := location{place: as}
	scheme := addresses.Scheme(s)
	rest := strings.TrimPrefix(s[len(scheme):], ":")
	switch scheme {
	case "":
		l.Output = s
	case "s3":
		l.S3 = strings.Trim(rest, "/")
	case "oss":
		l.OSS = strings.Trim(rest, "/")
	case "dropbox":
		l.Dropbox = "/" + strings.TrimLeft(rest, "/")
	case "artifactory", "artifactory+https", "artifactory+http":
		if _, web, ok := strings.Cut(scheme, "+"); ok {
			rest = web + ":" + rest
		}
		server, repo, found := strings.Cut(rest, "/artifactory/")
		if !found || repo == "" {
			return l, fmt.Errorf("%s: want artifactory:https://HOST/artifactory/REPO/PREFIX", s)
		}
		l.Artifactory, l.Repo = server+"/artifactory", repo
	case "http", "https":
		l.web = s
	case "file":
		return l, hint.Add(fmt.Errorf("%s: a folder is named by its path", s), "%s", hintPath(s))
	default:
		return l, hint.Add(fmt.Errorf("%s: %s: is not a kind of target", s, scheme),
			"a target is a folder, s3://BUCKET/PREFIX, oss://BUCKET/PREFIX, dropbox:/PATH or artifactory:URL/REPO; to read a site, its https address works too")
	}
	if scheme != "" && l.web == "" && l.given() == 0 {
		return l, fmt.Errorf("%s: the bucket is missing", s)
	}
	return l, l.check()
}
