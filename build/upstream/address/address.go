// Package address has upstreams that are not galleries: a package at an address, and the packages
// of releases on GitHub. They do not list ids and versions, so a part of each package is requested:
// the directory of the archive, and the files in it that describe the package.
//
//	https://host/x.vsix  ─ Range ▶ vsix.Peek ▶ id, version, platform, engine, dependencies
//	github:OWNER/REPO    ─ releases ▶ assets that are .vsix files ─ each as above
//
// The id and the version that are found so are not trusted. Whoever downloads the package must
// check that it has them.
package address

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"galbuild/build/errmsg"
	"galbuild/build/upstream"
	"galbuild/build/vsix"
)

// Config has the settings of the upstreams of this package.
type Config struct {
	Requests upstream.Requests
	// Download returns the path of a file with the package at an address, for servers that
	// send whole files only. It should keep the file, so that the package is not downloaded
	// twice. nil means that such packages are errors.
	Download func(ctx context.Context, address string) (path string, err error)
}

// Packages is an upstream of a few packages, which are found when they are first needed. Its
// methods may be called by several goroutines at once.
type Packages struct {
	name string
	find func(context.Context) ([]found, error)

	lock  sync.Mutex
	found []found // nil until they are known
}

var _ upstream.Upstream = (*Packages)(nil)

// A found package is one of an upstream.
type found struct {
	id      string // publisher.name, as the package writes it
	release upstream.Release
}

// isSame reports whether a package is the same version for the same platform.
func (f *found) isSame(other found) bool {
	return strings.EqualFold(f.id, other.id) && f.release.Version == other.release.Version &&
		f.release.Platform == other.release.Platform
}

// IsPackage reports whether an address looks like that of a package.
func IsPackage(u *url.URL) bool { return strings.HasSuffix(strings.ToLower(u.Path), ".vsix") }

// New returns the upstream of the package at an http or https URL without credentials.
func New(u *url.URL, c Config) *Packages {
	named := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path} // a query may be a secret
	return &Packages{name: named.String(), find: func(ctx context.Context) ([]found, error) {
		f, err := c.read(ctx, upstream.File{URL: u.String(), Size: -1})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", named.String(), err)
		}
		return []found{*f}, nil
	}}
}

// all returns the packages, and finds them first if they are not known.
func (p *Packages) all(ctx context.Context) ([]found, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.found == nil {
		all, err := p.find(ctx)
		if err != nil {
			return nil, err
		}
		p.found = append([]found{}, all...)
	}
	return p.found, nil
}

// Name implements [upstream.Upstream].
func (p *Packages) Name() string { return p.name }

// Extension implements [upstream.Upstream].
func (p *Packages) Extension(ctx context.Context, id string) (*upstream.Extension, error) {
	all, err := p.all(ctx)
	if err != nil {
		return nil, err
	}
	e := &upstream.Extension{}
	for _, f := range all {
		if strings.EqualFold(f.id, id) {
			e.ID = f.id
			e.Releases = append(e.Releases, f.release)
		}
	}
	if e.ID == "" {
		return nil, fmt.Errorf("%s: %w", id, upstream.ErrNotFound)
	}
	return e, nil
}

// Complete implements [upstream.Upstream]. Everything is known already.
func (p *Packages) Complete(context.Context, *upstream.Extension, *upstream.Release) error {
	return nil
}

// List implements [upstream.Upstream]. It returns the ids of the packages.
func (p *Packages) List(ctx context.Context, l upstream.Listing) ([]string, error) {
	if l.Search != "" || l.Category != "" {
		return nil, fmt.Errorf("a search in %s: %w", p.name, upstream.ErrUnsupported)
	}
	all, err := p.all(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, f := range all {
		publisher, _, _ := strings.Cut(f.id, ".")
		known := slices.ContainsFunc(ids, func(id string) bool { return strings.EqualFold(id, f.id) })
		if !known && (l.Publisher == "" || strings.EqualFold(publisher, l.Publisher)) && (l.Top == 0 || len(ids) < l.Top) {
			ids = append(ids, f.id)
		}
	}
	return ids, nil
}

// Changes implements [upstream.Upstream]. There is no feed.
func (p *Packages) Changes(context.Context, string) (*upstream.Changes, error) {
	return nil, fmt.Errorf("changes of %s: %w", p.name, upstream.ErrUnsupported)
}

// read finds out what the package in a file is.
func (c Config) read(ctx context.Context, file upstream.File) (*found, error) {
	var p *vsix.Package
	r, err := openRemote(ctx, c.Requests, file.URL)
	switch {
	case err == nil:
		file.Size = r.size
		p, err = vsix.Peek(r, r.size, vsix.Limits{})
	case errors.Is(err, upstream.ErrUnsupported) && c.Download != nil:
		p, err = c.readDownloaded(ctx, &file)
	}
	if err != nil {
		return nil, err
	}
	return &found{p.Publisher + "." + p.Name, release(p, file)}, nil
}

// readDownloaded reads a package from a server that sends whole files only.
func (c Config) readDownloaded(ctx context.Context, file *upstream.File) (*vsix.Package, error) {
	path, err := c.Download(ctx, file.URL)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if file.Size, err = f.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	return vsix.Peek(f, file.Size, vsix.Limits{})
}

// warn logs the error of one of several packages.
func (c Config) warn(name string, err error) {
	if c.Requests.Log != nil {
		c.Requests.Log.Warn("package is left out", "package", name, "error", errmsg.Text(err))
	}
}
