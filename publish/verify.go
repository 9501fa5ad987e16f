package publish

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/publish/target"
	"galbuild/render"
)

// Verify checks the current generation of a target in the way that [render.Verify] checks a folder:
// it derives the index from the catalogue again, and downloads and hashes all files. Problems of
// the generation are in the report. An error means that it could not be verified.
func Verify(ctx context.Context, at target.Target) (*render.Report, error) {
	s, err := readPublished(ctx, at)
	if err != nil {
		return nil, err
	}
	v := &verifier{at: at, lines: NewLines(at), report: &render.Report{Site: at.String(), Generation: s.Generation, Problems: []string{}}}
	v.history(ctx, s)
	if s.Catalog, s.shared.Chunks, err = readCatalog(ctx, at, s.Current, v.lines); err != nil {
		return v.unreadable(ctx, s, err)
	}
	v.report.Extensions = len(s.Catalog.Extensions)
	for range s.Catalog.Versions() {
		v.report.Versions++
	}
	v.private(ctx, s)
	if err := v.index(ctx, s); err != nil {
		return nil, err
	}
	if s.dirty, err = isDirty(ctx, at); err != nil {
		return nil, err
	}
	if err := v.content(ctx, s); err != nil {
		return nil, err
	}
	slices.Sort(v.report.Problems)
	return v.report, nil
}

type verifier struct {
	at     target.Target
	lines  *Lines
	mutex  sync.Mutex
	report *render.Report
}

func (v *verifier) problem(format string, args ...any) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.report.Problems = append(v.report.Problems, fmt.Sprintf(format, args...))
}

// history checks the history: all of it, or only its head if everyone can read the target. Then it
// is a problem if the entries are served.
func (v *verifier) history(ctx context.Context, s State) {
	files := filesAt(ctx, v.at)
	head, err := site.ReadHead(files, s.Current, s.head)
	switch {
	case err == nil && !isPublic(v.at):
		err = site.CheckHistory(files, head)
	case err == nil:
		if _, denied := site.ReadEntry(files, head.Number, head.Entry); denied == nil {
			v.problem("%s: everyone can read who changed what and why; the server must not serve %s", history.EntryPath(head.Number, head.Entry), site.PrivateDir)
		}
	}
	if err != nil {
		v.problem("%v", err)
	}
}

// private reads the private parts of records. It is a problem if everyone can read them.
func (v *verifier) private(ctx context.Context, s State) {
	err := readPrivate(ctx, v.at, &s, v.lines)
	switch public := isPublic(v.at); {
	case public && errors.Is(err, target.ErrNotExist):
	case err != nil:
		v.problem("%v", err)
	case public && !s.Private.IsZero():
		v.problem("%s: everyone can read who decided what and why; the server must not serve %s", s.PrivatePath(), site.PrivateDir)
	}
	for _, p := range render.CheckDecisions(s.Catalog) {
		v.problem("%s", p)
	}
}

// index derives the index from the catalogue and compares it.
func (v *verifier) index(ctx context.Context, s State) error {
	if s.Catalog.Render != render.Version {
		v.problem("%s: another version of galbuild has rendered it (rendering %d, this program has %d)", s.IndexPath(), s.Catalog.Render, render.Version)
		return nil
	}
	scratch, err := Scratch()
	if err != nil {
		return err
	}
	defer scratch.Discard()
	derived, _, err := render.Generation(ctx, scratch.Dir, s.Catalog, render.Previous{})
	if err != nil {
		return err
	}
	if derived.Index != s.Index {
		v.problem("%s: differs from what is derived from the catalogue", s.IndexPath())
	} else if derived.Catalog != s.Current.Catalog {
		v.problem("%s: differs from what is written for this catalogue and its chunks", s.CatalogPath())
	}
	return nil
}

// content reads and hashes every file of the generation.
func (v *verifier) content(ctx context.Context, s State) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * runtime.GOMAXPROCS(0))
	check := func(f index.File) {
		group.Go(func() error { return v.object(ctx, f) })
	}
	check(index.File{Path: s.IndexPath(), SHA256: s.Index, Size: -1})
	group.Go(func() error { return v.chunks(ctx, s.shared.Chunks) })
	blobs := make(map[blob.Ref]bool)
	for f := range render.Content(s.Catalog) {
		v.report.Files++
		if !s.dirty || !catalog.IsDerived(f.Path) { // otherwise it may be that of another generation
			check(f)
		}
		if ref := blob.Ref(f.SHA256); !blobs[ref] {
			blobs[ref] = true
			v.report.Blobs++
			v.report.Bytes += f.Size
			f.Path = ref.Path()
			check(f)
		}
	}
	for f := range render.Responses(s.Catalog) {
		v.report.Files++
		if s.dirty {
			continue
		}
		check(index.File{Path: f.Path, SHA256: blob.Sum(f.Text), Size: int64(len(f.Text))})
	}
	return group.Wait()
}

// unreadable ends the report on a generation whose catalogue cannot be read, because of cause. It
// checks the files of chunks that the main file of the catalogue names.
func (v *verifier) unreadable(ctx context.Context, s State, cause error) (*render.Report, error) {
	before := len(v.report.Problems)
	main, err := readSmall(ctx, v.at, s.CatalogPath(), maxCatalog)
	if err == nil && blob.Sum(main) == s.Current.Catalog {
		if chunks, err := site.DecompressChunkFiles(main); err == nil {
			_ = v.chunks(ctx, chunks) // its only error is that of ctx
		}
	}
	if len(v.report.Problems) == before { // otherwise the problem of the chunk is among them
		v.problem("catalogue: %v", cause)
	}
	slices.Sort(v.report.Problems)
	return v.report, ctx.Err()
}

// chunks reads and hashes the files of chunks that were not read with the catalogue.
func (v *verifier) chunks(ctx context.Context, all []catalog.ChunkFiles) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * runtime.GOMAXPROCS(0))
	for path, f := range catalog.AllChunkFiles(all) {
		if _, ok := v.lines.downloaded(path); ok {
			continue // readCatalog has verified it
		}
		group.Go(func() error { return v.object(ctx, index.File{Path: path, SHA256: f.SHA256, Size: f.Size}) })
	}
	return group.Wait()
}

// object reads and hashes one file. A file that cannot be read or that differs is a problem.
func (v *verifier) object(ctx context.Context, f index.File) error {
	got, err := sumOf(ctx, v.at, f.Path)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.problem("%s: %v", f.Path, err)
	case got != f.SHA256:
		v.problem("%s: SHA-256 is %s, want %x as in the catalogue", f.Path, got, f.SHA256)
	}
	return nil
}
