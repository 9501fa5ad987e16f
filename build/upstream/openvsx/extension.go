package openvsx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"galbuild/build/catalog"
	"galbuild/build/upstream"
)

// maxLicence and maxDependencies are limits of what is kept of a release: bytes and ids.
const (
	maxLicence      = 1000
	maxDependencies = 1000
)

// page is a response to a query.
type page struct {
	result
	TotalSize  int       `json:"totalSize"`
	Extensions []release `json:"extensions"`
}

// release is a version for a platform, with what is common to all of its extension.
//
// Source:
// https://github.com/eclipse-openvsx/openvsx/blob/12f5b0008465c90cba3da45cf90247dce702740c/server/src/main/java/org/eclipse/openvsx/json/ExtensionJson.java
type release struct {
	Namespace            string            `json:"namespace"`
	NamespaceDisplayName string            `json:"namespaceDisplayName"`
	Name                 string            `json:"name"`
	Version              string            `json:"version"`
	TargetPlatform       string            `json:"targetPlatform"`
	PreRelease           bool              `json:"preRelease"`
	Timestamp            string            `json:"timestamp"`
	Verified             *bool             `json:"verified"`
	License              string            `json:"license"`
	Engines              map[string]string `json:"engines"`
	Dependencies         []reference       `json:"dependencies"`
	BundledExtensions    []reference       `json:"bundledExtensions"`
	Files                map[string]string `json:"files"`
	DownloadCount        int64             `json:"downloadCount"`
	AverageRating        float64           `json:"averageRating"`
	ReviewCount          int64             `json:"reviewCount"`
	Deprecated           bool              `json:"deprecated"`
	Replacement          *struct {
		URL string `json:"url"`
	} `json:"replacement"`
	Downloadable *bool `json:"downloadable"` // nil in versions of Open VSX that do not have it
}

// id returns the id as the registry writes it.
func (r *release) id() string { return r.Namespace + "." + r.Name }

// Extension implements [upstream.Upstream]. It does not use the parameter extensionId, because the
// server refuses an id with two dots.
func (c *Client) Extension(ctx context.Context, id string) (*upstream.Extension, error) {
	publisher, name, _ := strings.Cut(id, ".")
	if err := catalog.CheckID(publisher, name); err != nil {
		return nil, fmt.Errorf("%.200q is not an id: %w", id, err)
	}
	all, err := c.query(ctx, url.Values{
		"namespaceName": {publisher}, "extensionName": {name}, "includeAllVersions": {"true"},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	var e *upstream.Extension
	seen := map[string]bool{} // a page repeats releases if one was published meanwhile
	for i := range all {
		r := &all[i]
		if !strings.EqualFold(r.id(), id) || r.Downloadable != nil && !*r.Downloadable {
			continue
		}
		if e == nil {
			e = c.extension(r)
		}
		added, err := c.release(r)
		if err != nil {
			c.log.Warn("a version is left out", "extension", id, "version", r.Version, "error", err)
			continue
		}
		if key := added.Version + "@" + added.Platform; !seen[key] {
			seen[key] = true
			e.Releases = append(e.Releases, *added)
			e.Released = earlier(e.Released, added.Published)
		}
	}
	switch {
	case e != nil:
		return e, nil
	case len(all) > 0:
		return nil, fmt.Errorf("%s: %w: %s lists it, but does not offer it for download", id, upstream.ErrNotFound, c.base.Host)
	}
	return nil, fmt.Errorf("%s: %w on %s", id, upstream.ErrNotFound, c.base.Host)
}

// query requests all pages of a query.
func (c *Client) query(ctx context.Context, parameters url.Values) ([]release, error) {
	var all []release
	size := 0
	parameters.Set("size", strconv.Itoa(maxPage))
	for range maxPages {
		parameters.Set("offset", strconv.Itoa(len(all)))
		var p page
		if err := c.get(ctx, c.requests, "/api/v2/-/query", parameters, &p); err != nil {
			return nil, err
		}
		if size += p.size; size > c.maxList {
			return nil, c.tooLong()
		}
		all = append(all, p.Extensions...)
		if len(p.Extensions) == 0 || len(all) >= p.TotalSize {
			return all, nil
		}
	}
	return nil, c.tooLong()
}

func (c *Client) tooLong() error {
	return fmt.Errorf("%s has a list of more than %d pages or %s, which is the limit", c.base.Host, maxPages, humanize.IBytes(uint64(c.maxList)))
}

// extension returns what all releases of an extension have in common.
func (c *Client) extension(r *release) *upstream.Extension {
	e := &upstream.Extension{
		ID:         r.id(),
		Publisher:  catalog.SidecarPublisher{DisplayName: r.NamespaceDisplayName},
		Access:     r.access(),
		Deprecated: r.Deprecated,
		Statistics: r.statistics(),
	}
	if r.Replacement != nil {
		e.Replacement = replacementID(r.Replacement.URL)
	}
	return e
}

// access returns "restricted" if the namespace has an owner and one of its members has published
// the release. Otherwise anybody may have.
func (r *release) access() string {
	switch {
	case r.Verified == nil:
		return ""
	case *r.Verified:
		return "restricted"
	}
	return "public"
}

// statistics returns the counts that a gallery can have. Other numbers are left out.
func (r *release) statistics() *catalog.Statistics {
	s := catalog.Statistics{Install: max(r.DownloadCount, 0), RatingCount: max(r.ReviewCount, 0)}
	if r.AverageRating >= 0 && r.AverageRating <= 5 {
		s.AverageRating = r.AverageRating
	}
	return &s
}

// replacementID returns the id in the address …/api/NAMESPACE/NAME, or "".
func replacementID(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.Path, "/")
	if len(parts) < 2 {
		return ""
	}
	publisher, name := parts[len(parts)-2], parts[len(parts)-1]
	if catalog.CheckID(publisher, name) != nil {
		return ""
	}
	return strings.ToLower(publisher + "." + name)
}

// release returns the release of a response, or an error if it cannot be one.
func (c *Client) release(r *release) (*upstream.Release, error) {
	if err := catalog.CheckIdentity(r.Namespace, r.Name, r.Version); err != nil {
		return nil, err
	}
	platform, err := catalog.ParsePlatform(r.TargetPlatform)
	if err != nil {
		return nil, err
	}
	download, err := c.file(r.Files["download"])
	if err != nil {
		return nil, err
	}
	if download == "" {
		return nil, errors.New("its package has no address")
	}
	if max(len(r.Dependencies), len(r.BundledExtensions)) > maxDependencies {
		return nil, fmt.Errorf("it has more than %d dependencies or members", maxDependencies)
	}
	result := &upstream.Release{
		Version:      r.Version,
		Platform:     platform,
		PreRelease:   r.PreRelease,
		Engine:       r.Engines["vscode"],
		Published:    parseTime(r.Timestamp),
		Licence:      strings.ToValidUTF8(r.License[:min(len(r.License), maxLicence)], ""),
		Dependencies: ids(r.Dependencies),
		Pack:         ids(r.BundledExtensions),
		Package:      upstream.File{URL: download, Size: -1},
	}
	return result, c.addFiles(result, r.Files)
}

// addFiles adds the files of a release that it need not have.
func (c *Client) addFiles(r *upstream.Release, files map[string]string) error {
	var err error
	if r.Checksum, err = c.file(files["sha256"]); err != nil {
		return err
	}
	if r.PublicKey, err = c.file(files["publicKey"]); err != nil {
		return err
	}
	signature, err := c.file(files["signature"])
	if signature != "" {
		r.Signature = &upstream.File{URL: signature, Size: -1}
	}
	return err
}

// file returns the address of a file in a response, which may be relative. It refuses http for a
// registry with https.
func (c *Client) file(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	u, err := c.base.Parse(address)
	switch {
	case err != nil:
		return "", errors.New("the address of a file is malformed")
	case !isHTTP(u) || u.User != nil || c.base.Scheme == "https" && u.Scheme != "https":
		return "", fmt.Errorf("the address of a file begins with %s://%s, want %s:// and no credentials",
			u.Scheme, u.Host, c.base.Scheme)
	}
	return u.String(), nil
}

// ids returns the lower-case ids of references. Those that cannot be ids are left out.
func ids(references []reference) []string {
	var all []string
	for _, r := range references {
		if catalog.CheckID(r.Namespace, r.Extension) == nil {
			all = append(all, strings.ToLower(r.Namespace+"."+r.Extension))
		}
	}
	return all
}

// earlier returns the earlier of two times. A zero time is not one.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
