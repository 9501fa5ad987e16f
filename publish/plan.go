package publish

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/publish/target"
	"galbuild/render"
	"galbuild/render/gallery"
)

// Plan is what goes where, in which order, to bring a place from one state to
// another. Each step is done before the next begins; within one, the order does not
// matter.
type Plan struct {
	Blobs      []target.Object // content that the place lacks
	Links      []Link          // and the paths that lead to it
	Pages      []Link          // pages
	Answers    []target.Object // GET answers that are files
	Generation []target.Object // the two files of the generation
	Current    target.Object   // last
	Replaces   []byte          // what Current must be before; nil is that there is none
	Remove     []string        // answers that are none any more; then nobody asks for them
	Begin      target.Object   // says, from before pages to the end, that this is under way; if it has a key
	Before     target.Object   // then says what counted before; if it has a key
	old        State
	counts     bool // Current has been replaced
}

// A Link is a path that has the content of a blob.
type Link struct {
	From string // the blob's key
	target.Object
}

// Next is the state to bring a place to.
type Next struct {
	site.Current
	Catalog *catalog.Catalog
	Root    string        // of the site that has the generation's files
	Stores  []*blob.Store // have the content that the place may lack
}

// NewPlan compares two states. What both have is not looked at again: content with a
// version in its path never changes.
func NewPlan(old State, next Next) *Plan {
	p := &Plan{Replaces: old.raw, old: old}
	if old.Current == next.Current && !old.unfinished {
		return p
	}
	p.addContent(next)
	p.addAnswers(next)
	const text = "text/plain; charset=utf-8"
	if len(p.Pages)+len(p.Answers)+len(p.Remove) > 0 || old.unfinished {
		p.Begin = target.Bytes(unfinishedKey, text, target.Revalidate, next.Current.Bytes())
	}
	if old.Current != next.Current {
		p.addGeneration(next)
	}
	if old.raw != nil && old.Current != next.Current {
		p.Before = target.Bytes(previousKey, text, target.Revalidate, fmt.Appendf(nil, "%s\n%s", next.Generation, old.raw))
	}
	p.Current = target.Bytes(site.CurrentPath, text, target.Revalidate, next.Current.Bytes())
	return p
}

// addGeneration adds its two files, the catalogue first.
func (p *Plan) addGeneration(next Next) {
	catalog := next.file(next.CatalogPath(), "application/octet-stream", target.Immutable, next.CatalogPath(), next.Current.Catalog)
	index := next.file(next.IndexPath(), "application/octet-stream", target.Immutable, next.IndexPath(), next.Index)
	p.Generation = append(p.Generation, catalog, index)
}

// IsEmpty reports whether the place has everything.
func (p *Plan) IsEmpty() bool { return p.Current.Key == "" }

// Lines tells the plan, an object a line.
func (p *Plan) Lines() []string {
	var all []string
	for _, o := range slices.Concat(p.Blobs, p.Answers, p.Generation) {
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

// Objects returns how many objects are sent, and their bytes. Copies made by the place
// itself count none.
func (p *Plan) Objects() (n int, bytes int64) {
	for _, o := range slices.Concat(p.Blobs, p.Answers, p.Generation) {
		bytes += o.Size
	}
	return len(p.Blobs) + len(p.Links) + len(p.Pages) + len(p.Answers) + len(p.Generation), bytes
}

// file returns an object with the bytes of a file of the site. A file that is missing
// shows when it is opened.
func (n *Next) file(key, mediaType, cacheControl, path string, ref blob.Ref) target.Object {
	name := filepath.Join(n.Root, filepath.FromSlash(path))
	o := target.File(key, mediaType, cacheControl, name, ref, 0)
	if info, err := os.Stat(name); err == nil {
		o.Size = info.Size()
	}
	return o
}

func (p *Plan) addContent(next Next) {
	had := make(map[string]blob.Ref)
	known := make(map[blob.Ref]bool)
	renew, renewed := false, make(map[blob.Ref]bool)
	if p.old.raw != nil {
		renew = p.old.Catalog.Render < attachedSince
		for f := range render.Content(p.old.Catalog) {
			had[f.Path] = f.SHA256
			known[f.SHA256] = true
		}
	}
	for f := range render.Content(next.Catalog) {
		ref := blob.Ref(f.SHA256)
		if was, ok := had[f.Path]; ok && was == ref && !(p.old.unfinished && isPage(f.Path)) {
			if renew && !isPage(f.Path) && mediatype.Attached(f.Type) {
				p.renew(&f, next, renewed)
			}
			continue
		}
		if !known[ref] {
			known[ref] = true
			p.Blobs = append(p.Blobs, next.stored(&f))
		}
		if isPage(f.Path) {
			p.Pages = append(p.Pages, Link{ref.Path(), next.page(&f)})
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

// isPage reports whether a path may have other content tomorrow.
func isPage(path string) bool {
	return !strings.HasPrefix(path, catalog.AssetsDir) && !strings.HasPrefix(path, catalog.FilesDir)
}

// stored returns f as a blob. Its media type does not depend on the content, so browsers
// never open it as a document.
func (n *Next) stored(f *index.File) target.Object {
	return n.object(f, blob.Ref(f.SHA256).Path(), mediatype.Octets, target.Immutable)
}

// linked returns f under its path. It is a download if a browser could run it, because
// targets do not send a policy that prevents that.
func (n *Next) linked(f *index.File) target.Object {
	o := n.object(f, f.Path, f.Type, target.Immutable)
	if mediatype.Attached(f.Type) {
		o.Disposition = target.Attachment
	}
	return o
}

func (n *Next) page(f *index.File) target.Object {
	return n.object(f, f.Path, f.Type, target.Revalidate)
}

func (n *Next) object(f *index.File, key, mediaType, cacheControl string) target.Object {
	ref := blob.Ref(f.SHA256)
	file := ""
	for _, store := range n.Stores {
		if file = store.File(ref); store.Has(ref, f.Size) {
			break
		}
	}
	return target.File(key, mediaType, cacheControl, file, ref, f.Size)
}

func (p *Plan) addAnswers(next Next) {
	had := make(map[string]blob.Ref)
	if p.old.raw != nil {
		for f := range render.Answers(p.old.Catalog) {
			had[f.Path] = blob.Sum(f.Text)
		}
	}
	for f := range render.Answers(next.Catalog) {
		if had[f.Path] != blob.Sum(f.Text) || p.old.unfinished {
			p.Answers = append(p.Answers, target.Bytes(f.Path, f.MediaType, target.Revalidate, f.Text))
		}
		delete(had, f.Path)
	}
	for path := range had {
		p.Remove = append(p.Remove, path)
	}
	slices.Sort(p.Remove)
}

// removeStrays plans to remove answers that somebody left who did not come to an end.
func (p *Plan) removeStrays(ctx context.Context, at target.Target) error {
	wanted := make(map[string]bool)
	for _, o := range p.Answers {
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

// manyObjects is from how many objects on it is worth a list to see what an earlier
// attempt has left.
const manyObjects = 500

// Resume takes out of the plan what an earlier attempt has brought already. Of blobs
// the name says what they are; a path counts only if it is younger than CURRENT, and
// so of an attempt that did not come to its end.
func (p *Plan) Resume(ctx context.Context, at target.Target) error {
	if p.old.unfinished {
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
	there := make(map[string]target.Entry)
	for _, prefix := range contentPrefixes() {
		for e, err := range at.List(ctx, prefix) {
			if err != nil {
				return err
			}
			there[e.Key] = e
		}
	}
	p.Blobs = slices.DeleteFunc(p.Blobs, func(o target.Object) bool {
		e, ok := there[o.Key]
		return ok && e.Size == o.Size && e.Modified.After(since.Modified) // what is older may be pruned any moment
	})
	p.Links = slices.DeleteFunc(p.Links, func(l Link) bool {
		e, ok := there[l.Key]
		return ok && e.Size == l.Size && e.Modified.After(since.Modified)
	})
	return nil
}
