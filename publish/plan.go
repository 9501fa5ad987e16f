package publish

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/build/mediatype"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/publish/target"
	"galbuild/render"
	"galbuild/render/gallery"
)

// Plan is a list of changes that take a target from one generation to another. Its steps are the
// fields up to Remove, in the order of [Plan.Run]. Each step is completed before the next begins;
// the objects of a step are sent in any order.
type Plan struct {
	Blobs      []target.Object // content that the target lacks
	Links      []Link          // immutable paths of content
	Marker     target.Object   // index/PUBLISHING, which exists during the following steps; no key: not needed
	Pages      []Link          // paths whose content may change
	Responses  []target.Object // responses of the gallery API that are files
	Generation []target.Object // the files of the generation
	Current    target.Object   // index/CURRENT
	Replaces   []byte          // the content that Current replaces; nil: Current must not exist
	Previous   target.Object   // index/PREVIOUS, which names the generation before; no key: not needed
	Remove     []string        // keys of old responses that the new generation does not have
	old        State
	switched   bool // Run has replaced CURRENT
}

// A Link is an object with the content of a blob.
type Link struct {
	From string // key of the blob
	target.Object
}

// Next is the generation to publish.
type Next struct {
	site.Current
	Catalog *catalog.Catalog
	Root    string        // of the site with the files of the generation
	Stores  []*blob.Store // of the content that the target may lack
}

// NewPlan compares the generation of a target with the next one. Objects that are in both
// catalogues with the same content are not sent.
func NewPlan(old State, next Next) *Plan {
	p := &Plan{Replaces: old.raw, old: old}
	if old.Current == next.Current && !old.dirty {
		return p
	}
	p.addContent(next)
	p.addResponses(next)
	if len(p.Pages)+len(p.Responses)+len(p.Remove) > 0 || old.dirty {
		p.Marker = note(markerKey, next.Current.Bytes())
	}
	if old.Current != next.Current {
		p.addGeneration(next)
	}
	if old.raw != nil && old.Current != next.Current {
		p.Previous = note(previousKey, fmt.Appendf(nil, "%s\n%s", next.Generation, old.raw))
	}
	p.Current = note(site.CurrentPath, next.Current.Bytes())
	return p
}

// note returns one of the small text files in index/.
func note(key string, text []byte) target.Object {
	h := headers.Stored(key, "text/plain; charset=utf-8")
	return target.Bytes(key, h.Type, h.Cache, text)
}

// addGeneration adds the files of the generation.
func (p *Plan) addGeneration(next Next) {
	for _, f := range next.Files() {
		p.Generation = append(p.Generation, next.file(f.Path, f.SHA256))
	}
}

// IsEmpty reports whether there is nothing to change.
func (p *Plan) IsEmpty() bool { return p.Current.Key == "" }

// Lines describes the plan, with one line for each object.
func (p *Plan) Lines() []string {
	var all []string
	for _, o := range slices.Concat(p.Blobs, p.Responses, p.Generation) {
		all = append(all, fmt.Sprintf("send    %s (%d bytes)", o.Key, o.Size))
	}
	for _, l := range slices.Concat(p.Links, p.Pages) {
		all = append(all, "copy    "+l.Key)
	}
	all = append(all, "switch  "+p.Current.Key)
	for _, key := range p.Remove {
		all = append(all, "remove  "+key)
	}
	return all
}

// Objects returns the number of objects that are sent or copied, and how many bytes are sent.
func (p *Plan) Objects() (n int, bytes int64) {
	for _, o := range slices.Concat(p.Blobs, p.Responses, p.Generation) {
		bytes += o.Size
	}
	return len(p.Blobs) + len(p.Links) + len(p.Pages) + len(p.Responses) + len(p.Generation), bytes
}

// file returns a file of the generation. If the file is missing, opening the object fails.
func (n *Next) file(key string, ref blob.Ref) target.Object {
	name := filepath.Join(n.Root, filepath.FromSlash(key))
	h := headers.Stored(key, mediatype.Octets)
	o := target.File(key, h.Type, h.Cache, name, ref, 0)
	if info, err := os.Stat(name); err == nil {
		o.Size = info.Size()
	}
	return o
}

func (p *Plan) addContent(next Next) {
	old := make(map[string]blob.Ref)
	existing := make(map[blob.Ref]bool)
	renew, renewed := false, make(map[blob.Ref]bool)
	if p.old.raw != nil {
		renew = p.old.Catalog.Render < attachedSince
		for f := range render.Content(p.old.Catalog) {
			old[f.Path] = f.SHA256
			existing[f.SHA256] = true
		}
	}
	for f := range render.Content(next.Catalog) {
		ref := blob.Ref(f.SHA256)
		if was, ok := old[f.Path]; ok && was == ref && !(p.old.dirty && isPage(f.Path)) {
			if renew && headers.Stored(f.Path, f.Type).Disposition != "" {
				p.renew(&f, next, renewed)
			}
			continue
		}
		if !existing[ref] {
			existing[ref] = true
			p.Blobs = append(p.Blobs, next.stored(&f))
		}
		if isPage(f.Path) {
			p.Pages = append(p.Pages, Link{ref.Path(), next.linked(&f)})
		} else {
			p.Links = append(p.Links, Link{ref.Path(), next.linked(&f)})
		}
	}
}

// renew plans new headers for f and, once, for its blob.
func (p *Plan) renew(f *index.File, next Next, renewed map[blob.Ref]bool) {
	ref := blob.Ref(f.SHA256)
	if !renewed[ref] {
		renewed[ref] = true
		p.Links = append(p.Links, Link{ref.Path(), next.stored(f)})
	}
	p.Links = append(p.Links, Link{ref.Path(), next.linked(f)})
}

// attachedSince is the first render.Version whose sites are published with the headers of
// stored and linked. Objects of older sites get them by a copy within the target.
const attachedSince = 3

// isPage reports whether the content of a path may change.
func isPage(path string) bool { return !headers.IsImmutable(path) }

// stored returns f as a blob.
func (n *Next) stored(f *index.File) target.Object { return n.object(f, blob.Ref(f.SHA256).Path()) }

// linked returns f under its path.
func (n *Next) linked(f *index.File) target.Object { return n.object(f, f.Path) }

func (n *Next) object(f *index.File, key string) target.Object {
	ref := blob.Ref(f.SHA256)
	file := ""
	for _, store := range n.Stores {
		if file = store.File(ref); store.Has(ref, f.Size) {
			break
		}
	}
	h := headers.Stored(key, f.Type)
	o := target.File(key, h.Type, h.Cache, file, ref, f.Size)
	o.Disposition = h.Disposition
	return o
}

func (p *Plan) addResponses(next Next) {
	old := make(map[string]blob.Ref)
	if p.old.raw != nil {
		for f := range render.Responses(p.old.Catalog) {
			old[f.Path] = blob.Sum(f.Text)
		}
	}
	for f := range render.Responses(next.Catalog) {
		if old[f.Path] != blob.Sum(f.Text) || p.old.dirty {
			p.Responses = append(p.Responses, target.Bytes(f.Path, f.MediaType, headers.Stored(f.Path, f.MediaType).Cache, f.Text))
		}
		delete(old, f.Path)
	}
	for path := range old {
		p.Remove = append(p.Remove, path)
	}
	slices.Sort(p.Remove)
}

// removeStrays plans to remove the static responses that an interrupted publish has left and that
// the next generation does not have.
func (p *Plan) removeStrays(ctx context.Context, at target.Target) error {
	wanted := make(map[string]bool)
	for _, o := range p.Responses {
		wanted[o.Key] = true
	}
	for e, err := range at.List(ctx, gallery.LatestDir) {
		if err != nil {
			return err
		}
		if !wanted[e.Key] && !slices.Contains(p.Remove, e.Key) {
			p.Remove = append(p.Remove, e.Key)
		}
	}
	return nil
}

// manyObjects is the number of objects from which on it is worth listing the target, to find the
// objects of an interrupted publish.
const manyObjects = 500

// Resume removes objects from the plan that an interrupted publish has sent already. Only objects
// newer than CURRENT are reused, because a concurrent prune may remove older ones. A blob is
// identified by its key; a path newer than CURRENT has the content of the interrupted publish.
func (p *Plan) Resume(ctx context.Context, at target.Target) error {
	if p.old.dirty {
		if err := p.removeStrays(ctx, at); err != nil {
			return err
		}
	}
	if len(p.Blobs)+len(p.Links) < manyObjects {
		return nil
	}
	var since target.Entry
	for e, err := range at.List(ctx, site.CurrentPath) {
		if err != nil {
			return err
		}
		if e.Key == site.CurrentPath {
			since = e
		}
	}
	remote := make(map[string]target.Entry)
	for _, prefix := range contentPrefixes() {
		for e, err := range at.List(ctx, prefix) {
			if err != nil {
				return err
			}
			remote[e.Key] = e
		}
	}
	p.Blobs = slices.DeleteFunc(p.Blobs, func(o target.Object) bool {
		e, ok := remote[o.Key]
		return ok && e.Size == o.Size && e.Modified.After(since.Modified)
	})
	p.Links = slices.DeleteFunc(p.Links, func(l Link) bool {
		e, ok := remote[l.Key]
		return ok && e.Size == l.Size && e.Modified.After(since.Modified)
	})
	return nil
}
