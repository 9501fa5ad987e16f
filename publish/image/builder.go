package image

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"galbuild/build/regularfile"
	"galbuild/publish/bundle"
)

// Paths in the image, without the slash at the beginning, and the port.
const (
	programFile = "galshim"
	caFile      = "etc/ssl/certs/ca-certificates.crt" // where Go looks first
	cacheFolder = "cache"
	siteFolder  = "site"
	port        = "8080"
)

// maxCA is the largest size of a file of certificates. That of Debian has 220 kB.
const maxCA = 16 << 20

// A builder makes the images and their layers.
type builder struct {
	ctx  context.Context
	cfg  Config
	dir  string         // for temporary files
	site *bundle.Public // nil without a site
	all  []*layer       // of all architectures
	done int64          // bytes of the site that have been read
}

// layer makes a layer, which fill writes.
func (b *builder) layer(what string, fill func(*layerWriter) error) (*layer, error) {
	w, err := b.newLayer()
	if err != nil {
		return nil, err
	}
	defer w.file.Close()
	if err := fill(w); err != nil {
		return nil, err
	}
	l, err := w.end(what)
	b.all = append(b.all, l)
	return l, err
}

// baseLayer makes the layer of certificates and the folder for the cache.
func (b *builder) baseLayer() (*layer, error) {
	return b.layer("certificates and /"+cacheFolder, func(w *layerWriter) error {
		if err := w.folder(cacheFolder, user); err != nil || b.cfg.CA == "" {
			return err
		}
		certificates, err := readCA(b.cfg.CA)
		if err != nil {
			return err
		}
		return w.text(caFile, certificates)
	})
}

// readCA returns the certificates of a file. Anything else in it, such as a private key, must not
// get into an image.
func readCA(file string) (certificates []byte, err error) {
	text, err := regularfile.ReadFile(file, maxCA)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		certificates = append(certificates, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
	}
	if certificates == nil {
		return nil, fmt.Errorf("%s: has no certificate (PEM)", file)
	}
	return certificates, nil
}

// programLayers makes the layers of galshim and, if it is given, galbuild of the same architecture.
func (b *builder) programLayers(galshim Program) (layers []*layer, err error) {
	for _, p := range slices.Concat([]Program{galshim}, b.cfg.Galbuild) {
		if p.Architecture != galshim.Architecture {
			continue
		}
		l, err := b.programLayer(p)
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

func (b *builder) programLayer(p Program) (*layer, error) {
	return b.layer(p.Name+" "+b.cfg.Version, func(w *layerWriter) error {
		info, err := os.Stat(p.File)
		if err != nil {
			return err
		}
		_, err = w.copy(p.Name, p.File, 0o555, info.Size(), never)
		return err
	})
}

// annotations describe the image. Its manifests have them as annotations, and its configuration has
// them as labels.
func (b *builder) annotations() map[string]string {
	all := map[string]string{
		"org.opencontainers.image.title":       "galshim",
		"org.opencontainers.image.description": "Gallery of extensions for VS Code",
		"org.opencontainers.image.version":     b.cfg.Version,
	}
	if b.site != nil {
		all["org.opencontainers.image.title"] = "gallery"
		all["galbuild.generation"] = b.site.Current.Generation
	}
	return all
}

// image returns the image of an architecture.
func (b *builder) image(p Program, layers []*layer) (v1.Image, error) {
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.ConfigFile(image, &v1.ConfigFile{
		OS: "linux", Architecture: p.Architecture, Created: v1.Time{Time: never.UTC()}, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: fmt.Sprintf("%d:%d", user, user), Entrypoint: []string{"/" + programFile}, WorkingDir: "/",
			Env:          []string{"GALSHIM_LISTEN=:" + port, "GALSHIM_INDEX=/" + siteFolder, "GALSHIM_CACHE=/" + cacheFolder},
			ExposedPorts: map[string]struct{}{port + "/tcp": {}}, Labels: b.annotations(),
		},
	})
	if err != nil {
		return nil, err
	}
	var added []mutate.Addendum
	for _, l := range layers {
		added = append(added, mutate.Addendum{Layer: l, History: v1.History{Created: v1.Time{Time: never.UTC()}, CreatedBy: l.what}})
	}
	if image, err = mutate.Append(image, added...); err != nil {
		return nil, err
	}
	return mutate.Annotations(image, b.annotations()).(v1.Image), nil
}
