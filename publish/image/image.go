// Package image writes OCI images: galshim, and optionally a site, as a tarball that docker load,
// podman load, skopeo and crane read. It needs neither Docker nor a base image.
//
// # The image
//
//	/galshim                              the program, statically linked
//	/galbuild                             the other program, if it is given
//	/etc/ssl/certs/ca-certificates.crt    certificates of authorities, if they are given
//	/cache                                a folder that the user of the image can write to
//	/site                                 the site, if it is included
//
// The chart for Kubernetes runs /galbuild from the same image.
//
// The entry point is /galshim, and the user is 65532. The image sets three variables, which the
// flags of the same names override: GALSHIM_LISTEN is :8080, GALSHIM_INDEX is /site, and
// GALSHIM_CACHE is /cache. So an image without a site serves the site that is mounted at /site.
//
// Nobody can write to the files, and all belong to root. There are no time stamps but those of the
// site's files that may change: nginx makes its entity tags from the time and the size of a file,
// so a page must not keep its time when it changes. Their time is when the generation became
// current.
//
// The private parts of records are not in the image, as everyone who can pull it can read it. The
// site in it has the mark of such a copy.
//
// # Layers
//
// A registry stores a layer once, and a client downloads only the layers that it lacks. So that an
// update is small, files of packages are in up to 64 layers, by a hash of the extension's id: an
// update of one extension changes one of them. Chunks of the index are in up to 16 layers, by their
// names, and never change. One layer has everything else: the index, pages and responses.
//
// Each layer is complete in itself. A hard link and its file are always in the same layer, since
// not every program can extract links across layers. A file that extensions of several layers share
// is in each of them.
//
// # The tarball
//
// It has an OCI image layout, whose index.json names one image index with an image for each
// architecture, and a manifest.json for versions of Docker that know only that. The same programs,
// certificates and site give the same bytes.
package image

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"galbuild/publish/bundle"
)

// Config configures [Write].
type Config struct {
	Programs []Program       // galshim, once for each architecture
	Galbuild []Program       // galbuild for the same architectures, or none
	Version  string          // of the programs
	CA       string          // file of certificates (PEM) to include, or ""
	Site     string          // folder of a site to include, or ""
	Name     string          // name and tag; "" is galshim and its version, or gallery and the generation
	Output   string          // the tarball
	Progress bundle.Progress // may be nil
}

// Written describes an image that [Write] has written.
type Written struct {
	Name          string   `json:"name"`
	Digest        string   `json:"digest"` // of the image index
	Architectures []string `json:"architectures"`
	Version       string   `json:"version"`
	Generation    string   `json:"generation,omitempty"` // of the site
	Layers        int      `json:"layers"`               // different ones
	Bytes         int64    `json:"bytes"`                // of the layers, compressed
}

// Write writes an image to a tarball. It hashes all files of the site, and a damaged file is an
// error.
func Write(ctx context.Context, cfg Config) (*Written, error) {
	var site *bundle.Public
	if cfg.Site != "" {
		var err error
		if site, err = bundle.ReadPublic(cfg.Site); err != nil {
			return nil, err
		}
	}
	return write(ctx, cfg, site)
}

// write writes the image. site is nil without a site.
func write(ctx context.Context, cfg Config, site *bundle.Public) (*Written, error) {
	tag, err := cfg.tag(site)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(cfg.Output), ".galbuild-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	b := &builder{ctx: ctx, cfg: cfg, dir: scratch, site: site}
	images, err := b.images()
	if err != nil {
		return nil, err
	}
	a, err := newArchive(tag, images, b.annotations())
	if err != nil {
		return nil, err
	}
	if err := a.write(cfg.Output); err != nil {
		return nil, err
	}
	return b.report(tag, a)
}

// report describes the image.
func (b *builder) report(tag name.Tag, a *archive) (*Written, error) {
	digest, err := a.index.Digest()
	if err != nil {
		return nil, err
	}
	w := &Written{Name: tag.String(), Digest: digest.String(), Version: b.cfg.Version, Layers: len(b.all)}
	if b.site != nil {
		w.Generation = b.site.Current.Generation
	}
	for _, p := range b.cfg.Programs {
		w.Architectures = append(w.Architectures, p.Architecture)
	}
	for _, l := range b.all {
		w.Bytes += l.size
	}
	return w, nil
}

// tag returns the name of the image.
func (c *Config) tag(site *bundle.Public) (name.Tag, error) {
	text := "galshim:" + tagText(c.Version)
	if site != nil {
		text = "gallery:" + site.Current.Generation
	}
	tag, err := name.NewTag(cmp.Or(c.Name, text))
	if err != nil {
		return tag, fmt.Errorf("name %q: must be NAME or NAME:TAG, such as registry.example/gallery:1: %w", c.Name, err)
	}
	return tag, nil
}

// tagText replaces the characters of a version that a tag cannot have.
func tagText(version string) string {
	text := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, version)
	return text[:min(len(text), 128)]
}

// images returns the image of each architecture.
func (b *builder) images() ([]v1.Image, error) {
	base, err := b.baseLayer()
	if err != nil {
		return nil, err
	}
	site, err := b.siteLayers()
	if err != nil {
		return nil, err
	}
	var images []v1.Image
	for _, p := range b.cfg.Programs {
		programs, err := b.programLayers(p)
		if err != nil {
			return nil, err
		}
		image, err := b.image(p, slices.Concat([]*layer{base}, programs, site))
		if err != nil {
			return nil, err
		}
		images = append(images, image)
	}
	return images, nil
}
