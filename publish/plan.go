package publish

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

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

// A Plan lists what changes a target from one generation to the next. [Plan.Run] sends the fields
// in this order. It completes each step before it begins the next one. Within a step, the objects
// are sent in any order.
//
//  1. Blobs, then Links: content and its immutable paths. Nothing refers to them yet.
//  2. Marker, if pages or responses change.
//  3. Pages and Responses: files that are replaced in place.
//  4. Chunks of the generation that the target lacks, and then Generation: its catalogue and its
//     index.
//  5. History: the entry of the history, and its head.
//  6. Current: index/CURRENT is replaced on the condition that its content is still Replaces. From
//     now on the new generation is current, and the entry is a part of the history.
//  7. Remove and Marker are deleted.
//
// After a crash before step 6, the old generation is current with all its content, because content
// is never changed. After a crash in step 3 or later, pages and static responses may already be
// those of the new generation. They refer only to content that the target has. The marker is still
// there, so the target is dirty: the next publish, of whatever generation, sends all pages and
// responses again, and removes those that its generation does not have. Objects of steps 1, 4 and 5
// that nothing needs remain until [Prune] removes them, unless the next publish uses them, see
// [Plan.Resume].
//
// After step 6, the new generation is current with everything that it needs. A crash in step 7
// leaves old responses, and perhaps the marker.
type Plan struct {
	Blobs      []target.Object // content that the target lacks
	Links      []Link          // immutable paths of content
	Marker     target.Object   // index/PUBLISHING; without a key, it is not needed
	Pages      []Link          // paths whose content may change
	Responses  []target.Object // responses of the gallery API that are files
	Chunks     []target.Object // files of the generation's chunks that the target lacks
	Generation []target.Object // the other files of the generation
	History    []target.Object // the entry of the history, and its head
	Current    target.Object   // index/CURRENT; without a key, there is nothing to do
	Replaces   []byte          // the content of CURRENT before; nil if it must not exist
	Remove     []string        // keys of responses and pages that the new generation does not have
	old        State
	next       Next
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
	Shared  catalog.Files // with other generations
	Roots   []string      // folders of sites that together have the files of the generation
	Stores  []*blob.Store // stores that together have all content that the target lacks
}

// NewPlan compares the current generation of a target with the next one. Content that the target
// has under the same path is not sent. If the target is dirty, its pages and responses may be those
// of any generation, so all of them are sent. Chunks that the target has lost are sent, also if the
// generation is current already.
func NewPlan(old State, next Next) *Plan {
	p := &Plan{Replaces: old.raw, old: old, next: next}
	p.addChunks(next)
	if old.Current == next.Current && !old.dirty && len(p.Chunks) == 0 {
		return p
	}
	p.addContent(next)
	p.addResponses(next)
	p.removeDerived(next)
	slices.Sort(p.Remove)
	if len(p.Pages)+len(p.Responses)+len(p.Remove) > 0 || old.dirty {
		p.Marker = textObject(markerKey, next.Current.Bytes())
	}
	if old.Current != next.Current {
		for _, f := range next.Files() {
			p.Generation = append(p.Generation, next.file(f.Path, f.SHA256))
		}
	}
	p.Current = textObject(site.CurrentPath, old.raw) // addEntry replaces it
	return p
}

// addEntry adds the entry of the history, its head, and CURRENT, which names the head. There is no
// new entry if the generation is current already.
func (p *Plan) addEntry(ctx context.Context, at target.Target, by site.Commit) error {
	if p.old.Current == p.next.Current {
		return nil
	}
	old := site.Previous{Current: p.old.Current, Packages: site.PackagesOf(p.old.Catalog)}
	made, err := by.Append(filesAt(ctx, at), old, p.old.head, site.Generation{Current: p.next.Current, Catalog: p.next.Catalog})
	if err != nil {
		return err
	}
	for _, f := range made.Files {
		p.History = append(p.History, textObject(f.Path, f.Text))
	}
	p.Current = textObject(site.CurrentPath, site.FormatCurrent(p.next.Current, made.Head))
	return nil
}

// textObject returns one of the small text files in index/, or a file of the history.
func textObject(key string, text []byte) target.Object {
	h := headers.Stored(key, "text/plain; charset=utf-8")
	return target.Bytes(key, h.Type, h.Cache, text)
}

// addChunks adds the files of chunks that the target lacks.
func (p *Plan) addChunks(next Next) {
	missing := p.old.missingChunks(next.Shared)
	for _, path := range slices.Sorted(maps.Keys(missing)) {
		o := next.file(path, missing[path].SHA256)
		o.Size = missing[path].Size
		p.Chunks = append(p.Chunks, o)
	}
}

// IsEmpty reports whether there is nothing to change.
func (p *Plan) IsEmpty() bool { return p.Current.Key == "" }

// Lines describes the plan, with one line for each object.
func (p *Plan) Lines() []string {
	var all []string
	for _, o := range slices.Concat(p.Blobs, p.Responses, p.Chunks, p.Generation) {
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
	for _, o := range slices.Concat(p.Blobs, p.Responses, p.Chunks, p.Generation) {
		bytes += o.Size
	}
	return len(p.Blobs) + len(p.Links) + len(p.Pages) + len(p.Responses) + len(p.Chunks) + len(p.Generation), bytes
}

// file returns a file of the generation as an object. If the file does not exist, opening the
// object fails.
func (n *Next) file(key string, ref blob.Ref) target.Object {
	name := n.find(key)
	h := headers.Stored(key, mediatype.Octets)
	o := target.File(key, h.Type, h.Cache, name, ref, 0)
	if info, err := os.Stat(name); err == nil {
		o.Size = info.Size()
	}
	return o
}

// find returns the path on disk of a file of the generation, in the first folder that has it.
func (n *Next) find(key string) (name string) {
	for _, root := range n.Roots {
		name = filepath.Join(root, filepath.FromSlash(key))
		if _, err := os.Stat(name); err == nil {
			break
		}
	}
	return name
}

// addContent adds the content and the paths that the target lacks, or has with other headers.
func (p *Plan) addContent(next Next) {
	was, now := p.old.Catalog, next.Catalog
	renew, renewed := p.old.raw != nil && was.Render < attachedSince, make(map[blob.Ref]bool)
	if sameBase := was.BaseURL == now.BaseURL && was.ContentURL == now.ContentURL; !renew && sameBase { // otherwise all content may get other headers, or its readmes other addresses
		was, now = was.Differing(now)
	}
	old := make(map[string]blob.Ref)
	if p.old.raw != nil {
		for f := range contentOf(p.old.Catalog, was) {
			old[f.Path] = f.SHA256
		}
	}
	var more []index.File
	for f := range contentOf(next.Catalog, now) {
		if ref, ok := old[f.Path]; !ok || ref != f.SHA256 || p.old.dirty && isPage(f.Path) {
			more = append(more, f)
		} else if renew && headers.Stored(f.Path, f.Type).Disposition != "" {
			p.renew(&f, next, renewed)
		}
	}
	existing := p.existing(more)
	for _, f := range more {
		ref := blob.Ref(f.SHA256)
		if !existing[ref] {
			existing[ref] = true
			p.Blobs = append(p.Blobs, next.stored(&f))
		}
		p.addLink(Link{ref.Path(), next.linked(&f)})
	}
}

// contentOf yields the derived files of a catalogue and the content of some of its versions.
func contentOf(c, some *catalog.Catalog) iter.Seq[index.File] {
	return func(yield func(index.File) bool) {
		for f := range render.DerivedContent(c) {
			if !yield(f) {
				return
			}
		}
		render.VersionContent(some)(yield)
	}
}

// existing returns which of the files have content that the target has under any path.
func (p *Plan) existing(files []index.File) map[blob.Ref]bool {
	all := make(map[blob.Ref]bool)
	if len(files) == 0 || p.old.raw == nil {
		return all
	}
	for _, f := range files {
		all[f.SHA256] = false
	}
	for f := range render.Content(p.old.Catalog) {
		if _, ok := all[f.SHA256]; ok {
			all[f.SHA256] = true
		}
	}
	return all
}

// renew adds copies of f and of its blob to their own keys, which replace their headers. A blob is
// added only once.
func (p *Plan) renew(f *index.File, next Next, renewed map[blob.Ref]bool) {
	ref := blob.Ref(f.SHA256)
	if !renewed[ref] {
		renewed[ref] = true
		p.Links = append(p.Links, Link{ref.Path(), next.stored(f)})
	}
	p.Links = append(p.Links, Link{ref.Path(), next.linked(f)})
}

// attachedSince is the first [render.Version] whose sites were published with the media types and
// dispositions of [headers.Stored]. Objects of older sites get them by a copy within the target.
const attachedSince = 3

// isPage reports whether the content of a path may change.
func isPage(path string) bool { return !headers.IsImmutable(path) }

// stored returns the blob of f.
func (n *Next) stored(f *index.File) target.Object { return n.object(f, blob.Ref(f.SHA256).Path()) }

// linked returns f itself, whose key is its path.
func (n *Next) linked(f *index.File) target.Object { return n.object(f, f.Path) }

// object returns the content of f under a key, from the first store that has it.
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

// addResponses adds the static responses that differ from those of the target, and removes those
// that the next generation does not have.
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
}

// removeDerived removes the derived files that the next generation does not have. Those of a
// version stay as its other content does.
func (p *Plan) removeDerived(next Next) {
	if p.old.raw == nil {
		return
	}
	for _, f := range p.old.Catalog.Derived {
		if !strings.HasPrefix(f.Path, catalog.AssetsDir) && catalog.FindDerived(next.Catalog.Derived, f.Path) == nil {
			p.Remove = append(p.Remove, f.Path)
		}
	}
}

// removeStrays adds to Remove the responses and derived files at the target that the next
// generation does not have. An interrupted publish may have left them, so the catalogue does not
// list them. The target is dirty, so Responses has all responses of the next generation.
func (p *Plan) removeStrays(ctx context.Context, at target.Target) error {
	needed := make(map[string]bool)
	for _, o := range p.Responses {
		needed[o.Key] = true
	}
	for _, f := range p.next.Catalog.Derived {
		needed[f.Path] = true
	}
	for _, key := range p.Remove {
		needed[key] = true // it is removed already
	}
	for _, folder := range append(catalog.DerivedFolders(), gallery.LatestDir) {
		for e, err := range at.List(ctx, folder) {
			if err != nil {
				return err
			}
			if !needed[e.Key] {
				p.Remove = append(p.Remove, e.Key)
			}
		}
	}
	return nil
}

// manyObjects is the number of objects from which on Resume lists the target. Fewer objects are
// sent again in less time.
const manyObjects = 500

// Resume removes from the plan what an interrupted publish has sent already: blobs, links and files
// of chunks whose objects are newer than CURRENT and have the right size. Older objects are sent
// again, because a concurrent prune may remove them. If the target is dirty, Resume also plans the
// removal of responses and pages that the next generation does not have.
func (p *Plan) Resume(ctx context.Context, at target.Target) error {
	if p.old.dirty {
		if err := p.removeStrays(ctx, at); err != nil {
			return err
		}
	}
	if len(p.Blobs)+len(p.Links)+len(p.Chunks) < manyObjects {
		return nil
	}
	since, err := modified(ctx, at, site.CurrentPath)
	if err != nil {
		return err
	}
	remote := make(map[string]target.Entry)
	for _, prefix := range append(contentPrefixes(), chunkFolders()...) {
		for e, err := range at.List(ctx, prefix) {
			if err != nil {
				return err
			}
			remote[e.Key] = e
		}
	}
	sent := func(o target.Object) bool {
		e, ok := remote[o.Key]
		return ok && e.Size == o.Size && e.Modified.After(since)
	}
	p.Blobs, p.Chunks = slices.DeleteFunc(p.Blobs, sent), slices.DeleteFunc(p.Chunks, sent)
	p.Links = slices.DeleteFunc(p.Links, func(l Link) bool { return sent(l.Object) })
	return nil
}

// modified returns the time of an object, or zero if there is none.
func modified(ctx context.Context, at target.Target, key string) (when time.Time, err error) {
	for e, err := range at.List(ctx, key) {
		if err != nil {
			return when, err
		}
		if e.Key == key {
			when = e.Modified
		}
	}
	return when, nil
}
