package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/publish/target"
	"galbuild/render"
	"galbuild/render/gallery"
)

// Purged is the result of [Purge]. Its lists are never nil.
type Purged struct {
	Objects     []string          `json:"objects"`     // that were deleted
	Generations []string          `json:"generations"` // whose files were deleted, because they may list a version
	Cached      []string          `json:"cached"`      // paths that caches may still hold; * stands for everything below
	Left        []target.Leftover `json:"left"`        // what the target keeps
}

// Purge deletes everything that a target has of the packages with these subjects: packages, assets,
// file trees, responses, blobs that nothing else needs, and the files of the earlier generations
// that list them, with all chunks that no other generation has. What remains of such a generation
// is its catalogue without them, for a rollback: a private file, see [site.Current.RemainderPath],
// and the chunks of the catalogue that it lists.
// The current generation must not have them any more. In a dry run, Purge only returns what would
// be deleted.
func Purge(ctx context.Context, at target.Target, subjects []catalog.Subject, o Options) (Purged, error) {
	records, err := decision.Add(nil, decision.Author{}, decision.Blocked, subjects, "")
	if err != nil {
		return Purged{}, err
	}
	p := &purging{
		at: at, lines: o.linesAt(at), subjects: subjects, matches: decision.In(records, nil), dryRun: o.DryRun,
		doomed: make(map[string]bool), blobs: make(map[blob.Ref]bool), needed: make(map[string]bool),
		extensions: make(map[string]bool), cached: make(map[string]bool), parts: make(map[catalog.ChunkFile]*splitChunk), kept: make(map[*splitChunk]bool),
	}
	for _, s := range subjects {
		p.extensions[s.Extension] = true
		p.packages = p.packages || !s.SHA256.IsZero()
	}
	if err := p.find(ctx); err != nil {
		return Purged{}, fmt.Errorf("%s: %w", at, err)
	}
	return p.delete(ctx)
}

// purging is a call of Purge. It first finds what is doomed. Then it goes through the content that
// stays, each chunk once, because generations share nearly all chunks.
type purging struct {
	at       target.Target
	lines    *Lines
	subjects []catalog.Subject
	matches  *decision.Set // keeps out what is purged
	packages bool          // some subjects are packages, whatever extension they are of
	// extensions have the Keys of the subjects, and of the extensions with versions that are
	// purged. Only in their folders paths can be doomed.
	extensions map[string]bool
	dryRun     bool

	doomed      map[string]bool   // keys of objects
	blobs       map[blob.Ref]bool // doomed blobs
	needed      map[string]bool   // doomed keys that stay, and perhaps others
	cached      map[string]bool   // see Purged
	generations []string
	remainders  []target.Object // what remains of the generations: chunks, and then the private file

	parts map[catalog.ChunkFile]*splitChunk
	kept  map[*splitChunk]bool // chunks that a generation keeps; true if with what is purged
	rest  []*catalog.Catalog   // what generations keep besides chunks; they have no extensions
	stays []*catalog.Catalog   // generations whose pages stay
}

// A splitChunk has the extensions of a chunk: all of them, those with the versions that are purged,
// and those with the others.
type splitChunk struct {
	all, gone, rest []catalog.Extension
}

// find fills doomed and needed from all generations of the target, from its folders, and from its
// chunks.
func (p *purging) find(ctx context.Context) error {
	current, err := read(ctx, p.at, p.lines)
	if err != nil {
		return err
	}
	names, err := p.list(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		g := listed{current.Catalog, current.shared.Chunks}
		if name != current.Generation {
			g, err = readListed(ctx, p.at, name, p.lines)
		}
		if errors.Is(err, target.ErrNotExist) {
			p.doomGeneration(name) // nobody can use it, and it may list a version
			continue
		}
		if err == nil && g.Catalog != nil {
			err = p.addGeneration(ctx, name, g, name == current.Generation)
		}
		if err != nil {
			return err
		}
	}
	if err := p.findFolders(ctx); err != nil {
		return err
	}
	p.keepContent()
	p.keepResponses(current.Catalog)
	return nil
}

// list returns the names of the generations. It dooms the files of chunks, because those that no
// generation lists may contain what is purged. It leaves those that were written since CURRENT: a
// publish in progress may need them.
func (p *purging) list(ctx context.Context) (names []string, err error) {
	var since time.Time
	var chunks []target.Entry
	all := make(map[string]time.Time)
	for e, err := range listIndex(ctx, p.at) {
		if err != nil {
			return nil, err
		}
		switch {
		case isChunk(e.Key):
			chunks = append(chunks, e)
		case e.Key == site.CurrentPath:
			since = e.Modified
		default:
			noteGeneration(all, e)
		}
	}
	for _, e := range chunks {
		if e.Modified.Before(since) {
			p.doomed[e.Key] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// listed is a generation with the files of its chunks.
type listed struct {
	*catalog.Catalog
	chunks []catalog.ChunkFiles
}

// readListed returns a generation or, after a purge, what remains of it, whose chunks have no files
// of the index. Its catalogue is nil if there is neither, because the generation was never
// complete. If lines of the catalogue are missing, the error wraps [target.ErrNotExist].
func readListed(ctx context.Context, at target.Target, name string, l *Lines) (g listed, err error) {
	of := site.Current{Generation: name}
	head, err := readSmall(ctx, at, of.CatalogPath(), maxCatalog)
	if errors.Is(err, target.ErrNotExist) {
		head, err = readSmall(ctx, at, of.RemainderPath(), maxCatalog)
	}
	if errors.Is(err, target.ErrNotExist) {
		return g, nil
	}
	if err == nil {
		g.Catalog, g.chunks, err = l.catalog(ctx, head)
	}
	return g, err
}

// addGeneration dooms the files of an earlier generation that lists what is purged, with that
// content. It keeps the other content, and of the current generation what it lists, whatever it is.
func (p *purging) addGeneration(ctx context.Context, name string, g listed, current bool) error {
	parts, err := p.split(ctx, g.chunks)
	if err != nil {
		return err
	}
	gone, rest := &catalog.Catalog{}, &catalog.Catalog{Settings: g.Settings, Records: g.Records, Counted: g.Counted, Usage: g.Usage}
	gone.Dropped, rest.Dropped = p.splitDropped(g.Dropped)
	for _, part := range parts {
		gone.Extensions = append(gone.Extensions, part.gone...)
	}
	stays := current || len(gone.Extensions)+len(gone.Dropped) == 0
	files := catalog.Files{Chunks: g.chunks}
	if files.Packages, err = readPackageFiles(ctx, p.at, name); err != nil && stays {
		return err
	}
	for path := range files.All() {
		p.doomed[path] = true // unless a generation that stays has it
		p.needed[path] = p.needed[path] || stays
	}
	whole := stays && !(current && p.dryRun) // the decision of a dry run has not been published
	if !whole {
		for f := range render.VersionContent(gone) {
			p.doom(f)
		}
	}
	for _, part := range parts {
		p.kept[part] = p.kept[part] || whole
	}
	head := rest
	if whole {
		head = &catalog.Catalog{Settings: g.Settings, Records: g.Records, Dropped: g.Dropped, Counted: g.Counted, Usage: g.Usage}
	}
	p.rest = append(p.rest, head)
	if stays {
		p.stays = append(p.stays, g.Catalog)
		return nil
	}
	for f := range render.DerivedContent(g.Catalog) { // a page may show what is purged
		p.blobs[f.SHA256] = true
	}
	p.doomGeneration(name)
	rest.Extensions = p.splitExtensions(g.Extensions).rest // with their statistics, which chunks lack
	return p.addRemainder(name, rest, g.chunks, parts)
}

// addRemainder keeps what remains of a generation: the catalogue rest. chunks and parts are those
// of the generation. Chunks that have not changed are used again.
func (p *purging) addRemainder(name string, rest *catalog.Catalog, chunks []catalog.ChunkFiles, parts []*splitChunk) error {
	same := make(map[string]int) // the chunks that stay, by First
	for i, part := range parts {
		if len(part.gone) == 0 {
			same[chunks[i].First] = i
		}
	}
	var files []catalog.ChunkFiles
	for _, c := range rest.Chunks() {
		f := catalog.ChunkFiles{First: c.First}
		if i, ok := same[c.First]; ok && len(parts[i].all) == len(c.Extensions) {
			f.Lines = chunks[i].Lines
		} else {
			text, err := site.CompressLines(c)
			if err != nil {
				return err
			}
			f.Lines = catalog.ChunkFile{SHA256: blob.Sum(text), Size: int64(len(text))}
			p.remainders = append(p.remainders, textObject(catalog.LinesPath(f.Lines.SHA256), text))
		}
		p.needed[catalog.LinesPath(f.Lines.SHA256)] = true
		files = append(files, f)
	}
	head, err := site.CompressMain(rest, files)
	if err != nil {
		return err
	}
	path := site.Current{Generation: name}.RemainderPath()
	p.needed[path] = true
	p.remainders = append(p.remainders, textObject(path, head))
	return nil
}

// doomGeneration marks the files of an earlier generation for deletion, apart from its chunks.
func (p *purging) doomGeneration(name string) {
	p.generations = append(p.generations, name)
	g := site.Current{Generation: name}
	for _, key := range []string{g.CatalogPath(), g.IndexPath(), g.PrivatePath(), g.RemainderPath()} {
		p.doomed[key] = true
	}
}

// split returns the extensions of chunks, split. Equal chunks are split once.
func (p *purging) split(ctx context.Context, chunks []catalog.ChunkFiles) ([]*splitChunk, error) {
	all, err := p.lines.chunks(ctx, chunks)
	if err != nil {
		return nil, err
	}
	parts := make([]*splitChunk, len(chunks))
	for i, c := range chunks {
		if parts[i] = p.parts[c.Lines]; parts[i] == nil {
			parts[i] = p.splitExtensions(all[i])
			p.parts[c.Lines] = parts[i]
		}
	}
	return parts, nil
}

// splitExtensions splits extensions into those with the versions that are purged, and those with
// the others.
func (p *purging) splitExtensions(all []catalog.Extension) *splitChunk {
	s := &splitChunk{all: all}
	for i := range all {
		key := all[i].Key()
		if !p.packages && !p.extensions[key] {
			s.rest = append(s.rest, all[i])
			continue
		}
		purged, stays := all[i], all[i]
		purged.Versions, stays.Versions = nil, nil
		for key, v := range all[i].Keyed() {
			if len(p.matches.Out(key, v.Package.Ref)) > 0 {
				purged.Versions = append(purged.Versions, *v)
			} else {
				stays.Versions = append(stays.Versions, *v)
			}
		}
		if len(purged.Versions) > 0 {
			s.gone = append(s.gone, purged)
			p.extensions[key] = true
		}
		if len(stays.Versions) > 0 {
			s.rest = append(s.rest, stays)
		}
	}
	if len(s.gone) == 0 {
		s.rest = all
	}
	return s
}

// splitDropped splits dropped versions into those that are purged, and the others.
func (p *purging) splitDropped(all []catalog.Dropped) (gone, rest []catalog.Dropped) {
	for _, d := range all {
		if len(p.matches.Out(d.Key(), d.Version.Package.Ref)) > 0 {
			gone = append(gone, d)
			id, _, _ := strings.Cut(d.Key(), "@")
			p.extensions[id] = true
		} else {
			rest = append(rest, d)
		}
	}
	return gone, rest
}

// doom marks a file and its blob for deletion, unless they are needed.
func (p *purging) doom(f index.File) {
	p.doomed[f.Path], p.blobs[f.SHA256] = true, true
	p.cached["/"+blob.Ref(f.SHA256).Path()] = true
	p.cached["/"+folderOf(f.Path)+"*"] = true
}

// keep keeps a file and its blob, although they are doomed.
func (p *purging) keep(f index.File) {
	if p.doomed[f.Path] {
		p.needed[f.Path] = true
	}
	delete(p.blobs, f.SHA256)
}

// keepContent keeps the content of all generations. What is doomed must be known.
func (p *purging) keepContent() {
	doomed := slices.Collect(maps.Keys(p.blobs))
	for part, whole := range p.kept {
		c := &catalog.Catalog{Extensions: part.rest}
		if whole {
			c.Extensions = part.all
		}
		p.rest = append(p.rest, c)
	}
	for _, c := range p.rest {
		p.keepVersions(c)
	}
	for _, c := range p.stays {
		for f := range render.DerivedContent(c) {
			p.keep(f)
		}
	}
	for _, ref := range doomed {
		p.doomed[ref.Path()] = true
		p.needed[ref.Path()] = !p.blobs[ref]
	}
}

// keepVersions keeps the content of the versions of a catalogue.
func (p *purging) keepVersions(c *catalog.Catalog) {
	of := catalog.Catalog{Dropped: c.Dropped}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		if p.extensions[e.Key()] {
			of.Extensions = append(of.Extensions, *e)
			continue
		}
		for ref := range e.Blobs() {
			delete(p.blobs, ref)
		}
	}
	for f := range render.VersionContent(&of) {
		p.keep(f)
	}
}

// keepResponses keeps the static responses for the subjects that are in the current generation.
func (p *purging) keepResponses(c *catalog.Catalog) {
	of := *c
	of.Extensions = nil
	for _, s := range p.subjects {
		e := c.Find(s.Extension)
		if e == nil {
			continue
		}
		found := p.splitExtensions([]catalog.Extension{*e})
		if p.dryRun { // the decision has not been published
			found.all = found.rest
		}
		of.Extensions = append(of.Extensions, found.all...)
	}
	for f := range render.Responses(&of) {
		p.needed[f.Path] = true
	}
}

// folderOf returns the folder of a version, with a slash at its end, of a path in it:
// assets/<pub>/<name>/<version>/….
func folderOf(path string) string {
	parts := strings.SplitN(path, "/", 5)
	return strings.Join(parts[:min(4, len(parts))], "/") + "/"
}

// findFolders dooms what no generation lists in the folders of the subjects: what an interrupted
// publish or prune has left.
func (p *purging) findFolders(ctx context.Context) error {
	seen := make(map[string]bool)
	for _, s := range p.subjects {
		if seen[s.Extension] || s.Extension == "" {
			continue
		}
		seen[s.Extension] = true
		publisher, name, _ := strings.Cut(s.Extension, ".")
		p.cached["/"+gallery.LatestPath(publisher, name)] = true
		for _, top := range []string{catalog.AssetsDir, catalog.FilesDir, gallery.LatestDir} {
			prefix := top + publisher + "/" + name + "/"
			for e, err := range p.at.List(ctx, prefix) {
				if err != nil {
					return err
				}
				version, _, _ := strings.Cut(strings.TrimPrefix(e.Key, prefix), "/")
				if top == gallery.LatestDir || len(p.matches.Out(strings.ToLower(s.Extension+"@"+version), blob.Ref{})) > 0 {
					p.doomed[e.Key] = true
					p.cached["/"+path.Dir(e.Key)+"/*"] = top != gallery.LatestDir
				}
			}
		}
	}
	return nil
}

// delete deletes what was found.
func (p *purging) delete(ctx context.Context) (Purged, error) {
	maps.DeleteFunc(p.doomed, func(key string, doomed bool) bool { return !doomed || p.needed[key] })
	maps.DeleteFunc(p.cached, func(key string, old bool) bool { return !old || p.needed[strings.TrimPrefix(key, "/")] })
	purged := Purged{
		Objects:     append([]string{}, slices.Sorted(maps.Keys(p.doomed))...),
		Generations: append([]string{}, slices.Sorted(slices.Values(p.generations))...),
		Cached:      append([]string{}, slices.Sorted(maps.Keys(p.cached))...),
		Left:        []target.Leftover{},
	}
	if p.dryRun || len(purged.Objects) == 0 {
		return purged, nil
	}
	for _, o := range p.remainders {
		if err := p.at.Put(ctx, o); err != nil {
			return purged, fmt.Errorf("%s: %w", p.at, err)
		}
	}
	if err := p.at.Delete(ctx, purged.Objects); err != nil {
		return purged, fmt.Errorf("%s: %w", p.at, err)
	}
	if keeps, ok := p.at.(target.Purger); ok {
		left, err := keeps.Purge(ctx, purged.Objects)
		if err != nil {
			return purged, fmt.Errorf("%s: %w", p.at, err)
		}
		purged.Left = append(purged.Left, left...)
	}
	return purged, nil
}
