package address

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
	"galbuild/build/upstream"
)

// GitHub is a server of GitHub.
type GitHub struct {
	API *url.URL // of its REST interface, such as https://api.github.com
	Web *url.URL // of its pages, such as https://github.com
}

// NewGitHub returns the server whose REST interface is at an address; "" is that of GitHub.com.
// Other servers have it at https://HOST/api/v3.
func NewGitHub(api string) (*GitHub, error) {
	if api == "" {
		return &GitHub{&url.URL{Scheme: "https", Host: "api.github.com"}, &url.URL{Scheme: "https", Host: "github.com"}}, nil
	}
	u, err := url.Parse(strings.TrimRight(api, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery+u.Fragment != "" {
		return nil, errors.New("the address of GitHub's REST interface is malformed: want https://HOST/api/v3")
	}
	return &GitHub{u, &url.URL{Scheme: u.Scheme, Host: strings.TrimPrefix(u.Host, "api.")}}, nil
}

// A Repository is one on GitHub.
type Repository struct {
	Owner, Name string
	Tag         string // of a release; "" is the newest
}

var (
	scheme   = "github:"
	names    = regexp.MustCompile(`^([A-Za-z0-9-]+)/([A-Za-z0-9._-]+)$`)
	webPaths = regexp.MustCompile(`^([^/]+/[^/]+?)(?:\.git)?(?:/releases(?:/latest|/tag/(.+))?)?$`)
)

const wantRepository = "want github:OWNER/REPO, or github:OWNER/REPO@TAG for one release"

// Repository parses github:OWNER/REPO[@TAG] and the addresses of pages: of a repository, of its
// releases and of a release. ok is false if text is neither.
func (g *GitHub) Repository(text string) (r Repository, ok bool, err error) {
	path, ok := strings.CutPrefix(text, scheme)
	if ok {
		path, r.Tag, _ = strings.Cut(path, "@")
	} else {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != g.Web.Scheme || !strings.EqualFold(u.Host, g.Web.Host) {
			return r, false, nil
		}
		m := webPaths.FindStringSubmatch(strings.Trim(u.Path, "/"))
		if m == nil {
			return r, true, fmt.Errorf("%.200q is not the address of a repository; %s", text, wantRepository)
		}
		path, r.Tag = m[1], m[2]
	}
	m := names.FindStringSubmatch(path)
	if m == nil || strings.Trim(m[2], ".") == "" || len(path)+len(r.Tag) > maxURL/2 {
		return r, true, fmt.Errorf("%.200q does not name a repository; %s", text, wantRepository)
	}
	r.Owner, r.Name = m[1], m[2]
	return r, true, nil
}

// Releases returns the upstream of the packages of a repository: those of the release with the tag.
// Without a tag, it has those of the newest release and of the newest pre-release if that is newer.
// Others are not read, because each package needs two requests.
func (g *GitHub) Releases(r Repository, c Config) *Packages {
	page := g.Web.JoinPath(r.Owner, r.Name)
	if r.Tag != "" {
		page = page.JoinPath("releases/tag", url.PathEscape(r.Tag))
	}
	return &Packages{name: page.String(), find: func(ctx context.Context) ([]found, error) {
		releases, err := g.list(ctx, r, c.Requests)
		if err != nil {
			return nil, err
		}
		all, err := c.readReleases(ctx, newest(releases))
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("%s has no release with a .vsix file", page)
		}
		return all, err
	}}
}

// A githubRelease is a release, as far as it is needed.
type githubRelease struct {
	Draft       bool      `json:"draft"`
	PreRelease  bool      `json:"prerelease"`
	PublishedAt time.Time `json:"published_at"`
	Assets      []struct {
		Name   string `json:"name"`
		URL    string `json:"browser_download_url"`
		Size   int64  `json:"size"`
		Digest string `json:"digest"` // sha256:<hex>, or "" for old assets
		// UpdatedAt is later than PublishedAt if the asset was uploaded after the release
		// was published, which is possible at any time.
		UpdatedAt time.Time `json:"updated_at"`
	} `json:"assets"`
}

// list requests a release, or the hundred that were made last.
func (g *GitHub) list(ctx context.Context, r Repository, requests upstream.Requests) ([]githubRelease, error) {
	requests.Header = maps.Clone(requests.Header)
	if requests.Header == nil {
		requests.Header = http.Header{}
	}
	requests.Header.Set("Accept", "application/vnd.github+json")
	requests.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	address := g.API.JoinPath("repos", r.Owner, r.Name, "releases")
	if r.Tag != "" {
		address = address.JoinPath("tags", url.PathEscape(r.Tag))
	} else {
		address.RawQuery = "per_page=100"
	}
	text, err := requests.Get(ctx, address.String())
	switch {
	case errors.Is(err, upstream.ErrNotFound):
		return nil, fmt.Errorf("%s has no repository %s/%s, or it does not have the release, or it is private: "+
			"then --github-token is needed", g.Web.Host, r.Owner, r.Name)
	case err != nil:
		return nil, err
	}
	all, err := decodeReleases(text, r.Tag != "")
	if err != nil {
		return nil, fmt.Errorf("the response of %s %w", g.API.Host, err)
	}
	return all, nil
}

// decodeReleases decodes a list of releases, or a single one.
func decodeReleases(text []byte, single bool) ([]githubRelease, error) {
	if err := upstream.CheckElements(text); err != nil {
		return nil, err
	}
	all := make([]githubRelease, 1)
	var err error
	if single {
		err = json.Unmarshal(text, &all[0])
	} else {
		err = json.Unmarshal(text, &all)
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); err != nil && !ok {
		return nil, errors.New("does not have the form of releases")
	}
	return all, jsondoc.Explain(text, err)
}

// newest returns the newest release that has packages, and the newest pre-release if that is newer.
// Releases are the newest first.
func newest(all []githubRelease) (chosen []githubRelease) {
	for _, r := range all {
		if r.Draft || r.packages() == 0 || r.PreRelease && len(chosen) > 0 {
			continue
		}
		chosen = append(chosen, r)
		if !r.PreRelease {
			break
		}
	}
	return chosen
}

// packages returns how many packages a release has.
func (r *githubRelease) packages() (n int) {
	for _, a := range r.Assets {
		if isVSIX(a.Name) {
			n++
		}
	}
	return n
}

func isVSIX(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".vsix") }

// maxPackages is how many packages of a repository are read.
const maxPackages = 500

// readReleases reads the packages of releases. Those that cannot be read are left out, unless none
// can.
func (c Config) readReleases(ctx context.Context, releases []githubRelease) (all []found, err error) {
	n := 0
	for i := range releases {
		n += releases[i].packages()
	}
	if n > maxPackages {
		return nil, fmt.Errorf("the releases have %d packages, more than the limit of %d", n, maxPackages)
	}
	var failed error
	for _, r := range releases {
		for _, a := range r.Assets {
			if !isVSIX(a.Name) {
				continue
			}
			f, err := c.readAsset(ctx, a.URL, a.Size, a.Digest)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				failed = fmt.Errorf("%.200q: %w", a.Name, err)
				c.warn(a.Name, err)
				continue
			}
			f.release.Published = publishedAt(r.PublishedAt, a.UpdatedAt)
			if !slices.ContainsFunc(all, f.isSame) { // of two, that of the newer release
				all = append(all, *f)
			}
		}
	}
	if len(all) == 0 {
		return nil, failed
	}
	return all, nil
}

// publishedAt returns when an asset of a release was published: when it got its content. It is zero
// for a date that JSON cannot express.
func publishedAt(release, asset time.Time) time.Time {
	t := release.UTC()
	if asset = asset.UTC(); asset.After(t) {
		t = asset
	}
	if t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// maxURL is the limit of an address, in bytes.
const maxURL = 2000

// readAsset reads a package that is an asset of a release.
func (c Config) readAsset(ctx context.Context, address string, size int64, digest string) (*found, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(address) > maxURL {
		return nil, errors.New("the release states no usable address")
	}
	file := upstream.File{URL: address, Size: size}
	if hex, ok := strings.CutPrefix(digest, "sha256:"); ok {
		if file.SHA256, err = blob.Parse(hex); err != nil {
			return nil, fmt.Errorf("the release states a hash that is not one: %w", err)
		}
	}
	f, err := c.read(ctx, file)
	if err == nil && f.release.Package.Size != size {
		return nil, fmt.Errorf("the package has %d bytes, but the release states %d", f.release.Package.Size, size)
	}
	return f, err
}
