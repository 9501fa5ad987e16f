package image

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/bundle"
)

// Limits of the number of layers. Docker and containerd mount at most 127 layers.
const (
	maxContent = 64
	maxChunks  = 16
	smallest   = 4 << 20 // how much a layer has at least on average, so that small sites have few
)

// A group is the files of one layer of a site.
type group struct {
	what  string
	when  time.Time // of its files
	files []bundle.PublicFile
}

// siteLayers makes the layers of the site, those first that change least often.
func (b *builder) siteLayers() (layers []*layer, err error) {
	if b.site == nil {
		return nil, nil
	}
	var total int64
	for _, f := range b.site.Files {
		if f.Link == "" {
			total += f.Size
		}
	}
	mark, err := b.layer("mark of a copy without private parts", func(w *layerWriter) error { return w.text(siteFolder+"/"+site.PublicOnlyPath, nil) })
	if err != nil {
		return nil, err
	}
	layers = append(layers, mark)
	blobs := make(map[blob.Ref]bool) // that have been written to blobs/
	for _, g := range groups(b.site) {
		if len(g.files) == 0 {
			continue
		}
		l, err := b.layer(g.what, func(w *layerWriter) error { return b.writeGroup(w, g, blobs, total) })
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// groups distributes the files of a site to layers. Blobs are not in the result: writeGroup writes
// each of them next to the first path that has its content.
func groups(public *bundle.Public) []group {
	var contentBytes, chunkBytes int64
	for _, f := range public.Files {
		switch {
		case isBlob(f.Path):
			contentBytes += f.Size
		case strings.HasPrefix(f.Path, catalog.ChunkDir):
			chunkBytes += f.Size
		}
	}
	content, chunks := makeGroups("packages", contentBytes, maxContent), makeGroups("chunks of the index", chunkBytes, maxChunks)
	rest := group{what: "index, pages and responses", when: public.When}
	for _, f := range public.Files {
		g := &rest
		if id, ok := extensionOf(f.Path); ok {
			g = choose(content, id)
		} else if strings.HasPrefix(f.Path, catalog.ChunkDir) {
			g = choose(chunks, f.Path)
		} else if isBlob(f.Path) {
			continue
		}
		g.files = append(g.files, f)
	}
	return append(append(content, chunks...), rest)
}

// makeGroups returns groups for that many bytes. Their number is a power of two, so that it seldom
// changes while a site grows.
func makeGroups(what string, bytes int64, limit int) []group {
	n := 1
	for n < limit && bytes > int64(n)*smallest*2 {
		n *= 2
	}
	all := make([]group, n)
	for i := range all {
		all[i] = group{what: fmt.Sprintf("%s, part %d of %d", what, i+1, n), when: never}
	}
	return all
}

// choose returns the group of a name, one of 2, 4, 8 and so on.
func choose(all []group, name string) *group {
	sum := blob.Sum([]byte(name))
	return &all[int(sum[0])%len(all)]
}

func isBlob(path string) bool { return strings.HasPrefix(path, "blobs/") }

// extensionOf returns publisher and name of the extension to which a file in assets/ or files/
// belongs.
func extensionOf(path string) (id string, ok bool) {
	for _, dir := range []string{catalog.AssetsDir, catalog.FilesDir} {
		if rest, below := strings.CutPrefix(path, dir); below {
			part := strings.SplitN(rest, "/", 3)
			return strings.Join(part[:min(len(part), 2)], "/"), true
		}
	}
	return "", false
}

// writeGroup writes the files of a group. The first path with some content in any layer is written
// after its blob. Further ones in the same layer are hard links, and in other layers copies.
func (b *builder) writeGroup(w *layerWriter, g group, blobs map[blob.Ref]bool, total int64) error {
	first := make(map[blob.Ref]string) // the path with this content in this layer
	for _, f := range g.files {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if f.Link != "" && !blobs[f.SHA256] {
			blobs[f.SHA256] = true
			if err := b.copy(w, f.Link, f, g.when); err != nil {
				return err
			}
			first[f.SHA256] = f.Link
		}
		if err := b.linkOrCopy(w, f, first[f.SHA256], g.when); err != nil {
			return err
		}
		if first[f.SHA256] == "" {
			first[f.SHA256] = f.Path
		}
		if b.cfg.Progress != nil {
			b.cfg.Progress(b.done, total)
		}
	}
	return nil
}

// linkOrCopy writes a hard link to the path at of the same layer, or a copy if it is "".
func (b *builder) linkOrCopy(w *layerWriter, f bundle.PublicFile, at string, when time.Time) error {
	if at == "" {
		return b.copy(w, f.Path, f, when)
	}
	return w.link(siteFolder+"/"+f.Path, siteFolder+"/"+at, when)
}

// copy writes a file under a path of the site, and checks its hash.
func (b *builder) copy(w *layerWriter, path string, f bundle.PublicFile, when time.Time) error {
	from := filepath.Join(b.cfg.Site, filepath.FromSlash(f.Path))
	got, err := w.copy(siteFolder+"/"+path, from, 0o444, f.Size, when)
	if err == nil && got != f.SHA256 {
		err = fmt.Errorf("%w: %s: SHA-256 is %s, want %s", bundle.ErrDamaged, from, got, f.SHA256)
	}
	b.done += f.Size
	return err
}
