package galbuild

import (
	"net/url"

	"galbuild/build/download"
	"galbuild/build/publicnet"
	"galbuild/build/retry"
	"galbuild/build/upstream"
	"galbuild/build/upstream/all"
	"galbuild/build/upstream/gallery"
	"galbuild/cmd/internal/version"
)

// upstreamFlags are the flags of commands that send requests to upstreams.
type upstreamFlags struct {
	From   []string `placeholder:"UPSTREAM" help:"Where packages come from: openvsx (the default), the address of a registry of that kind or of another gallery, or github:OWNER/REPO. May be repeated; the first that has a version that fits is used."`
	Rate   float64  `placeholder:"N" help:"Number of requests to each host in a second (default: 5)."`
	Mirror []string `placeholder:"FROM=TO" help:"Send requests to another address instead, such as https://open-vsx.org=https://mirror.example, or https://mirror.example/{host}/{path} for all. May be repeated."`
	CA     string   `name:"ca" aliases:"ca-bundle,ca-cert" type:"existingfile" placeholder:"FILE" help:"File of certificates (PEM) to trust in addition to the system's."`

	credentialFlags
}

// credentialFlags are the flags of the same commands for secrets, which should not be in a file.
type credentialFlags struct {
	Tokens      string `placeholder:"HOST=TOKEN" help:"Tokens for upstreams, separated by spaces. Better set GALBUILD_TOKENS, because other users of the machine can read command lines."`
	GithubToken string `name:"github-token" placeholder:"TOKEN" help:"Token for the releases of GitHub. Better set GALBUILD_GITHUB_TOKEN."`
	GithubAPI   string `name:"github-api" placeholder:"URL" help:"Address of the REST interface of your GitHub server, such as https://github.example/api/v3."`
}

// agent is the header User-Agent of requests to upstreams.
func agent() string { return "galbuild/" + version.String() }

// openUpstreams opens the upstreams of the settings, and prints the terms of those that have some.
func (r *collection) openUpstreams() error {
	c := all.Config{
		CA: r.flags.CA, Rate: r.flags.Rate, Agent: agent(), Mirrors: r.flags.Mirror, Tokens: r.flags.Tokens,
		GitHubAPI: r.flags.GithubAPI, GitHubToken: r.flags.GithubToken, Log: r.env.log,
	}
	if r.folder != nil {
		c.Cache = r.folder.Responses()
		c.Download = r.folder.Download(func() *retry.Client { return r.client }, r.limits, r.env.log)
	}
	opener, err := all.New(c)
	if err != nil {
		return err
	}
	r.client, r.address = opener.Client, opener.Package
	addresses := r.settings.From
	if len(addresses) == 0 {
		addresses = []string{all.Default}
	}
	r.settings.From = nil
	for _, address := range addresses {
		u, err := opener.Open(address)
		if err != nil {
			return err
		}
		r.upstreams = append(r.upstreams, u)
		r.settings.From = append(r.settings.From, download.WithoutSecrets(address))
		r.printTerms(gallery.Terms(u.Name()))
	}
	return nil
}

// pictureClient returns the client for pictures, whose addresses packages name. Of the servers that
// are not public, it reaches the upstreams only.
func (r *collection) pictureClient() (*retry.Client, error) {
	var allowed []*url.URL
	for _, u := range r.upstreams {
		if address, err := url.Parse(u.Name()); err == nil {
			allowed = append(allowed, address)
		}
	}
	transport, err := publicnet.NewTransport(r.flags.CA, allowed)
	if err != nil {
		return nil, err
	}
	return upstream.NewClient(upstream.Config{Rate: r.flags.Rate, Agent: agent(), Transport: transport})
}
