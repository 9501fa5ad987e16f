package gallery

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/sidecar"
	"galbuild/build/upstream"
)

// publicKeyAsset is the type of the key with which Open VSX has made a signature.
const publicKeyAsset = "Microsoft.VisualStudio.Services.PublicKey"

// maxRange is the limit of the range of versions of VS Code, in bytes.
const maxRange = 200

// describe returns an extension with the releases that can be downloaded. Package sidecar reads
// what it also reads from files of other galleries. For example, it leaves out the ids of
// code-marketplace, which are not UUIDs.
func (c *Client) describe(e *extension) (*upstream.Extension, error) {
	known, err := sidecar.Read(e.text, sidecar.Package{Publisher: e.Publisher.PublisherName, Name: e.Name})
	if err != nil {
		return nil, err
	}
	x := &upstream.Extension{ID: e.id(), UUID: known.ExtensionID, Statistics: known.Statistics}
	if known.Publisher != nil {
		x.Publisher = *known.Publisher
	}
	if known.ReleaseDate != nil {
		x.Released = *known.ReleaseDate
	}
	listed := map[[2]string]bool{}
	var reason error
	for i := range e.Versions {
		r, err := c.release(e, &e.Versions[i])
		if err != nil {
			reason = err
			continue
		}
		if key := [2]string{r.Version, r.Platform}; !listed[key] {
			listed[key] = true
			x.Releases = append(x.Releases, *r)
		}
	}
	if len(x.Releases) == 0 && reason != nil {
		return nil, fmt.Errorf("no version in the response of %s can be used: %w", c.address, reason)
	}
	return x, nil
}

// release returns a version of an extension. It is an error if the version could not be served, or
// if its package has no address.
func (c *Client) release(e *extension, v *version) (*upstream.Release, error) {
	if err := catalog.CheckIdentity(e.Publisher.PublisherName, e.Name, v.Version); err != nil {
		return nil, err
	}
	platform, err := catalog.ParsePlatform(v.TargetPlatform)
	if err != nil {
		return nil, fmt.Errorf("version %s: %w", v.Version, err)
	}
	r := &upstream.Release{
		Version: v.Version, Platform: platform, Published: date(v.LastUpdated),
		Engine: v.property(catalog.PropertyEngine), PreRelease: v.property(catalog.PropertyPreRelease) == "true",
		Dependencies: ids(v.property(catalog.PropertyDependencies)), Pack: ids(v.property(catalog.PropertyPack)),
	}
	if len(r.Engine) > maxRange {
		return nil, fmt.Errorf("version %s: the range of versions of VS Code has %d bytes, at most %d are allowed",
			v.Version, len(r.Engine), maxRange)
	}
	if r.Package.URL, err = c.assetURL(v, platform, catalog.PackageAsset); err != nil {
		return nil, fmt.Errorf("version %s: %w", v.Version, err)
	}
	r.Package.Size = -1
	if v.has(catalog.SignatureAsset) {
		if err := c.sign(v, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// sign sets the signature of a release, and the address of its key if there is one.
func (c *Client) sign(v *version, r *upstream.Release) (err error) {
	r.Signature = &upstream.File{Size: -1}
	if r.Signature.URL, err = c.assetURL(v, r.Platform, catalog.SignatureAsset); err == nil && v.has(publicKeyAsset) {
		r.PublicKey, err = c.assetURL(v, r.Platform, publicKeyAsset)
	}
	return err
}

// assetURL returns the address from which editors download a file of a version. They name the
// platform in the query, which is left out if it is in the path already.
func (c *Client) assetURL(v *version, platform, kind string) (string, error) {
	dir := v.FallbackAssetURI
	if dir == "" {
		dir = v.AssetURI
	}
	address := strings.TrimRight(dir, "/") + "/" + kind
	if platform != "" && !strings.HasSuffix(dir, platform) {
		address += "?targetPlatform=" + url.QueryEscape(platform)
	}
	return address, c.checkURL(address)
}

// maxURL is the limit of an address, in bytes.
const maxURL = 2000

// checkURL refuses an address from a response that cannot be requested, and one without TLS from a
// gallery with TLS, as redirects from https to http are refused. It also refuses one of Microsoft's
// Marketplace from another gallery: the user must have named it, and has then seen its [Terms].
func (c *Client) checkURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(address) > maxURL:
		return fmt.Errorf("the gallery states no usable address, but %.100q", address)
	case u.Scheme == "http" && strings.HasPrefix(c.address, "https:"):
		return fmt.Errorf("the gallery is at https://, but states the address http://%s/…; "+
			"a proxy in front of it may have to set the header X-Forwarded-Proto", u.Host)
	case Terms(address) != "" && Terms(c.address) == "":
		return fmt.Errorf("the gallery states the address https://%s/…, which is of Microsoft's Marketplace; "+
			"galbuild downloads from it only if you name it as the upstream", u.Host)
	}
	return nil
}

// property returns the value of the first property with a key, as editors do.
func (v *version) property(key string) string {
	for _, p := range v.Properties {
		if p.Key == key {
			return strings.TrimSpace(p.Value)
		}
	}
	return ""
}

// has reports whether a version has a file of a type.
func (v *version) has(kind string) bool {
	for _, f := range v.Files {
		if f.AssetType == kind {
			return true
		}
	}
	return false
}

// ids returns the ids in a list that is separated by commas. Editors ignore what is not an id.
func ids(list string) (all []string) {
	for id := range strings.SplitSeq(strings.ToLower(list), ",") {
		id = strings.TrimSpace(id)
		publisher, name, _ := strings.Cut(id, ".")
		if catalog.CheckID(publisher, name) == nil && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

// date returns a date in UTC and whole seconds. It is zero if there is none, and for the year 1,
// which code-marketplace states.
func date(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if t = t.UTC().Truncate(time.Second); err != nil || t.Year() <= 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
