package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

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
	Generations []string          `json:"generations"` // whose files were deleted, because they list a version
	Cached      []string          `json:"cached"`      // paths that caches may still hold; * stands for everything below
	Left        []target.Leftover `json:"left"`        // what the target keeps
}

// Purge deletes everything that a target has of the packages with these subjects: packages, assets,
// file trees, responses, blobs that nothing else needs, and the files of the earlier generations
// that list them. What remains of such a generation is one private file for a rollback, which does
// not list them: see [site.Current.RemainderPath]. The current generation must not have them any
// more. In a dry run, Purge only returns what would be deleted.
func Purge(ctx context.Context, at target.Target, subjects []catalog.Subject, o Options) (Purged, error) {
	records, err := decision.Add(nil, decision.Author{}, decision.Blocked, subjects, "")
	if err != nil {
		return Purged{}, err
	}
	p := &purging{
		at: at, subjects: subjects, matches: decision.In(records, nil), dryRun: o.DryRun,
		doomed: make(map[string]bool), needed: make(map[string]bool), cached: make(map[string]bool),
	}
	if err := p.find(ctx); err != nil {
		return Purged{}, fmt.Errorf("%s: %w", at, err)
	}
	return p.delete(ctx)
}

// purging is a call of Purge.
type purging struct {
	at       target.Target
	subjects []catalog.Subject
	matches  *decision.Set // keeps out what is purged
	dryRun   bool

	doomed, needed map[string]bool // keys of objects; needed ones stay
	cached         map[string]bool // see Purged
	generations    []string
	remainders     []target.Object // what remains of the generations
}

// find fills doomed and needed from all generations of the target, and from its folders.
func (p *purging) find(ctx context.Context) error {
	current, err := Read(ctx, p.at)
	if err != nil {
		return err
	}
	all, err := generations(ctx, p.at)
	if err != nil {
		return err
	}
	for name := range all {
		c := current.Catalog
		if name != current.Generation {
			if c, err = readListed(ctx, p.at, name); err != nil {
				return err
			}
		}
		if c == nil {
			continue
		}
		if err := p.addGeneration(name, c, name == current.Generation); err != nil {
			return err
		}
	}
	return p.findFolders(ctx)
}

// readListed returns the catalogue of a generation or, after a purge, what remains of it. It
// returns nil if there is neither, because the generation was never complete.
func readListed(ctx context.Context, at target.Target, name string) (*catalog.Catalog, error) {
	g := site.Current{Generation: name}
	packed, err := readSmall(ctx, at, g.CatalogPath(), maxCatalog)
	if errors.Is(err, target.ErrNotExist) {
		packed, err = readSmall(ctx, at, g.RemainderPath(), maxCatalog)
	}
	if errors.Is(err, target.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return site.DecompressCatalog(packed)
}

// addGeneration dooms the files of an earlier generation that lists what is purged, with that
// content. It needs the other content, and of the current generation what it lists, whatever it is.
func (p *purging) addGeneration(name string, c *catalog.Catalog, current bool) error {
	gone, rest := p.split(c)
	if current && p.dryRun { // the decision that takes them out has not been published
		for f := range render.VersionContent(gone) {
			p.doom(f)
		}
		c = rest
	}
	if current || len(gone.Extensions)+len(gone.Dropped) == 0 {
		for f := range render.Content(c) {
			p.needed[f.Path], p.needed[blob.Ref(f.SHA256).Path()] = true, true
		}
		for f := range render.Responses(c) {
			p.needed[f.Path] = p.needed[f.Path] || current
		}
		return nil
	}
	p.generations = append(p.generations, name)
	g := site.Current{Generation: name}
	for _, key := range []string{g.CatalogPath(), g.IndexPath(), g.PrivatePath()} {
		p.doomed[key] = true
	}
	for f := range render.VersionContent(gone) {
		p.doom(f)
	}
	for f := range render.VersionContent(rest) {
		p.needed[f.Path], p.needed[blob.Ref(f.SHA256).Path()] = true, true
	}
	packed, err := site.CompressCatalog(rest)
	if err != nil {
		return err
	}
	p.remainders = append(p.remainders, textObject(g.RemainderPath(), packed))
	return nil
}

// split returns a catalogue with the versions of c that are purged, and one with the others.
func (p *purging) split(c *catalog.Catalog) (gone, rest *catalog.Catalog) {
	gone, rest = &catalog.Catalog{}, &catalog.Catalog{Settings: c.Settings, Records: c.Records}
	for _, d := range c.Dropped {
		if len(p.matches.Out(d.Key(), d.Version.Package.Ref)) > 0 {
			gone.Dropped = append(gone.Dropped, d)
		} else {
			rest.Dropped = append(rest.Dropped, d)
		}
	}
	for i := range c.Extensions {
		purged, stays := c.Extensions[i], c.Extensions[i]
		purged.Versions, stays.Versions = nil, nil
		for key, v := range c.Extensions[i].Keyed() {
			if len(p.matches.Out(key, v.Package.Ref)) > 0 {
				purged.Versions = append(purged.Versions, *v)
			} else {
				stays.Versions = append(stays.Versions, *v)
			}
		}
		if len(purged.Versions) > 0 {
			gone.Extensions = append(gone.Extensions, purged)
		}
		if len(stays.Versions) > 0 {
			rest.Extensions = append(rest.Extensions, stays)
		}
	}
	return gone, rest
}

// doom marks a file and its blob for deletion, unless they are needed.
func (p *purging) doom(f index.File) {
	p.doomed[f.Path], p.doomed[blob.Ref(f.SHA256).Path()] = true, true
	p.cached["/"+blob.Ref(f.SHA256).Path()] = true
	p.cached["/"+folderOf(f.Path)+"*"] = true
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
