package image

import (
	"archive/tar"
	"bytes"
	"io"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"galbuild/build/atomicfile"
	"galbuild/build/jsondoc"
)

// An archive is the tarball of an OCI image layout.
type archive struct {
	images []v1.Image
	index  v1.ImageIndex // of the images
	layout v1.ImageIndex // index.json, which names the index
	docker tarball.Manifest
	tar    *tar.Writer
	has    map[v1.Hash]bool // blobs that have been written
}

func newArchive(tag name.Tag, images []v1.Image, annotations map[string]string) (*archive, error) {
	a := &archive{images: images, has: make(map[v1.Hash]bool)}
	var added []mutate.IndexAddendum
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		added = append(added, mutate.IndexAddendum{Add: plain{image}, Descriptor: v1.Descriptor{Platform: config.Platform()}})
		if err := a.addDocker(tag, image, config.Architecture); err != nil {
			return nil, err
		}
	}
	a.index = mutate.Annotations(mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), added...), annotations).(v1.ImageIndex)
	a.layout = mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add: a.index,
		Descriptor: v1.Descriptor{Annotations: map[string]string{
			"org.opencontainers.image.ref.name": tag.TagStr(),
			"io.containerd.image.name":          fullName(tag),
		}},
	})
	return a, nil
}

// fullName returns the name of an image as containerd writes it.
func fullName(tag name.Tag) string {
	if tag.RegistryStr() == name.DefaultRegistry {
		return "docker.io/" + tag.RepositoryStr() + ":" + tag.TagStr()
	}
	return tag.Name()
}

// addDocker adds an image to manifest.json. If there are several, each has a tag of its own, which
// ends in its architecture, because that file can only give a tag to one image.
func (a *archive) addDocker(tag name.Tag, image v1.Image, architecture string) error {
	m, err := image.Manifest()
	if err != nil {
		return err
	}
	text := tag.String()
	if len(a.images) > 1 {
		text += "-" + architecture
	}
	d := tarball.Descriptor{Config: blobPath(m.Config.Digest), RepoTags: []string{text}}
	for _, l := range m.Layers {
		d.Layers = append(d.Layers, blobPath(l.Digest))
	}
	a.docker = append(a.docker, d)
	return nil
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// write writes the tarball.
func (a *archive) write(file string) error {
	return atomicfile.Replace(file, atomicfile.FileMode, func(f *os.File) error {
		a.tar = tar.NewWriter(f)
		if err := a.writeAll(); err != nil {
			return err
		}
		return a.tar.Close()
	})
}

func (a *archive) writeAll() error {
	layout, err := a.layout.RawManifest()
	if err != nil {
		return err
	}
	docker, err := jsondoc.Line(a.docker)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)}, {"index.json", layout}, {"manifest.json", docker}} {
		if err := a.entry(f.name, int64(len(f.text)), bytes.NewReader(f.text)); err != nil {
			return err
		}
	}
	if err := a.manifest(a.index); err != nil {
		return err
	}
	for _, image := range a.images {
		if err := a.image(image); err != nil {
			return err
		}
	}
	return nil
}

// manifest writes the manifest of an image or of an index.
func (a *archive) manifest(m interface {
	Digest() (v1.Hash, error)
	RawManifest() ([]byte, error)
}) error {
	digest, err := m.Digest()
	if err != nil {
		return err
	}
	text, err := m.RawManifest()
	if err != nil {
		return err
	}
	return a.blob(digest, int64(len(text)), bytes.NewReader(text))
}

// image writes the manifest, the configuration and the layers of an image.
func (a *archive) image(image v1.Image) error {
	if err := a.manifest(image); err != nil {
		return err
	}
	digest, err := image.ConfigName()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	if err := a.blob(digest, int64(len(config)), bytes.NewReader(config)); err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := a.layer(l); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) layer(l v1.Layer) error {
	digest, err := l.Digest()
	if err != nil {
		return err
	}
	size, err := l.Size()
	if err != nil {
		return err
	}
	content, err := l.Compressed()
	if err != nil {
		return err
	}
	defer content.Close()
	return a.blob(digest, size, content)
}

// blob writes a blob, unless it has been written for another architecture.
func (a *archive) blob(digest v1.Hash, size int64, content io.Reader) error {
	if a.has[digest] {
		return nil
	}
	a.has[digest] = true
	return a.entry(blobPath(digest), size, content)
}

func (a *archive) entry(name string, size int64, content io.Reader) error {
	if err := a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: never}); err != nil {
		return err
	}
	_, err := io.Copy(a.tar, content)
	return err
}

// plain is an image without an artifact type. Without this method, go-containerregistry would write
// one into the index for every image, and some registries would show it as something else.
type plain struct{ v1.Image }

// ArtifactType implements an interface of package partial of go-containerregistry.
func (plain) ArtifactType() (string, error) { return "", nil }
